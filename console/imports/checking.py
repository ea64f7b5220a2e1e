"""Checks a file row by row: which rows are new, unchanged, changed or refused, and why."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from console.columns import Column, Header, find_header
from console.export import harmless
from console.imports.staging import Key, Row, Staging, visible
from console.tabular import RemarkedRow, Table, letters
from console.tabular.encodings import are_unclear
from console.tabular.xlsx_reader import UNDERSTOOD, Rank

BATCH = 5_000
# How many rows a notice names.
NAMED = 5
# What happens to rows that the sheet hides, if the person chooses so.
LEAVE_OUT = "leave out"

Progress = Callable[[int], object]


class Notices:
    """Remarks about a file that are no reason to refuse a row: by code, how often and where first."""

    def __init__(self) -> None:
        self._counts: dict[str, list[Any]] = {}

    def add(self, code: str, place: int | str, count: int = 1) -> None:
        """Count a notice; `place` is the number of the row, or the name of a cell or column ("C2", "C")."""
        entry = self._counts.setdefault(code, [0, []])
        entry[0] += count
        if len(entry[1]) < NAMED and place not in entry[1]:
            entry[1].append(place)

    def __contains__(self, code: str) -> bool:
        return code in self._counts

    def drop(self, code: str) -> None:
        """Remove the notice."""
        self._counts.pop(code, None)

    def as_list(self) -> list[list[Any]]:
        """Return [[code, count, [first rows, cells or columns]], …], to be stored as JSON."""
        return [[code, count, places] for code, (count, places) in self._counts.items()]


class Kind:
    """What one kind of import knows about its things. Every check creates a new instance of a subclass.

    `columns` are those that a file may have and `required` those that it must; `fields` name the values of a
    checked row; `keys` may occur only once in a file; `shown` are the fields by which people recognise a row;
    `sentences` word the notices by their code, as lazy plural strings over %(n)s.
    """

    columns: tuple[Column, ...] = ()
    required: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    keys: tuple[Key, ...] = ()
    shown: tuple[str, ...] = ()
    # The CSS class of cells in the preview: identifiers use a typeface that tells all characters apart.
    cell_class = "mono"
    # Whether an empty cell means something, so that a row with an error in a cell must be refused.
    refuses_errors = False
    sentences: dict[str, Any] = {}

    def __init__(self, reading: dict[str, Any]) -> None:
        self.reading, self.notices = reading, Notices()

    def begin(self, header: Header) -> None:
        """Look at the header, before the first row."""

    def clean(self, row: Row, cells: list[str]) -> None:
        """Set the row's values from its cells, and add every reason to refuse it."""
        raise NotImplementedError

    def match(self, rows: list[Row]) -> None:
        """Compare rows that are good so far with what is registered: set `target` and `changes`, or refuse them.

        It is called with thousands of rows at once, and uses a few queries for all of them.
        """
        raise NotImplementedError

    @staticmethod
    def said(column: str, values: dict[str, Any]) -> str:
        """Return the value of a column in a checked row, for the preview."""
        return str(values.get(column) or "")

    def finish(self, staging: Staging) -> dict[str, Any]:
        """Decide what only the whole file can show. Returns the kind's part of the summary."""
        return {}


SENTENCES = {
    "empty_rows": ngettext_lazy("%(n)s empty row was skipped.", "%(n)s empty rows were skipped.", "count"),
    "unlabelled": ngettext_lazy(
        "%(n)s row has a value in a column without a header. It is not imported.",
        "%(n)s rows have a value in a column without a header. It is not imported.",
        "count",
    ),
    "spaces": ngettext_lazy(
        "Spaces around the values of %(n)s row were removed.",
        "Spaces around the values of %(n)s rows were removed.",
        "count",
    ),
    "formula": ngettext_lazy(
        "A text in %(n)s row looks like a formula. It is kept as text and never calculated.",
        "A text in %(n)s rows looks like a formula. It is kept as text and never calculated.",
        "count",
    ),
    "markup": ngettext_lazy(
        "A text in %(n)s row contains markup. It is kept as text and never run.",
        "A text in %(n)s rows contains markup. It is kept as text and never run.",
        "count",
    ),
    "errors": ngettext_lazy(
        "%(n)s cell shows an Excel error. It is read as empty.",
        "%(n)s cells show an Excel error. They are read as empty.",
        "count",
    ),
    "merged": ngettext_lazy(
        "%(n)s cell is merged with the one above, so it has the same value.",
        "%(n)s cells are merged with those above, so they have the same values.",
        "count",
    ),
    "empty_twins": ngettext_lazy(
        "%(n)s column is empty and has the same meaning as another, which is read instead.",
        "%(n)s columns are empty and have the same meaning as others, which are read instead.",
        "count",
    ),
    "hidden_rows": ngettext_lazy(
        "%(n)s row is hidden in the sheet, by a filter or by hand. It is read like the others.",
        "%(n)s rows are hidden in the sheet, by a filter or by hand. They are read like the others.",
        "count",
    ),
    "hidden_left_out": ngettext_lazy(
        "%(n)s row is hidden in the sheet and skipped, as you chose.",
        "%(n)s rows are hidden in the sheet and skipped, as you chose.",
        "count",
    ),
    "hidden_columns": ngettext_lazy(
        "%(n)s column is hidden in the sheet. It is read like the others.",
        "%(n)s columns are hidden in the sheet. They are read like the others.",
        "count",
    ),
    "other_letters": ngettext_lazy(
        "%(n)s row differs from a registered one only in upper and lower case. The registered spelling stays.",
        "%(n)s rows differ from registered ones only in upper and lower case. The registered spelling stays.",
        "count",
    ),
}


