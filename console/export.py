"""Lists as CSV or XLSX files, written while they are sent: a million rows need no more memory than one page of them.

No cell can become a formula in a spreadsheet: in CSV a leading apostrophe prevents it, in XLSX the cell is text.
"""

import csv
import re
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from io import StringIO
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from xlsxwriter import Workbook

from console import places
from console.cursor import beyond
from console.tabular.cells import ERRORS

CHUNK = 2_000
SHEET_ROWS = 1_048_576
# What a formula can begin with in a spreadsheet, including the East Asian full-width and small forms, and including
# what follows invisible characters.
_FORMULA = re.compile(
    "[\\s\\x00-\\x1f\u00a0\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff9-\ufffb]*[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]|[\\t\\r]"
)
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?\Z")
# Excel does not support these, and a line within a cell ends with a line feed alone.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
_LINE_END = re.compile(r"\r\n?")
# A cell of Excel holds this many UTF-16 code units, and is exact only for numbers of up to 15 digits.
CELL, LARGEST = 32_767, 10**15
# Without this mark, Excel reads the file as Windows-1252.
_MARK = "\ufeff"


def stream(request: HttpRequest, name: str, header: Iterable[Any], rows: Iterable[list[Any]]) -> StreamingHttpResponse:
    """Stream the rows in the format that `?format=` names: xlsx, or else csv.

    Raises Refused if too many exports are running: for this person or key (429), or in this process (503).
    """
    is_xlsx = request.GET.get("format") == "xlsx"
    answer = (stream_xlsx if is_xlsx else stream_csv)(name, header, rows)
    actor = getattr(request, "actor", None)
    who = (actor.user_id, actor.key_id) if actor is not None else None
    return places.occupy(answer, who, is_heavy=is_xlsx)


def stream_csv(name: str, header: Iterable[Any], rows: Iterable[list[Any]]) -> StreamingHttpResponse:
    """Stream the rows as a CSV file named `name` and the date.

    Times are in the reader's time zone, with their offset.
    """
    return _answer(_csv(_titles(header), rows, _zone()), "text/csv; charset=utf-8", name, "csv")


def stream_xlsx(name: str, header: Iterable[Any], rows: Iterable[list[Any]]) -> StreamingHttpResponse:
    """Stream the rows as an Excel file named `name` and the date. Times are in the reader's time zone.

    Text that is too long for a cell is cut, and the cell says so at its end.
    """
    content = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _answer(_xlsx(_titles(header), rows, _zone(), _cut_note()), content, name, "xlsx")


def newest_first(rows: QuerySet[Any], size: int = CHUNK, *, key: str = "id") -> Iterator[Any]:
    """Yield the rows by descending key and id, read in pages, so that none stays in memory longer than needed."""
    ordered, last = rows.order_by(f"-{key}", "-id"), None
    while True:
        edge = Q() if last is None else beyond(key, getattr(last, key), last.pk, descending=True)
        page = list(ordered.filter(edge)[:size])
        yield from page
        if len(page) < size:
            return
        last = page[-1]


def harmless(text: str) -> str:
    """Return the text as a CSV cell that no spreadsheet takes for a formula or an error.

    Plain numbers stay as they are. The import removes one apostrophe again (console.imports.unguarded), so
    text that already has one gets another.
    """
    bare = text.lstrip("'")
    is_taken = _FORMULA.match(bare) or bare.strip() in ERRORS
    return f"'{text}" if is_taken and not _NUMBER.match(bare) else text


def _titles(header: Iterable[Any]) -> list[str]:
    return [str(title) for title in header]


def _zone() -> ZoneInfo:
    # Taken now: when the rows are sent, the request and its time zone are gone.
    return timezone.get_current_timezone()


def _answer(content: Iterator[bytes], content_type: str, name: str, ending: str) -> StreamingHttpResponse:
    file = f"{slugify(name) or 'export'}-{timezone.localdate():%Y-%m-%d}.{ending}"
    disposition = content_disposition_header(as_attachment=True, filename=file)
    return StreamingHttpResponse(content, content_type=content_type, headers={"Content-Disposition": disposition})


