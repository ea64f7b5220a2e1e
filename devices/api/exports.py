"""Devices as files; the form that comes back to device-changes once it is edited."""

from typing import Any

from console.access import Permission
from console.rest.exports import export, unpaged, written
from devices import exports
from devices.api import devices
from devices.api.shapes import DeviceQuery
from devices.models import Device

TAG = "exports"


@export("Download devices", may=Permission.EXPORT, query=unpaged(DeviceQuery), tag="devices")
def device_export(request: Any, form: str) -> Any:
    """All that match, in the order of their registration. Edited, it can come back: see device-changes."""
    rows = devices.matching(request, Device.objects.visible_to(request.actor))
    return written(form, request, "devices", exports.HEADER, exports.lines(rows))
