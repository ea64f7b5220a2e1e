"""The merged cells of a sheet, which show the value of the first of them."""

import re

from console.tabular.cells import Remark
from console.tabular.guards import MAX_COLUMNS, MAX_ROWS, too_large_inside
from console.tabular.package import Package

_MERGED = re.compile(
    rb"""<(?:\w{1,32}:)?mergeCell\s[^<>]{0,200}?\bref\s*=\s*["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']"""
)


class Merges:
    """The cells of a sheet that are merged downwards. The value that they show is in the first row of each range.

    The file lists them after the rows, so they are searched in the raw bytes before the rows are read. `rows` counts
    the ranges that span more than one row.
    """

    def __init__(self, package: Package, part: str) -> None:
        # Packed into one number each, because objects of three numbers would need several times the memory.
        found: set[int] = set()
        for left, top, _right, bottom in package.search(part, b"mergeCell", _MERGED):
            column = index_of(left.decode())
            if int(bottom) > int(top) and column < MAX_COLUMNS and int(top) <= MAX_ROWS:
                found.add(int(top) << 40 | column << 32 | int(bottom))
            if len(found) > MAX_ROWS:
                raise too_large_inside()
        self._waiting = sorted(found, reverse=True)
        # By column: the last row, the first row, the value, and its remark.
        self._open: dict[int, tuple[int, int, str, Remark | None]] = {}
        self.rows = len(found)

    def fill(self, row: int, cells: list[str], remarks: list[Remark]) -> str:
        """Fill the empty cells of a row with the values that they show, and add remarks. Returns the added text."""
        while self._waiting and self._waiting[-1] >> 40 < row:
            # The first row of the range was empty.
            self._waiting.pop()
        added = []
        for column, (bottom, top, value, remark) in list(self._open.items()):
            if row > bottom:
                del self._open[column]
            elif remark:
                remarks.append(remark._replace(column=column))
            elif not (cells[column] if column < len(cells) else ""):
                cells.extend([""] * (column + 1 - len(cells)))
                cells[column] = value
                remarks.append(Remark(column, "merged", str(top)))
                added.append(value)
        while self._waiting and self._waiting[-1] >> 40 == row:
            packed = self._waiting.pop()
            column, bottom = packed >> 32 & 0xFF, packed & 0xFFFFFFFF
            value = cells[column] if column < len(cells) else ""
            remark = next((each for each in remarks if each.column == column and each.code != "merged"), None)
            if value or remark:
                self._open[column] = bottom, row, value, remark
        return "".join(added)


def index_of(letters: str) -> int:
    """Return the index of a column: 0 for A, 26 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