def _csv(header: list[str], rows: Iterable[list[Any]], zone: ZoneInfo) -> Iterator[bytes]:
    buffer = StringIO()
    writer = csv.writer(buffer)
    buffer.write(_MARK)
    writer.writerow([harmless(title) for title in header])
    for number, row in enumerate(rows, 1):
        writer.writerow([_csv_cell(value, zone) for value in row])
        if number % 500 == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _csv_cell(value: Any, zone: ZoneInfo) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(timespec="seconds")
    if isinstance(value, int | float):
        return value
    return harmless(value.isoformat() if isinstance(value, date) else str(value))


def _cut_note() -> str:
    # In the reader's language, and therefore taken now, like the time zone.
    return _("… cut: a cell of Excel holds 32,767 characters; the CSV file contains all of it")


def _xlsx(header: list[str], rows: Iterable[list[Any]], zone: ZoneInfo, note: str) -> Iterator[bytes]:
    # A row stays in memory until the next one comes. The folder and its files are deleted even if the reader
    # disconnects.
    with tempfile.TemporaryFile() as file, tempfile.TemporaryDirectory() as folder:
        book = Workbook(file, {"constant_memory": True, "tmpdir": folder})
        cells = _Cells(book, zone, note)
        cells.begin_sheet(header)
        for number, row in enumerate(rows):
            if number and number % (SHEET_ROWS - 1) == 0:
                cells.begin_sheet(header)
            cells.write(row)
        book.close()
        file.seek(0)
        while piece := file.read(65_536):
            yield piece


class _Cells:
    """Writes the rows of an Excel file, with times in `zone`, and `note` at the end of cut texts."""

    def __init__(self, book: Workbook, zone: ZoneInfo, note: str) -> None:
        self.book, self.zone, self.note = book, zone, note
        self.day = book.add_format({"num_format": "yyyy-mm-dd"})
        self.time = book.add_format({"num_format": "yyyy-mm-dd h:mm:ss"})
        # Keeps text that looks like a formula a text even if somebody edits the cell.
        self.quoted = book.add_format({"quote_prefix": True})
        self.sheet: Any = None
        self.row = 0

    def begin_sheet(self, header: list[str]) -> None:
        """Add a sheet with the titles, which stay visible while scrolling."""
        self.sheet, self.row = self.book.add_worksheet(), 0
        self.sheet.freeze_panes(1, 0)
        self.write(header)

    def write(self, values: Iterable[Any]) -> None:
        """Write the next row."""
        for column, value in enumerate(values):
            self._write(column, value)
        self.row += 1

    def _write(self, column: int, value: Any) -> None:
        if value is None:
            return
        if isinstance(value, bool):
            self.sheet.write_boolean(self.row, column, value)
        elif (isinstance(value, int) and abs(value) < LARGEST) or (isinstance(value, float) and isfinite(value)):
            self.sheet.write_number(self.row, column, value)
        elif isinstance(value, datetime):
            # Cells have no time zone.
            local = value.astimezone(self.zone).replace(tzinfo=None, microsecond=0)
            self.sheet.write_datetime(self.row, column, local, self.time)
        elif isinstance(value, date):
            self.sheet.write_datetime(self.row, column, value, self.day)
        else:
            self._write_text(column, str(value))

    def _write_text(self, column: int, text: str) -> None:
        text = self._fitting(_CONTROL.sub("", _LINE_END.sub("\n", text)))
        style = None if harmless(text) == text else self.quoted
        if text.startswith("<r>"):
            # Otherwise XlsxWriter would parse the text as one that it composed itself, and write it unescaped.
            self.sheet.write_rich_string(self.row, column, *text[:2], text[2:])
        elif text:
            self.sheet.write_string(self.row, column, text, style)

    def _fitting(self, text: str) -> str:
        # A character takes at most two UTF-16 code units.
        if 2 * len(text) <= CELL:
            return text
        units = text.encode("utf-16-le", "surrogatepass")
        if len(units) <= 2 * CELL:
            return text
        # Also drops the remaining half of a character.
        return units[: 2 * (CELL - len(self.note))].decode("utf-16-le", "ignore") + self.note
