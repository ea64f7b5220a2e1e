"""Rows of the customer file."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from console.downloads import Table
from console.export import newest_first
from console.requests import Request
from customers.directory.filters import CustomerFilter
from customers.models import Customer

HEADER = ["name", "kind", "reference", "email", "phone", "address", "notes", "since"]


def customer_table(request: Request) -> Table:
    """Return the customers that match the filters in the address, as a table to export."""
    filterset = CustomerFilter(request.GET, queryset=Customer.objects.visible_to(request.actor), request=request)
    rows = filterset.qs if filterset.is_valid() else filterset.queryset.none()
    return _("customers"), HEADER, lines(rows)


def lines(rows: Any) -> Iterator[list[Any]]:
    """Yield a row for each customer, newest first, in the order of the header."""
    for c in newest_first(rows):
        yield [c.name, c.kind, c.reference, c.email, c.phone, c.address, c.notes, c.created_at]
