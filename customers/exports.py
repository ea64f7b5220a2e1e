"""Customers as rows of a file."""

from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from console.export import newest_first, stream
from console.requests import Request
from customers.filters import CustomerFilter
from customers.models import Customer

HEADER = ["name", "kind", "reference", "email", "phone", "address", "notes", "since"]


def customer_rows(request: Request) -> StreamingHttpResponse:
    """The customers that match the filters of the address, as the format that it names."""
    filterset = CustomerFilter(request.GET, queryset=Customer.objects.visible_to(request.actor), request=request)
    rows = filterset.qs if filterset.is_valid() else filterset.queryset.none()
    return stream(request, _("customers"), HEADER, lines(rows))


def lines(rows: Any) -> Iterator[list]:
    """A row for each customer, the newest first, as the header names them."""
    for c in newest_first(rows):
        yield [c.name, c.kind, c.reference, c.email, c.phone, c.address, c.notes, c.created_at]
