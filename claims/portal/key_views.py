"""API keys of a customer, which its admins make and revoke in the portal."""

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render

from claims.portal import keys
from claims.portal.tables import ApiKeyTable
from console.access import portal
from console.listing import paginate
from console.requests import Request
from customers import key_pages
from customers.key_forms import CustomerKeyForm
from customers.people import administered


@portal
def api_key_list(request: Request) -> HttpResponse:
    """The keys of the customers that one administers, also those that open nothing any more."""
    customers = list(administered(request.actor)[:2])
    if not customers:
        raise Http404
    page = paginate(request, keys.rows(request.actor), ApiKeyTable)
    keys.describe(page.rows)
    return render(request, "portal/api_key_list.html", {"page": page, "is_several": len(customers) > 1})


@portal
def api_key_create(request: Request) -> HttpResponse:
    """Create a key, and lead to the page that shows it once: it is kept nowhere."""
    customers = administered(request.actor)
    if not customers.exists():
        raise Http404
    form = CustomerKeyForm(request.POST or None, actor=request.actor, customers=customers)
    return key_pages.create(request, form, ask="portal/api_key_create.html", show="portal:api_key_show")


@portal
def api_key_show(request: Request, pk: int) -> HttpResponseBase:
    """The key itself, the first time after it was created."""
    key = get_object_or_404(keys.rows(request.actor), pk=pk)
    return key_pages.show(request, key, template="portal/api_key_show.html")


@portal
def api_key_revoke(request: Request, pk: int) -> HttpResponse:
    """Ask, then make a key dead from that moment on."""
    key = get_object_or_404(keys.rows(request.actor), pk=pk)
    return key_pages.revoke(request, key, ask="portal/api_key_revoke.html", then="portal:api_key_list")
