"""Devices as rows of a file."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from console.export import stream
from devices.filters import DeviceFilter
from devices.models import Device

HEADER = ["serial_number", "device_name", "product", "status", "owner", "imei", "iccid", "mac", "hardware_revision",
          "manufactured_on", "development", "notes", "registered_at"]  # fmt: skip
CHUNK = 2_000


def device_rows(request: HttpRequest) -> HttpResponse:
    """The devices that match the filters of the address, as the format that it names."""
    filterset = DeviceFilter(request.GET, queryset=Device.objects.visible_to(request.actor), request=request)
    rows = filterset.qs if filterset.is_valid() else filterset.queryset.none()
    return stream(request, _("devices"), HEADER, _lines(rows))


def _lines(rows: Any) -> Iterator[list]:
    """Line by line, read in pages by id, so that no page of a million rows is held or skipped over."""
    last = 0
    while True:
        page = list(rows.select_related("product", "customer").filter(pk__gt=last).order_by("pk")[:CHUNK])
        for device in page:
            yield [device.serial_number, device.device_name, device.product.name, device.get_status_display(),
                   device.customer.name if device.customer else "", device.imei, device.iccid, device.mac,
                   device.hardware_revision, device.manufactured_on, device.is_development, device.notes,
                   device.created_at]  # fmt: skip
        if len(page) < CHUNK:
            return
        last = page[-1].pk
