"""API keys of the organization and of its customers."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404

from console.access import Permission, requires
from console.listing import render_list
from console.requests import Request
from customers import key_pages
from customers.key_forms import ApiKeyForm
from customers.models import ApiKey
from customers.tables import ApiKeyTable


@requires(Permission.API_KEY_MANAGE)
def api_key_list(request: Request) -> HttpResponse:
    """All keys, also those that open nothing any more."""
    rows = ApiKey.objects.visible_to(request.actor).select_related("customer", "made_by")
    return render_list(request, rows=rows, table=ApiKeyTable, template="customers/api_key_list.html")


@requires(Permission.API_KEY_MANAGE)
def api_key_create(request: Request) -> HttpResponse:
    """Create a key, and lead to the page that shows it once: it is kept nowhere."""
    initial = {"customer": request.GET.get("customer")}
    form = ApiKeyForm(request.POST or None, actor=request.actor, initial=initial)
    return key_pages.create(request, form, ask="customers/api_key_create.html", show="customers:api_key_show")


@requires(Permission.API_KEY_MANAGE)
def api_key_show(request: Request, pk: int) -> HttpResponseBase:
    """The key itself, the first time after it was created."""
    key = get_object_or_404(ApiKey.objects.visible_to(request.actor), pk=pk)
    return key_pages.show(request, key, template="customers/api_key_show.html")


@requires(Permission.API_KEY_MANAGE)
def api_key_revoke(request: Request, pk: int) -> HttpResponse:
    """Ask, then make a key dead from that moment on."""
    keys = ApiKey.objects.visible_to(request.actor).select_related("customer", "made_by")
    key = get_object_or_404(keys, pk=pk)
    return key_pages.revoke(request, key, ask="customers/api_key_revoke.html", then="customers:api_key_list")