def unguarded(text: str) -> str:
    """Return the text without the apostrophe that an export puts in front so that no spreadsheet computes it."""
    return text[1:] if text[:1] == "'" and harmless(text[1:]) != text[1:] else text


def rank_of(kind: type[Kind] | Kind) -> Rank:
    """Return a function that ranks a sheet by how many columns are understood; all required ones rank highest."""

    def rank(rows: Iterator[tuple[int, list[str]]]) -> int:
        header = find_header(rows, kind.columns)
        return len(header.mapping) if header.missing(*kind.required) else UNDERSTOOD

    return rank


def header_of(table: Table, kind: Kind) -> Header:
    """Return how the columns are read: as recognised in the file, then as corrected by a person. Raises Refused.

    Of two columns with the same meaning, the one that holds values is read; if both do, they stay `doubles`.
    """
    header = find_header(table.rows(), kind.columns)
    if corrections := kind.reading.get("columns", {}):
        return header.with_mapping({int(index): name for index, name in corrections.items()})
    if not header.doubles:
        return header
    held = _filled(table, header)
    decided = header.with_filled(held)
    for name, indexes in header.doubles.items():
        if name not in decided.doubles and held.intersection(indexes):
            for index in held.symmetric_difference(indexes).intersection(indexes):
                kind.notices.add("empty_twins", letters(index))
    return decided


def _filled(table: Table, header: Header) -> set[int]:
    """Return which of the columns that share a meaning hold values below the header."""
    open_ones, held = {index for indexes in header.doubles.values() for index in indexes}, set()
    for number, cells in table.rows():
        if number <= header.row_number:
            continue
        found = {index for index in open_ones if index < len(cells) and cells[index].strip()}
        held |= found
        open_ones -= found
        if not open_ones:
            break
    return held


def check(table: Table, kind: Kind, path: Path, *, on_progress: Progress | None = None) -> dict[str, Any]:
    """Check every row, write the checked rows to `path`, and return the summary, ready for JSON.

    A file without a required column gets a summary that names the `missing` ones, and no checked rows; so does one
    with two filled columns of one meaning (`twice`). `on_progress` is called with the number of rows processed, a few
    times a second.
    """
    header = header_of(table, kind)
    summary = summarise(table, header, kind)
    if summary["missing"] or summary["twice"]:
        return summary
    staging = Staging(path, kind.fields, kind.keys)
    staging.create()
    try:
        kind.begin(header)
        summary["rows"] = _check_rows(table, header, kind, staging, on_progress)
        _judge_duplicates(kind, staging)
        summary |= kind.finish(staging)
        summary |= staging.finish()
    except BaseException:
        staging.abandon()
        raise
    summary["notices"] = kind.notices.as_list()
    return summary


def summarise(table: Table, header: Header, kind: Kind) -> dict[str, Any]:
    """Return the file's part of the summary: "dialect", "sheet", "sheets", "encoding", "header", "missing", "twice"."""
    return {
        "dialect": list(table.dialect),
        "sheet": table.sheet,
        "sheets": list(table.sheets),
        "header": {
            "row": header.row_number,
            "labels": list(header.labels),
            "mapping": {str(index): name for index, name in header.mapping.items()},
            "empty_twins": list(header.empty_twins),
        },
        "missing": list(header.missing(*kind.required)),
        "twice": {name: list(indexes) for name, indexes in header.doubles.items()},
        "encoding": _encoding(table, kind),
    }


