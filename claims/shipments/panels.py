"""Shipment panels on other apps' pages. Each takes (request, subject) and returns HTML or an empty string."""

from typing import Any

from django.template.loader import render_to_string

from claims.models import Shipment
from console.requests import Request
from customers.models import Customer
from devices.models import Device

SHOWN = 5
SHOWN_OF_EACH = ("number", "state", "order_number", "customer__name")


def device_shipment(request: Request, device: Device) -> str:
    """Return the panel of shipments that contain or contained a device; empty if there are none."""
    rows = Shipment.objects.visible_to(request.actor).filter(units__device=device)
    return _render(
        request, list(rows.select_related("customer").only(*SHOWN_OF_EACH).order_by("-pk")[:SHOWN]), {"device": device}
    )


def customer_shipments(request: Request, customer: Customer) -> str:
    """Return the panel of a customer's newest shipments; empty if there are none."""
    rows = Shipment.objects.visible_to(request.actor).filter(customer=customer).select_related("customer")
    found = list(rows.order_by("-pk")[: SHOWN + 1])
    return _render(request, found[:SHOWN], {"customer": customer, "has_more": len(found) > SHOWN})


def _render(request: Request, shipments: list[Shipment], context: dict[str, Any]) -> str:
    if not shipments:
        return ""
    return render_to_string("claims/shipments/_shipments_card.html", {"shipments": shipments, **context}, request)
