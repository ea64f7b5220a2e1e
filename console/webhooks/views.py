"""The pages of webhooks: where they go, what they were sent, and what came back."""

from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from console import throttle
from console.access import Permission
from console.audit import public
from console.editing import Edit
from console.forms import attempt, page, press
from console.listing import render_list
from console.models import Webhook, WebhookDelivery
from console.policies import requires
from console.requests import Request
from console.webhooks import actions, kept, log
from console.webhooks.forms import WebhookForm, bound_to, initial_of
from console.webhooks.tables import DeliveryFilter, DeliveryTable

SHOW_SECRET = "webhook_secret"  # noqa: S105 -- a session key that holds an id, not a secret
TRIES_SHOWN = 50


@requires(Permission.WEBHOOK_MANAGE)
def webhook_list(request: Request) -> HttpResponse:
    """List all webhooks of the organization, its products and its customers."""
    rows = Webhook.objects.visible_to(request.actor).current().order_by("-pk")
    return render(request, "console/webhooks/webhook_list.html", {"webhooks": rows})


@requires(Permission.WEBHOOK_MANAGE)
def webhook_create(request: Request) -> HttpResponse:
    """Create a webhook; its secret is shown once, on its page."""
    scope, row = bound_to(request.actor, request.GET)
    form = WebhookForm(request.POST or None, scope=scope)
    bound = {f"{scope}_id": row.pk} if row else {}
    hook = attempt(form, lambda: actions.create(**form.cleaned_data, **bound, by=request.actor))
    if hook is None:
        return page(request, "console/webhooks/webhook_create.html", form, scope=scope, row=row)
    return _show_secret(request, hook)


@requires(Permission.WEBHOOK_MANAGE)
def webhook_detail(request: Request, pk: int) -> HttpResponse:
    """Show one webhook with the log of its calls, and its secret right after it was created."""
    hook = get_object_or_404(kept.counted(Webhook.objects.visible_to(request.actor)), pk=pk)
    rows = log.counted(WebhookDelivery.objects.visible_to(request.actor).filter(webhook=hook))
    if request.session.get(SHOW_SECRET) == hook.pk:
        del request.session[SHOW_SECRET]
        secret = actions.secret(hook)
    else:
        secret = ""
    context = {
        "hook": hook,
        "secret": secret,
        "kinds": [(name, public.label(name)) for name in hook.events],
        "kept_days": settings.WEBHOOK_KEPT_DAYS,
        "kept_most": kept.MOST,
    }
    return render_list(
        request,
        rows=rows,
        table=DeliveryTable,
        filters=DeliveryFilter,
        template="console/webhooks/webhook_detail.html",
        context=context,
    )


@requires(Permission.WEBHOOK_MANAGE)
def webhook_edit(request: Request, pk: int) -> HttpResponse:
    """Change the address and the events of a webhook."""
    hook = get_object_or_404(Webhook.objects.visible_to(request.actor).current(), pk=pk)
    edit = Edit(
        request,
        hook,
        lambda data, row: WebhookForm(data, scope=row.scope, initial=initial_of(row)),
        lambda row, values: actions.edit(row, **values, by=request.actor),
    )
    return redirect(hook) if edit.is_done else edit.page("console/webhooks/webhook_edit.html", hook=hook)


@requires(Permission.WEBHOOK_MANAGE)
def webhook_rotate(request: Request, pk: int) -> HttpResponse:
    """Ask for confirmation, then create a new secret and show it once."""
    hook = get_object_or_404(Webhook.objects.visible_to(request.actor).current(), pk=pk)
    if request.method != "POST":
        return render(request, "console/webhooks/webhook_rotate.html", {"hook": hook})
    actions.rotate(hook, by=request.actor)
    return _show_secret(request, hook)


@requires(Permission.WEBHOOK_MANAGE)
def webhook_enable(request: Request, pk: int) -> HttpResponse:
    """Enable a webhook, and send or discard its kept events if that was chosen."""
    hook = get_object_or_404(Webhook.objects.visible_to(request.actor).current(), pk=pk)
    enable = partial(actions.enable, then=_choice(request, actions.LATER))
    return press(request, hook, enable, _("Webhook enabled."))


