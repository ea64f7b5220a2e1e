"""The panel of a device's latest messages and calls, on its page."""

from typing import Any

from django.template.loader import render_to_string

from console.requests import Request
from devices.calls.actions import may_ask
from devices.models import Call, DeviceStatus, Message

SHOWN = 5


def device_messages(request: Request, device: Any) -> str:
    """Render the newest messages and calls, the firmware version, and whether the device can be called."""
    actor = request.actor
    rows = Message.objects.visible_to(actor, device=device).order_by("-at", "-pk")[:SHOWN]
    calls = Call.objects.visible_to(actor).filter(device=device).order_by("-pk")[:SHOWN]
    context = {
        "device": device,
        "rows": rows,
        "calls": calls,
        "report": getattr(device, "report", None),
        "may_call": not device.archived_at and device.status != DeviceStatus.SCRAPPED and may_ask(actor, device),
    }
    return render_to_string("devices/messages/_device_messages.html", context, request)
