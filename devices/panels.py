"""What devices show on other apps' pages."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string

from console import sql
from console.listing import COUNT_CAP
from devices.models import Device, DeviceStatus, Product

# The statuses in the order in which a unit lives through them, each with the icon and colour of its pill.
LIFE = [
    (DeviceStatus.IN_STOCK, "archive", ""),
    (DeviceStatus.RESERVED, "package", ""),
    (DeviceStatus.OWNED, "circle-check", "ok"),
    (DeviceStatus.RETURNED, "undo-2", "warn"),
]


def overview(request: HttpRequest, subject: Any) -> str:
    """How many units are in stock, reserved, owned and returned; the first step where there is no product yet."""
    actor = request.actor  # type: ignore[attr-defined]
    rows = Device.objects.visible_to(actor).current()
    counts = sql.capped_count_of_each([rows.filter(status=status) for status, _icon, _tone in LIFE], COUNT_CAP + 1)
    figures = [
        {"status": status, "label": status.label, "icon": icon, "tone": tone, "count": count}
        for (status, icon, tone), count in zip(LIFE, counts, strict=True)
    ]
    has_product = Product.objects.visible_to(actor).exists()
    context = {"figures": figures, "has_product": has_product, "is_empty": not any(counts)}
    return render_to_string("devices/_overview.html", context, request)