@requires(Permission.WEBHOOK_MANAGE)
def webhook_disable(request: Request, pk: int) -> HttpResponse:
    """Disable a webhook."""
    hook = get_object_or_404(Webhook.objects.visible_to(request.actor).current(), pk=pk)
    return press(request, hook, partial(actions.disable, is_seen=True), _("Webhook disabled."))


@requires(Permission.WEBHOOK_MANAGE)
def webhook_kept(request: Request, pk: int) -> HttpResponse:
    """Send or discard the events kept while it was disabled."""
    hook = get_object_or_404(Webhook.objects.visible_to(request.actor).current(), pk=pk)
    choice = _choice(request, "") if request.method == "POST" else ""
    if choice == actions.SEND:
        count = actions.send_kept(hook, by=request.actor)
        messages.success(request, _("Sending %(n)d kept events.") % {"n": count})
    elif choice == actions.DISCARD:
        count = actions.discard_kept(hook, by=request.actor)
        messages.success(request, _("Kept events discarded: %(n)d.") % {"n": count})
    return redirect(hook)


@requires(Permission.WEBHOOK_MANAGE)
def webhook_remove(request: Request, pk: int) -> HttpResponse:
    """Ask for confirmation, then remove a webhook permanently."""
    hook = get_object_or_404(Webhook.objects.visible_to(request.actor).current(), pk=pk)
    if request.method != "POST":
        return render(request, "console/webhooks/webhook_remove.html", {"hook": hook})
    remove = partial(actions.remove, is_seen=True)
    return press(request, hook, remove, _("Webhook removed."), to="console:webhook_list")


@requires(Permission.WEBHOOK_MANAGE)
def webhook_test(request: Request, pk: int) -> HttpResponse:
    """Send a test event now."""
    hook = get_object_or_404(Webhook.objects.visible_to(request.actor).current(), pk=pk)
    if request.method != "POST":
        return redirect(hook)
    throttle.spend("webhook_test", str(hook.pk), limit=60, seconds=600)
    delivery = actions.send_test(hook, by=request.actor)
    messages.success(request, _("Test sent. The result appears on this page."))
    return redirect(delivery)


@requires(Permission.WEBHOOK_MANAGE)
def webhook_delivery(request: Request, pk: int, delivery_pk: int) -> HttpResponse:
    """Show one call: what was sent, and each attempt. The page polls until the call is sent or given up."""
    row = _delivery(request, pk, delivery_pk)
    is_partial = request.htmx and request.htmx.target == "delivery"
    context = {
        "delivery": row,
        "hook": row.webhook,
        "tries": row.tries.order_by("-pk")[:TRIES_SHOWN],
        "kind": public.label(row.kind),
    }
    template = "console/webhooks/_webhook_delivery.html" if is_partial else "console/webhooks/webhook_delivery.html"
    return render(request, template, context)


@requires(Permission.WEBHOOK_MANAGE)
def webhook_delivery_again(request: Request, pk: int, delivery_pk: int) -> HttpResponse:
    """Send a call once more."""
    row = _delivery(request, pk, delivery_pk)
    if request.method == "POST":
        throttle.spend("webhook_again", str(row.webhook_id), limit=600, seconds=600)
    return press(request, row, actions.send_again, _("Resent with the same ID."))


def _choice(request: Request, default: str) -> str:
    """Return what to do with the kept events."""
    choice = request.POST.get("kept", "")
    return choice if choice in {actions.SEND, actions.DISCARD} else default


def _delivery(request: Request, pk: int, delivery_pk: int) -> Any:
    rows = log.counted(WebhookDelivery.objects.visible_to(request.actor).select_related("webhook"))
    return get_object_or_404(rows, webhook=pk, pk=delivery_pk)


def _show_secret(request: Request, hook: Webhook) -> HttpResponse:
    """Redirect to the webhook's page, which shows the secret this once."""
    request.session[SHOW_SECRET] = hook.pk
    return redirect(hook)
