"""API keys of a customer, which its admins create and revoke in the portal."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from claims.portal import keys
from claims.portal.tables import ApiKeyTable
from console import once
from console.forms import attempt, page
from console.listing import paginate
from console.policies import portal
from console.requests import Request
from customers.keys import pages as key_pages
from customers.keys.actions import api_keys
from customers.keys.forms import CustomerKeyForm
from customers.people.roles import administered


@portal
def api_key_list(request: Request) -> HttpResponse:
    """List the API keys of the customers that the person administers, including those that no longer work."""
    customers = list(administered(request.actor)[:2])
    if not customers:
        raise Http404
    shown = paginate(request, keys.rows(request.actor), ApiKeyTable)
    keys.describe(shown.rows)
    return render(request, "portal/api_key_list.html", {"page": shown, "is_several": len(customers) > 1})


@portal
def api_key_create(request: Request) -> HttpResponse:
    """Create an API key and redirect to the page that shows it once: the key itself is not kept."""
    customers = administered(request.actor)
    if not customers.exists():
        raise Http404
    form = CustomerKeyForm(request.POST or None, actor=request.actor, customers=customers)
    created = attempt(form, lambda: api_keys.create(by=request.actor, **form.plan()))
    if created is None:
        return page(request, "portal/api_key_create.html", form)
    key, text = created
    return once.lead_to(request, reverse("portal:api_key_show", args=[key.pk]), text)


@portal
def api_key_show(request: Request, pk: int) -> HttpResponse:
    """Show the key itself, only the first time after it was created."""
    key = get_object_or_404(keys.rows(request.actor), pk=pk)
    return once.show(request, "portal/api_key_show.html", "text", **key_pages.created(key))


@portal
def api_key_revoke(request: Request, pk: int) -> HttpResponse:
    """Ask for confirmation, then revoke an API key."""
    key = get_object_or_404(keys.rows(request.actor), pk=pk)
    if request.method != "POST":
        return render(request, "portal/api_key_revoke.html", key_pages.before_revoking(key))
    api_keys.revoke(key, by=request.actor, **key_pages.chosen(request))
    messages.success(request, _("API key %(key)s revoked.") % {"key": key})
    return redirect("portal:api_key_list")
