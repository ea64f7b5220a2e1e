"""Messages as rows of a file. Each page is read through the ledger's spans at that moment."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from console.downloads import Table
from console.export import newest_first
from devices.messages.filters import filtered
from devices.models import Message


def message_table(request: HttpRequest, rows: QuerySet[Any]) -> Table:
    """Return the rows that match the filters in the URL. Times are in UTC, exact."""
    header = [_("Received"), _("Device's own time"), _("Serial number"), _("Name"), _("Data")]
    return _("messages"), header, lines(filtered(request, rows))


def lines(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield a row for each message, newest first, in the order of the header."""
    for message in _newest_first(rows):
        yield _line(message)


def lines_with_device(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield the same rows for programs, with the id of the device at the end."""
    for message in _newest_first(rows):
        yield [*_line(message), message.device_id]


def _newest_first(rows: QuerySet[Any]) -> Iterator[Message]:
    return newest_first(rows.select_related("device"), key="at")


def _line(message: Message) -> list[Any]:
    return [_text(message.at), _text(message.device_at), message.device.serial_number, message.name, message.text]


def _text(at: datetime | None) -> str:
    # To the microsecond, because the time decides to whom the message belongs.
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else ""
