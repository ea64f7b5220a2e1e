"""What customers show on other apps' pages."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string

from console import counts
from customers.models import Customer

NEWEST = 5


def overview(request: HttpRequest, subject: Any) -> str:
    """How many customers there are, and the newest ones."""
    rows = Customer.objects.visible_to(request.actor).current()  # type: ignore[attr-defined]
    context = {"count": counts.of(rows), "customers": rows.order_by("-pk")[:NEWEST]}
    return render_to_string("customers/_overview.html", context, request)
