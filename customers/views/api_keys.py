"""API keys of the organization and of its customers."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from console.access import Permission, requires
from console.errors import Refused
from console.listing import render_list
from customers.actions import api_keys
from customers.key_forms import ApiKeyForm
from customers.models import ApiKey
from customers.tables import ApiKeyTable


@requires(Permission.API_KEY_MANAGE)
def api_key_list(request: HttpRequest) -> HttpResponse:
    """All keys, also those that open nothing any more."""
    rows = ApiKey.objects.visible_to(request.actor).select_related("customer", "made_by")
    return render_list(request, rows=rows, table=ApiKeyTable, template="customers/api_key_list.html")


@requires(Permission.API_KEY_MANAGE)
def api_key_create(request: HttpRequest) -> HttpResponse:
    """Make a key. The answer shows it, once: it is kept nowhere."""
    form = ApiKeyForm(
        request.POST or None, actor=request.actor, initial={"customer": request.GET.get("customer")}
    )
    if request.method == "POST" and form.is_valid():
        try:
            key, text = api_keys.create(by=request.actor, **form.plan())
            return render(request, "customers/api_key_made.html", {"key": key, "text": text, "base_url": settings.BASE_URL},
                          status=201)  # fmt: skip
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
    return render(
        request, "customers/api_key_create.html", {"form": form}, status=422 if form.errors else 200
    )


@requires(Permission.API_KEY_MANAGE)
def api_key_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then make a key dead from that moment on."""
    key = get_object_or_404(
        ApiKey.objects.visible_to(request.actor).select_related("customer", "made_by"), pk=pk
    )
    if request.method == "POST":
        api_keys.revoke(key, by=request.actor)
        messages.success(request, _("The API key %(key)s is revoked.") % {"key": key})
        return redirect("customers:api_key_list")
    return render(request, "customers/api_key_revoke.html", {"key": key})
