"""What a device said and was asked last, on its page."""

from typing import Any

from django.template.loader import render_to_string

from console.requests import Request
from devices.calls.actions import may_ask
from devices.models import Call, DeviceStatus, Message

SHOWN = 5


def device_messages(request: Request, device: Any) -> str:
    """The newest messages and calls, the firmware, and whether the device can call at all."""
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
