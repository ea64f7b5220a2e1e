"""Devices as files. An edited export can be sent back to device-changes."""

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
    """Export all matching devices as a file, in order of registration. After editing, send it to device-changes."""
    rows = devices.matching(request, Device.objects.visible_to(request.actor))
    return written(form, request, "devices", exports.HEADER, exports.lines(rows))
