"""The state that a device can ask for."""

from datetime import datetime
from typing import Any

from devices.messages.actions import Publisher
from devices.models import Device, Ownership


def state_of(by: Publisher) -> dict[str, Any]:
    """Return whether the device is owned, by which ownership, what it may receive, and whether it should be wiped."""
    unit = Device.objects.select_related("product").get(pk=by.device_id)  # unscoped: the device that asks
    # unscoped: the device that asks; only the ids of its spans are read
    spans = Ownership.objects.filter(device=unit).order_by("-started_at")
    owned = unit.customer_id is not None
    wipe = {"asked_at": text_of(unit.wipe_asked_at), "confirmed_at": text_of(unit.wipe_confirmed_at)}
    return {
        "device_name": unit.device_name,
        "serial_number": unit.serial_number,
        "owned": owned,
        # Changes with each ownership; 0 before the first.
        "owner_epoch": spans.values_list("pk", flat=True).first() or 0,
        "may_subscribe": owned or unit.product.unowned_may_subscribe,
        "desired_firmware": None,
        "wipe": wipe if unit.wipe_asked_at else None,
    }


def text_of(at: datetime | None) -> str | None:
    """Format the instant in UTC, to the microsecond."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%fZ}" if at else None
