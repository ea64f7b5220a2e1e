"""What customers show on other apps' pages, and what these show on the page of a customer."""

from django.template.loader import render_to_string

from console import counts
from console.requests import Request
from console.slots import Slot
from customers.models import Customer

NEWEST = 5
on_customer: Slot[[Request, Customer], str] = Slot("customers.panels.on_customer")


def overview(request: Request, subject: None) -> str:
    """How many customers there are, and the newest ones."""
    rows = Customer.objects.visible_to(request.actor).current()
    context = {"count": counts.of(rows), "customers": rows.order_by("-pk")[:NEWEST]}
    return render_to_string("customers/_overview.html", context, request)
