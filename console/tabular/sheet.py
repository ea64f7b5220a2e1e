"""Reads the rows of one sheet (ECMA-376-1, 18.3) as a stream."""

from collections.abc import Iterator

from console.tabular.cells import Remark, RemarkedRow, letters
from console.tabular.guards import (
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_UNPACKED,
    damaged,
    too_large_inside,
    too_many_columns,
    too_many_rows,
)
from console.tabular.merges import Merges, index_of
from console.tabular.package import MAX_DEPTH, Package, local
from console.tabular.workbook import Workbook

# Excel's own limit of a cell, and in how many pieces the parser may return that much.
MAX_TEXT = 32_767
MAX_PIECES = 64
# Characters in the rows of one chunk; a single row may hold half of that.
MAX_WAITING = 4 * 1024 * 1024
TRUE = {"1", "true"}

_LETTERS = [letters(index) for index in range(MAX_COLUMNS)]


class Sheet:
    """Reads, once, a sheet whose cells refer to the contents of `book`.

    Cells without content may be anywhere, because Excel formats whole columns and rows; content may not. The total text
    is limited, because a shared string may be long and referred to often.

    `_start` and `_end` run ten times for each cell. So they test for the commonest names first, and only rare elements
    have methods of their own.
    """

    __slots__ = (
        "_book",
        "_cells",
        "_column",
        "_content",
        "_depth",
        "_has_value",
        "_is_done",
        "_is_formula",
        "_is_hidden",
        "_is_in_cell",
        "_is_in_row",
        "_is_in_text",
        "_kind",
        "_merges",
        "_package",
        "_part",
        "_pieces",
        "_ready",
        "_remarks",
        "_row",
        "_row_digits",
        "_skipped",
        "_style",
        "_total",
        "_waiting",
    )

    def __init__(self, package: Package, part: str, book: Workbook) -> None:
        self._package, self._part, self._book = package, part, book
        self._merges = Merges(package, part)
        self._ready: list[tuple[int, list[str]]] = []
        self._cells: list[str] = []
        self._remarks: list[Remark] = []
        self._pieces: list[str] = []
        self._row = self._depth = self._skipped = self._total = self._waiting = 0
        self._column = -1
        self._row_digits = self._kind = self._style = self._content = ""
        self._is_in_row = self._is_in_cell = self._is_in_text = False
        self._is_formula = self._has_value = self._is_hidden = self._is_done = False

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (row number, cells) of every row that holds values, even if only a formula without a result.

        Raises Refused.
        """
        # All text is collected, which needs no Python call; unwanted text is dropped at the next chunk or cell.
        for _step in self._package.feed(self._part, self._start, self._end, self._pieces.append):
            yield from self._ready
            self._ready.clear()
            self._waiting = 0
            if self._is_done:
                return
            if not self._is_in_text:
                self._pieces.clear()
            elif len(self._pieces) > MAX_PIECES:
                raise too_large_inside()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            if self._is_in_cell or not self._is_in_row:
                raise damaged()
            self._is_in_cell = True
            column = self._column + 1
            place = attributes.get("r")
            if place is not None and (column >= MAX_COLUMNS or place != _LETTERS[column] + self._row_digits):
                column = _column(place, self._row_digits)
            self._column = column
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._is_formula = self._has_value = False
        elif name == "v" or name == "t":  # noqa: PLR1714 - faster than a set
            if self._is_in_text:
                raise damaged()
            self._is_in_text = self._has_value = True
            self._pieces.clear()
        elif name == "row":
            self._start_row(attributes)
        elif ":" in name:
            self._start(local(name), attributes)
        else:
            self._start_other(name, attributes)

    def _start_row(self, attributes: dict[str, str]) -> None:
        if self._is_in_row:
            raise damaged()
        self._is_in_row = True
        number = int(attributes["r"]) if "r" in attributes else self._row + 1
        if number <= self._row:
            raise damaged()
        self._row, self._row_digits, self._column = number, str(number), -1
        self._is_hidden = attributes.get("hidden") in TRUE

    def _start_other(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise damaged()
        if name == "rPh":
            self._skipped += 1
        elif name == "f":
            self._is_formula = self._is_in_cell
        elif name == "col" and attributes.get("hidden") in TRUE:
            # Remarks about a column are added to the first row.
            shown = range(max(int(attributes["min"]) - 1, 0), min(int(attributes["max"]), MAX_COLUMNS))
            self._remarks.extend(Remark(index, "hidden_column") for index in shown)
            if len(self._remarks) > MAX_COLUMNS:
                raise damaged()

    def _end(self, name: str) -> None:
        if name == "v" or name == "t":  # noqa: PLR1714
            self._is_in_text = False
            if self._is_in_cell and not self._skipped and (name == "t") == (self._kind == "inlineStr"):
                self._content += "".join(self._pieces)
                if len(self._content) > MAX_TEXT:
                    raise too_large_inside()
        elif name == "c":
            self._is_in_cell = False
            if self._is_formula or self._kind == "e":
                self._look_at_result()
            content = self._content
            if content:
                self._content = ""
                if value := self._book.value(content, self._kind, self._style):
                    column, cells = self._column, self._cells
                    if column == len(cells) and column < MAX_COLUMNS:
                        cells.append(value)
                    else:
                        self._put(value)
        elif name == "row":
            self._end_row()
        elif ":" in name:
            self._end(local(name))
        else:
            self._depth -= 1
            self._skipped -= name == "rPh"
            self._is_done |= name == "sheetData"

    def _look_at_result(self) -> None:
        """Add a remark about what a cell shows instead of a value: an error, or a formula that was never computed."""
        if self._kind == "e" and self._content:
            self._remarks.append(Remark(self._within(), "error", self._content.strip()[:40]))
            self._content = ""
        elif self._is_formula and self._is_uncomputed():
            self._remarks.append(Remark(self._within(), "no_result"))
            self._content = ""

    def _is_uncomputed(self) -> bool:
        """Whether a formula has no result: none at all, or the zero that some programs write instead."""
        if self._kind == "n":
            content = self._content.strip()
            return not content or (self._book.is_uncomputed and content == "0")
        return not self._has_value

    def _put(self, value: str) -> None:
        """Put a value in its place, even if cells before it were left out or an earlier one has the same place."""
        column, cells = self._within(), self._cells
        if column < len(cells):
            cells[column] = value
        else:
            cells.extend([""] * (column - len(cells)))
            cells.append(value)

    def _within(self) -> int:
        if self._column >= MAX_COLUMNS:
            raise too_many_columns(self._row)
        return self._column

    def _end_row(self) -> None:
        self._is_in_row = False
        cells, remarks = self._cells, self._remarks
        joined = "".join(cells).strip() if cells else ""
        if joined or (remarks and any(remark.code != "hidden_column" for remark in remarks)):
            if self._row > MAX_ROWS:
                raise too_many_rows()
            if self._merges.rows and (filled := self._merges.fill(self._row, cells, remarks)):
                joined += filled
            if self._is_hidden:
                remarks.append(Remark(-1, "hidden"))
            self._total += len(joined)
            self._waiting += len(joined)
            if self._total > MAX_UNPACKED or self._waiting > MAX_WAITING:
                raise too_large_inside()
            self._ready.append((self._row, RemarkedRow(cells, remarks) if remarks else cells))
            self._remarks = []
        self._cells = []


def _column(place: str, row_digits: str) -> int:
    """Return the index of a cell's column, 0 for A and 26 for AA. Refuses a cell that claims another row."""
    name = place.removesuffix(row_digits)
    if name == place or not 1 <= len(name) <= 3 or not name.isascii() or not name.isalpha():
        raise damaged()
    return index_of(name.upper())
