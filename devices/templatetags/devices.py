"""How templates show a device's status."""

from functools import lru_cache

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from console.templatetags.custody import pill
from devices.models import Device, DeviceStatus

register = template.Library()
PILLS = {
    DeviceStatus.IN_STOCK: ("idle", "archive"),
    DeviceStatus.RESERVED: ("accent", "package"),
    DeviceStatus.OWNED: ("ok", "circle-check"),
    DeviceStatus.RETURNED: ("warn", "undo-2"),
    DeviceStatus.SCRAPPED: ("bad", "trash-2"),
}


@register.simple_tag
def device_status(device: Device) -> SafeString:
    """Return the status of a device as a pill."""
    return _pill("" if device.archived_at else device.status, get_language())


@lru_cache
def _pill(status: str, language: str | None) -> SafeString:
    if not status:
        return pill("idle", "archive", _("Archived"))
    kind, icon = PILLS[DeviceStatus(status)]
    return pill(kind, icon, DeviceStatus(status).label)
