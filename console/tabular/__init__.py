"""Reads CSV, TSV and XLSX files as rows, within bounded memory, and refuses files that are not tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from console.errors import Refused
from console.tabular import csv_reader, guards, xlsx_reader
from console.tabular.cells import NumberCell, RemarkedRow, letters
from console.tabular.encodings import Reading
from console.tabular.guards import MAX_COLUMNS, MAX_ROWS
from console.tabular.xlsx_reader import Rank

__all__ = ["MAX_COLUMNS", "MAX_ROWS", "NumberCell", "RemarkedRow", "Table", "letters", "open_table"]


@dataclass(frozen=True)
class Table:
    """A file that was checked and can be read as often as needed.

    `row_count` counts the rows that hold values, including titles and headers, and `column_count` is the width of the
    widest row; both are None if `open_table` was called with `checked`.
    """

    name: str
    source: csv_reader.CsvSource | xlsx_reader.XlsxSource
    row_count: int | None = None
    column_count: int | None = None

    @property
    def kind(self) -> str:
        """Return the family of the format: "csv", with any separator, or "xlsx"."""
        return self.source.kind

    @property
    def sheet(self) -> str:
        """Return the name of the sheet that is read; empty for CSV."""
        return self.source.sheet

    @property
    def sheets(self) -> tuple[str, ...]:
        """Return the names of all sheets, in their order; empty for CSV."""
        return self.source.sheets

    @property
    def dialect(self) -> tuple[str, ...]:
        """Return how the file is written, as parts of a sentence: ("semicolons", "UTF-8") or ("sheet Lot 2611",)."""
        return self.source.dialect

    @property
    def description(self) -> str:
        """Return the dialect as one line for the preview: "semicolons, UTF-8"."""
        return ", ".join(self.dialect)

    @property
    def encoding(self) -> str:
        """Return the codec of the text; empty for a workbook."""
        return self.source.encoding if isinstance(self.source, csv_reader.CsvSource) else ""

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Return how each encoding reads a sample, the likeliest first, if the file does not declare its encoding."""
        return self.source.readings if isinstance(self.source, csv_reader.CsvSource) else ()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (row number, cells) of every row that holds values.

        The row number is the one that a spreadsheet shows beside the row: it starts at 1 and counts empty
        rows, and a record over several lines is one row. Rows may differ in length. A cell that was a number
        in XLSX is a `NumberCell`; dates are ISO dates, booleans TRUE or FALSE, and an empty cell is "". A row
        with remarks, such as an error in a cell, is a `RemarkedRow`.
        """
        return self.source.rows()


def open_table(
    path: Path,
    name: str,
    *,
    limit: int | None = None,
    sheet: str = "",
    encoding: str = "",
    rank: Rank | None = None,
    checked: bool = False,
) -> Table:
    """Check a whole file and return it as a table, judged by its content and not by its name.

    `limit` is the largest size in bytes (else `settings.UPLOAD_LIMIT`). `sheet` names a sheet of a workbook; without
    it, the sheet with the highest `rank` is read. `rank` looks at a sheet's rows and returns how well they are
    understood; of equal sheets the first that holds values wins, visible ones first. `encoding` names a codec.
    `checked` skips reading all rows, for a file that was accepted before. Raises Refused for a bad file, with a
    sentence for the person who sent it, and no other exception. Once this has read all rows and returned, `rows()`
    raises nothing.
    """
    guards.refuse_large(path, settings.UPLOAD_LIMIT if limit is None else limit)
    source: csv_reader.CsvSource | xlsx_reader.XlsxSource
    if guards.kind_of(path) == "xlsx":
        source = xlsx_reader.find_source(path, sheet, rank)
    else:
        source = csv_reader.find_source(path, encoding)
    if checked:
        return Table(name, source)
    row_count = column_count = 0
    for _number, cells in source.rows():
        row_count += 1
        column_count = max(column_count, len(cells))
    if not row_count:
        raise Refused("empty_file", _("The file contains no rows."), status=422)
    return Table(name, source, row_count, column_count)
