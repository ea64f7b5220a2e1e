"""Messages as rows of a file. Every page of it is read anew through the ledger's spans."""

from collections.abc import Iterator
from datetime import UTC, datetime

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from console.downloads import Table
from console.export import newest_first
from devices.messages.filters import filtered
from devices.models import Message


def message_table(request: HttpRequest, rows: QuerySet) -> Table:
    """Return the rows that match the filters of the address. Times are in UTC, exact."""
    header = [_("Received"), _("Device's own time"), _("Serial number"), _("Name"), _("Data")]
    return _("messages"), header, lines(filtered(request, rows))


def lines(rows: QuerySet) -> Iterator[list]:
    """A row for each message, the newest first, as the header names them."""
    for message in _newest_first(rows):
        yield _line(message)


def lines_with_device(rows: QuerySet) -> Iterator[list]:
    """The same for programs: the id of the device stands at the end."""
    for message in _newest_first(rows):
        yield [*_line(message), message.device_id]


def _newest_first(rows: QuerySet) -> Iterator[Message]:
    return newest_first(rows.select_related("device"), key="at")


def _line(message: Message) -> list:
    return [_text(message.at), _text(message.device_at), message.device.serial_number, message.name, message.text]


def _text(at: datetime | None) -> str:
    # To the microsecond: it decides to whom the message belongs.
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else ""
