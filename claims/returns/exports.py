"""The list of returns as a file."""

from typing import Any

from django.utils.translation import gettext as _

from claims.models import Return
from claims.returns import pages
from claims.returns.filters import ReturnFilter
from console.downloads import Table
from console.errors import Refused
from console.export import newest_first
from console.requests import Request


def return_table(request: Request) -> Table:
    """Return the filtered returns as a table for export, newest first."""
    found = pages.rows(request.actor).select_related("shipment")
    filterset = ReturnFilter(request.GET, queryset=found, request=request)
    if not filterset.is_valid():
        raise Refused("filter", _("A filter of the list is no longer valid. Set the filters again."), status=422)
    return "returns", _header(), map(_line, newest_first(filterset.qs))


def _header() -> list[str]:
    """Return the titles of the columns, in the order of `_line`."""
    return [
        _("Number"),
        _("State"),
        _("Serial number"),
        _("Device name"),
        _("Product"),
        _("Customer"),
        _("Shipment"),
        _("Order number"),
        _("Reason"),
        _("Customer's note"),
        _("Note"),
        _("Grade"),
        _("Not in order"),
        _("Requested"),
        _("Received"),
        _("Inspected"),
        _("Closed"),
        _("Needs a label"),
    ]


def _line(row: Return) -> list[Any]:
    return [
        row.code,
        row.get_state_display(),
        row.device.serial_number,
        row.device.device_name,
        row.device.product.name,
        row.customer.name if row.customer else "",
        row.shipment.code if row.shipment else "",
        row.shipment.order_number if row.shipment else "",
        row.reason,
        row.customer_note,
        row.note,
        row.grade.upper(),
        ", ".join(c["text"] for c in row.checks if not c["is_ok"]),
        row.requested_at,
        row.received_at,
        row.inspected_at,
        row.closed_at,
        row.needs_label,
    ]
