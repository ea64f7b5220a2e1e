"""What customers show on other apps' pages."""

from typing import Any

from django.template.loader import render_to_string

from console import counts
from console.requests import Request
from customers.models import Customer

NEWEST = 5


def overview(request: Request, subject: Any) -> str:
    """How many customers there are, and the newest ones."""
    rows = Customer.objects.visible_to(request.actor).current()
    context = {"count": counts.of(rows), "customers": rows.order_by("-pk")[:NEWEST]}
    return render_to_string("customers/_overview.html", context, request)
