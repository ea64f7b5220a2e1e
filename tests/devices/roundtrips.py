"""Round trips for the tests: exports as people save them, edited, and the results of checking and applying them."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

from openpyxl import Workbook, load_workbook

from console.imports import Verdict
from console.imports.uploads import staging_of
from console.models import Operation
from devices.edited_exports import RoundTripKind
from devices.edited_exports import actions as roundtrips
from devices.models import Device, RoundTrip
from tests import factories

Edit = Callable[[list[dict]], object]


def exported(client, form: str = "csv", query: str = "") -> bytes:
    """Return the list of devices as a file."""
    answer = client.get(f"/devices/export/?format={form}{query}")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def rows_of(content: bytes) -> list[dict]:
    """Return the rows of an exported CSV file as shown by a spreadsheet without formulas."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def as_csv(rows: list[dict], *, separator: str = ",", encoding: str = "utf-8", errors: str = "strict") -> bytes:
    """Return rows as a CSV file."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(rows[0]), delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode(encoding, errors)


def edited_csv(client, edit: Edit, query: str = "", **writing) -> bytes:
    """Return the exported CSV file after an edit of its rows."""
    rows = rows_of(exported(client, "csv", query))
    edit(rows)
    return as_csv(rows, **writing)


def edited_xlsx(client, path: Path, edit: Edit) -> bytes:
    """Return the exported workbook, loaded, edited and saved."""
    book = load_workbook(io.BytesIO(exported(client, "xlsx")))
    sheet = book.active
    header = [cell.value for cell in sheet[1]]
    rows = [
        {name: cell.value or "" for name, cell in zip(header, line, strict=True)} for line in sheet.iter_rows(min_row=2)
    ]
    before = [dict(row) for row in rows]
    edit(rows)
    for number, (old, new) in enumerate(zip(before, rows, strict=True), 2):
        for column, name in enumerate(header, 1):
            if old[name] != new[name]:
                sheet.cell(number, column).value = new[name] or None
    book.save(path)
    return path.read_bytes()


def workbook(path: Path, rows: list[dict]) -> bytes:
    """Return a workbook with these rows."""
    book = Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
        for cell in book.active[book.active.max_row]:
            if isinstance(cell.value, str):
                # Otherwise openpyxl turns text that starts like a formula into one, which typing text does not.
                cell.data_type = "s"
    book.save(path)
    return path.read_bytes()


def checked(user, content: bytes, name: str = "devices.csv") -> RoundTrip:
    """Return a file after its upload and check by the user."""
    by = factories.actor_of(user)
    row = roundtrips.IMPORTER.receive(name, [content], by=by)
    roundtrips.IMPORTER.check(row, by=by)
    row.refresh_from_db()
    return row


def applied(user, content: bytes, name: str = "devices.csv", **terms) -> Operation:
    """Return the operation that applied a file."""
    row = checked(user, content, name)
    return roundtrips.apply(row, version=row.version, by=factories.actor_of(user), **terms)


def counts(row: RoundTrip) -> tuple[int, int, int]:
    """Return the numbers of unchanged, changed and refused rows."""
    return tuple(row.summary[name] for name in ("unchanged", "changed", "refused"))


def refused(row: RoundTrip) -> dict[int, str]:
    """Return the reasons by row."""
    return {each.number: each.reason for each in staging_of(row, RoundTripKind).read(Verdict.REFUSED)}


def changes(row: RoundTrip) -> dict[int, dict]:
    """Return the changes by row."""
    return {each.number: each.changes for each in staging_of(row, RoundTripKind).read(Verdict.CHANGED)}


def noticed(row: RoundTrip) -> dict[str, int]:
    """Return how often each warning occurs."""
    return {code: count for code, count, _rows in row.summary["notices"]}


def tags_of(device: Device) -> list[str]:
    """Return the names of a device's tags."""
    return list(device.device_tags.order_by("tag__name_key").values_list("tag__name", flat=True))


def put(*places) -> Edit:
    """Return an edit that puts texts into cells, each given as (row from 0, column, text)."""

    def edit(rows: list[dict]) -> None:
        for number, name, text in places:
            rows[number][name] = text

    return edit
