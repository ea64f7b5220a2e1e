"""Devices as rows of a file."""

from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from console.export import stream
from console.requests import Request
from devices.edited_exports.registered import unit_of
from devices.filters import DeviceFilter
from devices.manifest.registered import tags_of
from devices.models import Device

HEADER = [
    "serial_number",
    "device_name",
    "product",
    "status",
    "owner",
    "owner_reference",
    "tags",
    "notes",
    "imei",
    "iccid",
    "mac",
    "hardware_revision",
    "manufactured_on",
    "development",
    "registered_at",
    "version",
]
CHUNK = 2_000
_TOLD = ("product", "status", "owner", "owner_reference", "tags", "notes")


def device_rows(request: Request) -> StreamingHttpResponse:
    """The devices that match the filters of the address, as the format that it names."""
    filterset = DeviceFilter(request.GET, queryset=Device.objects.visible_to(request.actor), request=request)
    rows = filterset.qs if filterset.is_valid() else filterset.queryset.none()
    return stream(request, _("devices"), HEADER, lines(rows))


def lines(rows: Any) -> Iterator[list]:
    """Line by line, read in pages by id, so that no page of a million rows is held or skipped over.

    The last cell tells what the unit was, for the day when the file comes back edited.
    """
    last = 0
    while True:
        page = list(rows.select_related("product", "customer").filter(pk__gt=last).order_by("pk")[:CHUNK])
        tags = tags_of([device.pk for device in page]) if page else {}
        for device in page:
            unit = unit_of(device, tags.get(device.pk, []))
            told = [unit.texts[name] for name in _TOLD]
            yield [
                device.serial_number,
                device.device_name,
                *told,
                device.imei,
                device.iccid,
                device.mac,
                device.hardware_revision,
                device.manufactured_on,
                device.is_development,
                device.created_at,
                unit.version,
            ]
        if len(page) < CHUNK:
            return
        last = page[-1].pk
