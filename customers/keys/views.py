"""Pages of the API keys of the organization and of its customers."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from console import once
from console.access import Permission
from console.forms import attempt, page
from console.listing import render_list
from console.policies import requires
from console.requests import Request
from customers.keys import pages as key_pages
from customers.keys.actions import api_keys
from customers.keys.forms import ApiKeyForm
from customers.keys.tables import ApiKeyTable
from customers.models import ApiKey


@requires(Permission.API_KEY_MANAGE)
def api_key_list(request: Request) -> HttpResponse:
    """Show all keys, including those that are no longer usable."""
    rows = ApiKey.objects.visible_to(request.actor).select_related("customer", "made_by")
    return render_list(request, rows=rows, table=ApiKeyTable, template="customers/keys/api_key_list.html")


@requires(Permission.API_KEY_MANAGE)
def api_key_create(request: Request) -> HttpResponse:
    """Create a key, then redirect to the page that shows it once, because it is not stored."""
    initial = {"customer": request.GET.get("customer")}
    form = ApiKeyForm(request.POST or None, actor=request.actor, initial=initial)
    created = attempt(form, lambda: api_keys.create(by=request.actor, **form.plan()))
    if created is None:
        return page(request, "customers/keys/api_key_create.html", form)
    key, text = created
    return once.lead_to(request, reverse("customers:api_key_show", args=[key.pk]), text)


@requires(Permission.API_KEY_MANAGE)
def api_key_show(request: Request, pk: int) -> HttpResponse:
    """Show the key itself, once after it was created."""
    key = get_object_or_404(ApiKey.objects.visible_to(request.actor), pk=pk)
    return once.show(request, "customers/keys/api_key_show.html", "text", **key_pages.created(key))


@requires(Permission.API_KEY_MANAGE)
def api_key_revoke(request: Request, pk: int) -> HttpResponse:
    """Ask for confirmation, then revoke a key."""
    keys = ApiKey.objects.visible_to(request.actor).select_related("customer", "made_by")
    key = get_object_or_404(keys, pk=pk)
    if request.method != "POST":
        return render(request, "customers/keys/api_key_revoke.html", key_pages.before_revoking(key))
    api_keys.revoke(key, by=request.actor, **key_pages.chosen(request))
    messages.success(request, _("API key %(key)s revoked.") % {"key": key})
    return redirect("customers:api_key_list")
