"""Suggestions for the customer field."""

from django.http import HttpResponse
from django.shortcuts import render

from console.access import Permission, requires
from console.requests import Request
from customers.lookup import named
from customers.models import Customer

SUGGESTIONS = 12


@requires(Permission.VIEW)
def customer_options(request: Request) -> HttpResponse:
    """Return the first customers whose names contain words beginning with the typed text."""
    typed = request.GET.get(request.GET.get("field", ""), "")[:200]
    rows = Customer.objects.visible_to(request.actor).current().filter(named(typed))
    return render(request, "customers/_customer_options.html", {"customers": rows.order_by("name_key")[:SUGGESTIONS]})
