"""What devices show on other apps' pages."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string

from console import sql
from console.listing import COUNT_CAP
from devices.models import Device, DeviceStatus, Ownership, SharedAccess

# So many devices of each sort stand on the page of a customer.
SHOWN = 20

# The statuses in the order in which a unit lives through them, each with the icon and colour of its pill.
LIFE = [
    (DeviceStatus.IN_STOCK, "archive", ""),
    (DeviceStatus.RESERVED, "package", ""),
    (DeviceStatus.OWNED, "circle-check", "ok"),
    (DeviceStatus.RETURNED, "undo-2", "warn"),
]


def overview(request: HttpRequest, subject: Any) -> str:
    """How many units are in stock, reserved, owned and returned."""
    actor = request.actor  # type: ignore[attr-defined]
    rows = Device.objects.visible_to(actor).current()
    counts = sql.capped_count_of_each([rows.filter(status=status) for status, _icon, _tone in LIFE], COUNT_CAP + 1)
    figures = [
        {"status": status, "label": status.label, "icon": icon, "tone": tone, "count": count}
        for (status, icon, tone), count in zip(LIFE, counts, strict=True)
    ]
    return render_to_string("devices/_overview.html", {"figures": figures}, request)


def customer_devices(request: HttpRequest, customer: Any) -> str:
    """What the customer owns now and owned before, and what is shared with it; the first ones of each."""
    actor = request.actor  # type: ignore[attr-defined]
    spans = Ownership.objects.visible_to(actor).filter(customer=customer).select_related("device__product")
    shares = SharedAccess.objects.visible_to(actor).filter(customer=customer, ended_at=None)
    context = {
        "customer": customer,
        "now": list(spans.open().order_by("-started_at")[: SHOWN + 1]),
        "before": list(spans.exclude(ended_at=None).order_by("-ended_at")[: SHOWN + 1]),
        "shares": list(shares.select_related("device__product").order_by("-started_at")[: SHOWN + 1]),
        "shown": SHOWN,
    }
    return render_to_string("devices/_customer_devices.html", context, request)
