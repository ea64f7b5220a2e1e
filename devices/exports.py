"""Devices as rows of an exported file."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from console.downloads import Table
from console.requests import Request
from devices.edited_exports.registered import registered_device
from devices.edited_exports.version import TEXTS
from devices.fields import OPEN
from devices.filters import DeviceFilter
from devices.manifest.registered import tags_of
from devices.models import Device

CHUNK = 2_000
# The columns that an edited export reads beside the two names, and those that are only exported.
_TOLD = tuple(name for name in TEXTS if name != "serial_number")
_PLAIN = tuple(field for field in OPEN if not field.key and field.name not in _TOLD)
HEADER = [
    "serial_number",
    "device_name",
    *_TOLD,
    *(field.header for field in _PLAIN),
    "registered_at",
    "version",
]


def device_table(request: Request) -> Table:
    """Return the devices that match the filters in the address."""
    filterset = DeviceFilter(request.GET, queryset=Device.objects.visible_to(request.actor), request=request)
    rows = filterset.qs if filterset.is_valid() else filterset.queryset.none()
    return _("devices"), HEADER, lines(rows)


def lines(rows: Any) -> Iterator[list[Any]]:
    """Yield one line per device, read in pages by id, so a million rows are neither held in memory nor skipped.

    The last cell is the version of the device, which is compared when the edited file is imported.
    """
    last = 0
    while True:
        page = list(rows.select_related("product", "customer").filter(pk__gt=last).order_by("pk")[:CHUNK])
        tags = tags_of([device.pk for device in page]) if page else {}
        for device in page:
            registered = registered_device(device, tags.get(device.pk, []))
            texts = [registered.texts[name] for name in _TOLD]
            yield [
                device.serial_number,
                device.device_name,
                *texts,
                *(getattr(device, field.stored_as) for field in _PLAIN),
                device.created_at,
                registered.version,
            ]
        if len(page) < CHUNK:
            return
        last = page[-1].pk
