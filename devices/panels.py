"""Panels of devices on other apps' pages, and slots for other apps on the pages of devices."""

from typing import Any

from django.template.loader import render_to_string

from console import counts
from console.listing import paginate
from console.requests import Request
from console.slots import Slot
from devices.models import Device, DeviceStatus, Ownership, Product, SharedAccess
from devices.tables import PastSpanTable

# How many devices the page of a customer shows. The device list shows all.
SHOWN = 15
# On the page of a product; on that of a device beside its data, and below them in the wide column.
on_product: Slot[[Request, Product], str] = Slot("devices.panels.on_product")
on_device: Slot[[Request, Device], str] = Slot("devices.panels.on_device")
on_device_main: Slot[[Request, Device], str] = Slot("devices.panels.on_device_main")

# The statuses in the order of a device's life, each with the icon and the colour of its pill.
LIFE = [
    (DeviceStatus.IN_STOCK, "archive", ""),
    (DeviceStatus.RESERVED, "package", ""),
    (DeviceStatus.OWNED, "circle-check", "ok"),
    (DeviceStatus.RETURNED, "undo-2", "warn"),
]


def overview(request: Request, subject: Any) -> str:
    """Render how many devices are in stock, reserved, owned and returned."""
    actor = request.actor
    rows = Device.objects.visible_to(actor).current()
    found = counts.of_each([rows.filter(status=status) for status, _icon, _tone in LIFE])
    figures = [
        {"status": status, "label": status.label, "icon": icon, "tone": tone, "count": count}
        for (status, icon, tone), count in zip(LIFE, found, strict=True)
    ]
    return render_to_string("devices/_overview.html", {"figures": figures}, request)


def customer_devices(request: Request, customer: Any) -> str:
    """Render the newest devices that a customer owns or shares now, and a paged list of those it owned before."""
    actor = request.actor
    spans = Ownership.objects.visible_to(actor).filter(customer=customer).select_related("device__product")
    shares = SharedAccess.objects.visible_to(actor).filter(customer=customer, ended_at=None)
    owned = Device.objects.visible_to(actor).current().filter(customer=customer)
    count, share_count = counts.of_each([owned, shares])
    context = {
        "customer": customer,
        "count": count,
        "share_count": share_count,
        "now": list(spans.open().order_by("-started_at", "-pk")[:SHOWN]),
        "past": paginate(request, spans.exclude(ended_at=None), PastSpanTable),
        "shares": list(shares.select_related("device__product").order_by("-started_at", "-pk")[:SHOWN]),
    }
    return render_to_string("devices/_customer_devices.html", context, request)
