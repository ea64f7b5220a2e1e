"""What customers show on other apps' pages."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string

from customers.models import Customer

NEWEST = 5


def overview(request: HttpRequest, subject: Any) -> str:
    """The newest customers."""
    rows = Customer.objects.visible_to(request.actor).current().order_by("-pk")[:NEWEST]  # type: ignore[attr-defined]
    return render_to_string("customers/_overview.html", {"customers": rows}, request)
