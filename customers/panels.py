"""Panels of customers on other apps' pages, and the slot for other apps' panels on a customer's page."""

from django.template.loader import render_to_string

from console import counts
from console.requests import Request
from console.slots import Slot
from customers.models import Customer

NEWEST = 5
on_customer: Slot[[Request, Customer], str] = Slot("customers.panels.on_customer")


def overview(request: Request, subject: None) -> str:
    """Return a panel with the number of customers and the newest ones."""
    rows = Customer.objects.visible_to(request.actor).current()
    context = {"count": counts.of(rows), "customers": rows.order_by("-pk")[:NEWEST]}
    return render_to_string("customers/_overview.html", context, request)