def _encoding(table: Table, kind: Kind) -> dict[str, Any] | None:
    """Return the encoding in use and how others read a few cells, if the file does not declare its encoding."""
    if not table.readings:
        return None
    readings, used = list(table.readings), table.encoding
    is_chosen = bool(kind.reading.get("encoding"))
    return {
        "used": used,
        "is_chosen": is_chosen,
        "is_unclear": not is_chosen and are_unclear(readings),
        "samples": [[reading.encoding, list(reading.cells)] for reading in readings],
    }


def ignored(summary: dict[str, Any]) -> list[str]:
    """Return the headers of unread columns from a summary, without those whose meaning another column already has."""
    header = summary.get("header", {"labels": [], "mapping": {}})
    known = {*map(int, header["mapping"]), *header.get("empty_twins", ())}
    return [label for i, label in enumerate(header["labels"]) if label and i not in known]


class _Counted:
    """The rows of a table and, once they are read, the number of the `last` one, whether empty or not."""

    def __init__(self, table: Table) -> None:
        self.table, self.last = table, 0

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        # Separated values return their last record at the end, workbooks nothing.
        self.last = (yield from self.table.rows()) or 0  # type: ignore[func-returns-value]


def _check_rows(table: Table, header: Header, kind: Kind, staging: Staging, on_progress: Progress | None) -> int:
    width, fields, previous, count = len(header.labels), len(kind.fields), header.row_number, 0
    unlabelled = [i for i, label in enumerate(header.labels) if not label and i not in header.mapping]
    batch: list[Row] = []
    rows = _Counted(table)
    for number, cells in rows:
        if number <= header.row_number:
            if isinstance(cells, RemarkedRow):
                _heed_columns(cells, header, kind)
            continue
        if number > previous + 1:
            kind.notices.add("empty_rows", previous + 1, number - previous - 1)
        previous = number
        row = Row(number, fields)
        if isinstance(cells, RemarkedRow) and not _heed(cells, row, header, kind):
            continue
        if len(cells) > width and header.surplus(cells):
            row.reasons.append(_surplus(cells, width))
        if unlabelled and any(cells[i].strip() for i in unlabelled if i < len(cells)):
            kind.notices.add("unlabelled", number)
        kind.clean(row, cells)
        batch.append(row)
        if len(batch) == BATCH:
            count += _settle(batch, kind, staging)
            batch = []
            if on_progress:
                on_progress(count)
    if rows.last > previous:
        kind.notices.add("empty_rows", previous + 1, rows.last - previous)
    return count + _settle(batch, kind, staging)


def _heed_columns(cells: RemarkedRow, header: Header, kind: Kind) -> None:
    """Note the hidden columns that are read."""
    for remark in cells.remarks:
        if remark.code == "hidden_column" and remark.column in header.mapping:
            kind.notices.add("hidden_columns", letters(remark.column))


def _heed(cells: RemarkedRow, row: Row, header: Header, kind: Kind) -> bool:
    """Note or refuse what the reader found in the cells that are used. Returns whether the row is to be read."""
    _heed_columns(cells, header, kind)
    for index, code, detail in cells.remarks:
        cell = f"{letters(index)}{row.number}"
        if code == "hidden":
            if kind.reading.get("hidden") == LEAVE_OUT:
                kind.notices.add("hidden_left_out", row.number)
                return False
            kind.notices.add("hidden_rows", row.number)
        elif code == "merged" and int(detail) <= header.row_number:
            # The merged value belongs to the header and is no value of this row.
            cells[index] = ""
        elif index not in header.mapping:
            continue
        elif code == "merged":
            kind.notices.add("merged", cell)
        elif code == "error":
            kind.notices.add("errors", cell)
            if kind.refuses_errors:
                sentence = _("Cell %(cell)s shows the error %(error)s. Correct it, or enter the value.")
                row.reasons.append(sentence % {"cell": cell, "error": visible(detail, 20)})
        elif code == "no_result":
            sentence = _(
                "Cell %(cell)s is a formula without a result. Open the file in Excel, save it, and upload it again."
            )
            row.reasons.append(sentence % {"cell": cell})
    return True


def _settle(batch: list[Row], kind: Kind, staging: Staging) -> int:
    good = [row for row in batch if not row.reasons]
    if good:
        kind.match(good)
    staging.add(batch)
    return len(batch)


def _judge_duplicates(kind: Kind, staging: Staging) -> None:
    refused = []
    for key, number, sentence in staging.duplicates():
        if key.notice:
            kind.notices.add(key.notice, number)
        else:
            refused.append((number, sentence))
    staging.refuse(refused)


def _surplus(cells: list[str], columns: int) -> str:
    values = max(index for index, cell in enumerate(cells, 1) if cell.strip())
    return ngettext(
        "This row has %(n)s value but the header has %(columns)s.",
        "This row has %(n)s values but the header has %(columns)s.",
        values,
    ) % {"n": values, "columns": columns}
