"""Lists as files, CSV or XLSX, written while they are sent: a million rows need no more memory than one page of them.

No cell can become a formula in a spreadsheet: in CSV a leading apostrophe stops it, in XLSX the cell is text.
"""

import csv
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from console import places
from console.cursor import beyond
from console.tabular.cells import ERRORS

CHUNK = 2_000
SHEET_ROWS = 1_048_576
# What a spreadsheet may begin a formula with, also one of East Asia (full and small forms), and also behind what nobody
# sees.
_FORMULA = re.compile(
    "[\\s\\x00-\\x1f\u00a0\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff9-\ufffb]*[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]|[\\t\\r]"
)
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?\Z")
# XML has no way to write these two; one of them would make the whole workbook unreadable.
_NO_XML = {0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD}
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
# What a cut may leave of an escaped underscore.
_HALF_ESCAPE = re.compile(r"_(x(0(0(5F?)?)?)?)?\Z")
# So much a cell of Excel holds, counted as UTF-16: openpyxl drops the rest, and Excel would call the file damaged.
CELL = 32_767
# Excel takes a file without it for Windows-1252.
_MARK = "\ufeff"


def stream(request: HttpRequest, name: str, header: Iterable[Any], rows: Iterable[list]) -> StreamingHttpResponse:
    """The rows as the format that `?format=` names, xlsx or else csv.

    Raises Refused where too many are being written: for this person or key (429), or in this process (503).
    """
    is_xlsx = request.GET.get("format") == "xlsx"
    answer = (stream_xlsx if is_xlsx else stream_csv)(name, header, rows)
    actor = getattr(request, "actor", None)
    who = (actor.user_id, actor.key_id) if actor is not None else None
    return places.occupy(answer, who, is_heavy=is_xlsx)


def stream_csv(name: str, header: Iterable[Any], rows: Iterable[list]) -> StreamingHttpResponse:
    """The rows as a CSV file, `name` and the day its name. Times are given where the reader is, with their offset."""
    return _answer(_csv(_titles(header), rows, _zone()), "text/csv; charset=utf-8", name, "csv")


def stream_xlsx(name: str, header: Iterable[Any], rows: Iterable[list]) -> StreamingHttpResponse:
    """The rows as an Excel file, `name` and the day its name. Times are given where the reader is.

    What is too long for a cell is cut, and the cell says so at its end.
    """
    content = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _answer(_xlsx(_titles(header), rows, _Cells(_zone(), _cut_note())), content, name, "xlsx")


def newest_first(rows: QuerySet, size: int = CHUNK, *, key: str = "id") -> Iterator[Any]:
    """The rows by descending key and id, read in pages, so that none is held longer than it is written."""
    ordered, last = rows.order_by(f"-{key}", "-id"), None
    while True:
        edge = Q() if last is None else beyond(key, getattr(last, key), last.pk, descending=True)
        page = list(ordered.filter(edge)[:size])
        yield from page
        if len(page) < size:
            return
        last = page[-1]


def harmless(text: str) -> str:
    """The text as a CSV cell that no spreadsheet takes for a formula, or for an error. A plain number stays as it is.

    Who reads it back takes one apostrophe off (console.imports.unguarded), so text that has one already gets another.
    """
    bare = text.lstrip("'")
    is_taken = _FORMULA.match(bare) or bare.strip() in ERRORS
    return f"'{text}" if is_taken and not _NUMBER.match(bare) else text


def _titles(header: Iterable[Any]) -> list[str]:
    return [str(title) for title in header]


def _zone() -> ZoneInfo:
    # Taken here: when the rows are sent, the request and its time zone are over.
    return timezone.get_current_timezone()


def _answer(content: Iterator[bytes], content_type: str, name: str, ending: str) -> StreamingHttpResponse:
    file = f"{slugify(name) or 'export'}-{timezone.localdate():%Y-%m-%d}.{ending}"
    disposition = content_disposition_header(as_attachment=True, filename=file)
    return StreamingHttpResponse(content, content_type=content_type, headers={"Content-Disposition": disposition})


def _csv(header: list[str], rows: Iterable[list], zone: ZoneInfo) -> Iterator[bytes]:
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
    # In the reader's language, and so taken here like the time zone.
    return _("… cut: a cell of Excel holds 32,767 characters; the CSV file has all of it")


def _xlsx(header: list[str], rows: Iterable[list], cells: "_Cells") -> Iterator[bytes]:
    book = Workbook(write_only=True)
    sheet = None
    for number, row in enumerate(rows):
        if sheet is None or number % (SHEET_ROWS - 1) == 0:
            sheet = _sheet(book, header, cells)
        sheet.append([cells.of(sheet, value) for value in row])
    if sheet is None:
        _sheet(book, header, cells)
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        while piece := file.read(65_536):
            yield piece


def _sheet(book: Workbook, header: list[str], cells: "_Cells") -> Any:
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    sheet.append([cells.of(sheet, title) for title in header])
    return sheet


@dataclass(frozen=True)
class _Cells:
    """Makes the cells of an Excel file: times of `zone`, and `note` at the end of what had to be cut."""

    zone: ZoneInfo
    note: str

    def of(self, sheet: Any, value: Any) -> Any:
        """The value as a cell."""
        if isinstance(value, datetime):
            # A cell knows no time zone.
            return value.astimezone(self.zone).replace(tzinfo=None, microsecond=0)
        if value is None or isinstance(value, bool | int | float | date):
            return value
        text = self._fitting(ILLEGAL_CHARACTERS_RE.sub("", str(value)).translate(_NO_XML))
        if harmless(text) == text:
            return text
        cell = WriteOnlyCell(sheet, text)
        # Said outright, for openpyxl makes a formula of what begins with an equals sign, and an error of "#N/A".
        cell.data_type = "s"
        # It stays a text where somebody edits the cell.
        cell.quotePrefix = True
        return cell

    def _fitting(self, text: str) -> str:
        # Excel would read _x0041_ as an A.
        text = _ESCAPE.sub("_x005F_", text) if "_x" in text else text
        # No character is more than two units.
        if 2 * len(text) <= CELL:
            return text
        units = text.encode("utf-16-le", "surrogatepass")
        if len(units) <= 2 * CELL:
            return text
        # What is left of half a character goes, too.
        kept = units[: 2 * (CELL - len(self.note))].decode("utf-16-le", "ignore")
        return _HALF_ESCAPE.sub("", kept) + self.note
