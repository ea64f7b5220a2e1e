"""Create, edit, rotate, enable, disable and remove webhooks, and send deliveries again."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from console import api_keys, mail
from console.access import Actor, system
from console.audit import changes, public, record
from console.errors import Refused
from console.models import DeliveryState, Event, Member, Role, Webhook, WebhookDelivery
from console.models.webhook import shortened
from console.transactions import retrying
from console.webhooks import addresses, fanout, kept, scopes, signing
from console.webhooks import events as webhook_events
from console.webhooks.delivery import OLDEST

MOST = 50
BOTH_SIGN_FOR = timedelta(hours=24)
# What to do with the events that were kept while a webhook was disabled.
SEND, DISCARD, LATER = "send", "discard", "later"
EDITABLE = ("url", "description", "events", "message_names")
# The field of a form or of an API call that each refusal is about.
FIELDS = {
    "bad_address": "url",
    "address_not_allowed": "url",
    "no_events": "events",
    "unknown_event": "events",
    "too_many_names": "message_names",
    "names_without_message": "message_names",
    "one_scope": "customer",
    "unknown_product": "product",
    "unknown_customer": "customer",
}


@retrying
def create(
    *,
    url: str,
    events: Iterable[str],
    by: Actor,
    description: str = "",
    product_id: int | None = None,
    customer_id: int | None = None,
    message_names: Iterable[str] = (),
) -> Webhook:
    """Create a webhook for the organization, for one product or for one customer. Its secret is `secret(webhook)`.

    Raises Refused (422) for an address that could never be dialled, for events that this scope does not have, for
    names of messages without the event `message`, and for a product or customer of another organization; raises
    Refused (409) above 50 webhooks.
    """
    _hold_key(by)
    if product_id and customer_id:
        raise Refused("one_scope", _("Choose a product or a customer, not both."), status=422)
    label = _label("product", product_id, by) or _label("customer", customer_id, by)
    hook = Webhook(
        organization=by.organization,
        description=description,
        product_id=product_id,
        customer_id=customer_id,
        scope_label=label,
        key_id=by.key_id,
        seed=signing.new_seed(),
    )
    hook.url, hook.events = _address(url), _events(hook.scope, events)
    hook.message_names = _names(message_names, hook.events)
    if Webhook.objects.filter(organization=by.organization, archived_at=None).count() >= MOST:
        raise Refused("too_many_webhooks", _("There are already 50 webhooks. Remove one that you no longer need."))
    hook.save()
    record(webhook_events.CREATED, hook, by=by)
    return hook


@retrying
def edit(hook: Webhook, *, by: Actor, **fields: Any) -> Webhook:
    """Change the address, description, events or names of messages. Raises Refused as `create` does.

    Without the event `message` the names are removed too, unless they are passed with it. An unchanged address is not
    checked again.
    """
    now = Webhook.objects.select_for_update(no_key=True).filter(pk=hook.pk, archived_at=None).first()
    if now is None:
        raise _removed()
    before = {name: getattr(now, name) for name in EDITABLE}
    after = before | {name: value for name, value in fields.items() if name in EDITABLE}
    after["events"] = _events(hook.scope, after["events"])
    if after["url"] != before["url"]:
        _hold_key(by)
        after["url"] = _address(after["url"])
    if not public.has_names(after["events"]) and "message_names" not in fields:
        after["message_names"] = []
    after["message_names"] = _names(after["message_names"], after["events"])
    changed = {name: value for name, value in after.items() if value != before[name]}
    if changed:
        changed |= {"key_id": by.key_id} if "url" in changed else {}
        Webhook.objects.filter(pk=hook.pk).update(**changed)
        record(webhook_events.EDITED, hook, by=by, **changes(_described(before), _described(after)))
    for name, value in (after | changed).items():
        setattr(hook, name, value)
    return hook


def _hold_key(by: Actor) -> None:
    """Lock the API key, so that a concurrent revocation sees this webhook. Raises Refused (403) if it is revoked."""
    if by.key_id is not None and not api_keys.hold(by.key_id):
        raise Refused("key_revoked", _("This key was revoked."), status=403)


def secret(hook: Webhook) -> str:
    """Return the secret that receivers verify with. It is shown once, after it was created."""
    return signing.secret_of(hook.seed)


@retrying
def rotate(hook: Webhook, *, by: Actor, at: datetime | None = None) -> str:
    """Create a new secret and return it. The previous one also signs for another 24 hours."""
    at, seed = at or timezone.now(), signing.new_seed()
    moved = Webhook.objects.filter(pk=hook.pk, seed=hook.seed, archived_at=None).update(
        seed=seed, old_seed=hook.seed, old_seed_until=at + BOTH_SIGN_FOR
    )
    if not moved:
        raise Refused("changed", _("Someone else changed this webhook in the meantime. Reload and check again."))
    hook.refresh_from_db()
    record(webhook_events.ROTATED, hook, by=by, at=at)
    return signing.secret_of(seed)


@retrying
def enable(hook: Webhook, *, by: Actor, then: str = LATER, at: datetime | None = None) -> None:
    """Enable a webhook. Deliveries that were waiting when it was disabled are sent unless they are too old.

    Events that happened since then were kept: `then` says whether to send them, discard them, or decide later.
    """
    at = at or timezone.now()
    rows = Webhook.objects.filter(pk=hook.pk, is_enabled=False, archived_at=None)
    if rows.update(is_enabled=True, disabled_at=None, disabled_reason="", failing_since=None, awaits_decision=True):
        waiting = hook.deliveries.filter(state__in=[DeliveryState.WAITING, DeliveryState.FAILED])
        waiting.filter(created_at__lt=at - OLDEST).update(state=DeliveryState.KEPT, next_at=None)
        waiting.update(next_at=at)
        record(webhook_events.ENABLED, hook, by=by, at=at)
        transaction.on_commit(fanout.nudge)
        decide = {SEND: send_kept, DISCARD: discard_kept, LATER: _decide_later}[then]
        decide(hook, by=by, at=at)
    hook.refresh_from_db()


@retrying
def send_kept(hook: Webhook, *, by: Actor, at: datetime | None = None) -> int:
    """Send the events kept while it was disabled, in order. Returns how many. Raises Refused while it is disabled."""
    at = at or timezone.now()
    _need_enabled(hook)
    _settle(hook)
    count = kept.release(hook, at)
    if count:
        record(webhook_events.KEPT_SENT, hook, by=by, at=at, calls=count)
        transaction.on_commit(fanout.nudge)
    return count


@retrying
def discard_kept(hook: Webhook, *, by: Actor, at: datetime | None = None) -> int:
    """Discard the events kept while it was disabled; they stay in the log for a while. Returns how many."""
    _settle(hook)
    count = kept.of(hook).update(state=DeliveryState.DISCARDED)
    if count:
        record(webhook_events.KEPT_DISCARDED, hook, by=by, at=at or timezone.now(), calls=count)
    return count


def _decide_later(hook: Webhook, *, by: Actor, at: datetime) -> None:
    if not hook.kept_dropped and not kept.of(hook).exists():
        _settle(hook)


def _settle(hook: Webhook) -> None:
    """Record that the decision about kept events is made, and reset the count of dropped ones."""
    Webhook.objects.filter(pk=hook.pk).update(kept_dropped=0)
    Webhook.objects.filter(pk=hook.pk, is_enabled=True).update(awaits_decision=False)


@retrying
def disable(hook: Webhook, *, by: Actor, reason: str = "", at: datetime | None = None, is_seen: bool = False) -> bool:
    """Disable a webhook and return whether it was enabled. Nothing is sent; events are kept for some days.

    Owners and administrators are notified by email, unless `is_seen`: a person does it on the webhook's page.
    """
    at = at or timezone.now()
    rows = Webhook.objects.filter(pk=hook.pk, is_enabled=True)
    was_on = bool(rows.update(is_enabled=False, disabled_at=at, disabled_reason=reason[:200], awaits_decision=True))
    if was_on:
        hook.deliveries.filter(next_at__isnull=False).update(next_at=None)
        record(webhook_events.DISABLED, hook, by=by, at=at, reason=reason)
        if not is_seen:
            _mail("webhook_disabled", hook.organization, hook=hook, reason=reason or _by(by))
    hook.refresh_from_db()
    return was_on


def of_key(organization_id: int, key_id: int) -> models.QuerySet[Webhook]:
    """Return the webhooks in use that this API key created, or whose address it set last."""
    return Webhook.objects.current().filter(organization=organization_id, key_id=key_id).order_by("pk")


def leave_key(key: Any, *, by: Actor, disables: Iterable[int] = (), seen: Iterable[int] | None = ()) -> None:
    """Handle a revoked key: its webhooks belong to the organization and stay enabled, except those in `disables`.

    Owners and administrators are emailed which ones stay enabled, except those that the person who revokes the
    key has `seen`; with None no email is sent.
    """
    chosen = set(disables)
    hooks = list(of_key(key.organization_id, key.pk).filter(is_enabled=True))
    for hook in hooks:
        if hook.pk in chosen:
            reason = _("The API key “%(key)s” that created it was revoked.") % {"key": key}
            disable(hook, by=by, reason=reason)
    unseen = [] if seen is None else [hook for hook in hooks if hook.pk not in chosen | set(seen)]
    if unseen:
        _mail("webhooks_stay", key.organization, key=key, by=by.label, hooks=unseen)


def leave_person(organization: Any, user: Any, *, by: Actor, at: datetime | None = None) -> None:
    """Handle a member who leaves: their webhooks stay enabled, and owners and administrators are emailed the list."""
    hooks = Webhook.objects.current().filter(organization=organization, is_enabled=True).order_by("pk")
    events = Event.objects.filter(subject_kind="webhook", subject_id__in=hooks.values("pk"), actor_id=user.pk)
    chosen = events.filter(
        Q(kind=webhook_events.CREATED.name) | Q(kind=webhook_events.EDITED.name, data__has_key="url")
    )
    theirs = list(hooks.filter(pk__in=chosen.values("subject_id")))
    if theirs:
        _mail("webhooks_stay", organization, person=user, by=by.label, hooks=theirs)


@retrying
def remove(hook: Webhook, *, by: Actor, at: datetime | None = None, is_seen: bool = False) -> None:
    """Remove a webhook permanently. Deliveries that are waiting or kept for it are given up.

    Owners and administrators are notified by email, unless `is_seen`: a person does it on the webhook's page.
    """
    at = at or timezone.now()
    if Webhook.objects.filter(pk=hook.pk, archived_at=None).update(
        is_enabled=False, archived_at=at, old_seed="", old_seed_until=None, awaits_decision=False
    ):
        waiting = [DeliveryState.WAITING, DeliveryState.FAILED, DeliveryState.KEPT]
        hook.deliveries.filter(state__in=waiting).update(state=DeliveryState.GIVEN_UP, next_at=None)
        record(webhook_events.REMOVED, hook, by=by, at=at)
        if not is_seen:
            _mail("webhook_disabled", hook.organization, hook=hook, reason=_by(by), is_removed=True)
    hook.refresh_from_db()


@retrying
def send_test(hook: Webhook, *, by: Actor, at: datetime | None = None) -> WebhookDelivery:
    """Send a call of the kind webhook.test now. Raises Refused while the webhook is disabled."""
    at = at or timezone.now()
    _need_enabled(hook)
    occurrence = public.Occurrence({"webhook": {"id": hook.pk, "description": hook.description}}, at)
    delivery = WebhookDelivery.objects.create(
        organization_id=hook.organization_id,
        webhook=hook,
        message_id=fanout.new_id(),
        kind=webhook_events.TEST.name,
        payload=fanout.text_of(webhook_events.TEST, occurrence),
        at=at,
        next_at=at,
        created_at=at,
    )
    record(webhook_events.TESTED, hook, by=by, at=at)
    transaction.on_commit(fanout.nudge)
    return delivery


@retrying
def send_again(delivery: WebhookDelivery, *, by: Actor, at: datetime | None = None) -> None:
    """Send a delivery once more, now, with the same id and text; if it fails, all retries start over.

    Raises Refused while the webhook is disabled, and while a worker is sending the delivery.
    """
    at, hook = at or timezone.now(), Webhook.objects.get(pk=delivery.webhook_id)
    _need_enabled(hook)
    free = WebhookDelivery.objects.filter(pk=delivery.pk, leased_by="")
    if not free.update(state=DeliveryState.WAITING, attempts=0, next_at=at):
        raise Refused("under_way", _("It is being sent right now. Reload the page."))
    record(webhook_events.SENT_AGAIN, hook, by=by, at=at, message=delivery.message_id)
    transaction.on_commit(fanout.nudge)


def disable_gone(hook: Webhook, *, at: datetime) -> bool:
    """Disable a webhook whose receiver answered that it is permanently gone, and email those responsible."""
    reason = _("The receiver answered 410, so no more calls are sent.")
    return disable(hook, by=system(hook.organization), reason=reason, at=at)


def disable_failing(hook: Webhook, *, at: datetime) -> bool:
    """Disable a webhook that has only failed for the days set by the operator, and email those responsible."""
    if hook.failing_since is None or hook.failing_since > at - timedelta(days=settings.WEBHOOK_DAYS):
        return False
    reason = _("All calls of the last %(n)d days failed.") % {"n": settings.WEBHOOK_DAYS}
    return disable(hook, by=system(hook.organization), reason=reason, at=at)


def _mail(template: str, organization: Any, **context: Any) -> None:
    """Email the owners and administrators of the organization."""
    responsible = Member.objects.filter(
        organization=organization, role__in=[Role.OWNER, Role.ADMINISTRATOR], removed_at=None
    )
    more = {"organization": organization, "base": settings.BASE_URL, "days": settings.WEBHOOK_KEPT_DAYS}
    for member in responsible.select_related("user").order_by("pk"):
        mail.send(template, member.user.email, {**context, **more})


def _by(by: Actor) -> str:
    return _("%(who)s did it.") % {"who": by.label}


def _address(url: str) -> str:
    addresses.parse(url.strip())
    return url.strip()


def _events(scope: str, events: Iterable[str]) -> list[str]:
    wanted = set(events)
    possible = {name for name, _label in public.of_scope(scope)}
    if not wanted:
        raise Refused("no_events", _("Choose at least one event."), status=422)
    if wanted - possible:
        raise Refused(
            "unknown_event",
            _("This kind of webhook can't send %(names)s. Choose other events.")
            % {"names": ", ".join(sorted(wanted - possible))},
            status=422,
        )
    return [event.name for event in public.offered() if event.name in wanted]


def _names(names: Iterable[str], events: list[str]) -> list[str]:
    found = sorted({name.strip() for name in names if name.strip()})
    if len(found) > 100 or any(len(name) > 64 for name in found):
        raise Refused("too_many_names", _("Name up to 100 messages, each with up to 64 characters."), status=422)
    if found and not public.has_names(events):
        raise Refused(
            "names_without_message",
            _("Names filter messages, and this webhook receives none. Add the event message, or leave the names out."),
            status=422,
        )
    return found


def _label(kind: str, pk: int | None, by: Actor) -> str:
    if not pk:
        return ""
    scope = scopes.registry[kind]
    row = scope.bindable(by).filter(pk=pk).first()
    if row is None:
        raise scope.refusal()
    return str(row)[:200]


def _described(values: dict[str, Any]) -> dict[str, Any]:
    described = {name: ", ".join(value) if isinstance(value, list) else value for name, value in values.items()}
    return described | {"url": shortened(values["url"])}


def _need_enabled(hook: Webhook) -> None:
    if not Webhook.objects.filter(pk=hook.pk, is_enabled=True).exists():
        raise Refused("disabled", _("This webhook is disabled. Enable it first."))


def _removed() -> Refused:
    return Refused("removed", _("This webhook was removed. Create a new one."))
