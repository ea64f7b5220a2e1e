"""Converts what a workbook stores in a cell into the text that a person sees there.

Source: ECMA-376-1, 18.17.4 (dates), 18.18.11 (cell types).
"""

import math
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from console.tabular.formats import Format
from console.tabular.guards import damaged

# Excel keeps 15 digits of a number.
FIRST_ROUNDED = 10**15
# A float of at least this size would be written out as digits that it does not hold.
FIRST_UNWRITTEN = 1e22

_LAST_DAY = 2_958_465
_SECONDS = 86_400
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
# What a formula without a result shows, in the words of Excel in English and in German.
ERRORS = frozenset(
    [
        "#N/A",
        "#REF!",
        "#DIV/0!",
        "#VALUE!",
        "#NAME?",
        "#NUM!",
        "#NULL!",
        "#SPILL!",
        "#CALC!",
        "#GETTING_DATA",
        "#NV",
        "#BEZUG!",
        "#WERT!",
        "#ZAHL!",
        "#ÜBERLAUF!",
        "#KALK!",
    ]
)


class NumberCell(str):
    """A cell that was a number, as the sheet shows it.

    `rounded` means that Excel may have changed its digits (from the 16th on), `laid_out` that a custom format fixes the
    number of digits, so that no leading zero is missing. `ungrouped` is the text without thousands separators.
    """

    __slots__ = ("laid_out", "rounded", "ungrouped")
    rounded: bool
    laid_out: bool
    ungrouped: str

    def __new__(
        cls, text: str, *, rounded: bool = False, laid_out: bool = False, ungrouped: str | None = None
    ) -> "NumberCell":
        """Create a cell with this text."""
        cell = super().__new__(cls, text)
        cell.rounded, cell.laid_out = rounded, laid_out
        cell.ungrouped = text if ungrouped is None else ungrouped
        return cell

    def without_groups(self) -> "NumberCell":
        """Return the cell without thousands separators: no identifier has them, and they depend on the settings."""
        return NumberCell(self.ungrouped, rounded=self.rounded, laid_out=self.laid_out)

    def __reduce__(self) -> tuple[Any, ...]:
        return _number_cell, (str(self), self.rounded, self.laid_out, self.ungrouped)


def _number_cell(text: str, rounded: bool, laid_out: bool, ungrouped: str) -> NumberCell:
    return NumberCell(text, rounded=rounded, laid_out=laid_out, ungrouped=ungrouped)


class Remark(NamedTuple):
    """A remark about a row or one of its cells; `column` is the cell's index, or -1 for the row.

    By `code`: "error" is a cell that shows the error `detail`, "no_result" a formula that was never computed, "merged"
    a cell that got the value of the merged cells whose first row is `detail`, and "hidden" a row that the sheet hides.
    "hidden_column" is a column that the sheet hides, reported with the first row.
    """

    column: int
    code: str
    detail: str = ""


class RemarkedRow(list[str]):
    """The cells of a row that has remarks."""

    def __init__(self, cells: list[str], remarks: list[Remark]) -> None:
        super().__init__(cells)
        self.remarks = remarks


def letters(index: int) -> str:
    """Return the name of a column: A for 0, AA for 26."""
    return chr(65 + index) if index < 26 else chr(64 + index // 26) + chr(65 + index % 26)


def text_of(content: str, kind: str) -> str:
    """Return the text of a cell that holds neither a number nor a shared string, by its type."""
    if kind == "b":
        return "TRUE" if content.strip() in {"1", "true"} else "FALSE"
    if kind == "d":
        moment = content.strip().removesuffix("Z").replace("T", " ").removesuffix(".000")
        return moment.removesuffix(" 00:00:00")
    return unescape(content)


def unescape(text: str) -> str:
    """Decode characters that XML can't hold and Excel writes as _x0008_; halves of surrogate pairs stay as written."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return found[0] if 0xD800 <= code <= 0xDFFF else chr(code)


def number_of(content: str, shown_as: Format | None, starts_1904: bool) -> str:
    """Return a number as the cell shows it: a date if its format says so, else a NumberCell. None means General.

    Raises Refused if the content is not a number.
    """
    content = content.strip()
    if not content:
        return ""
    value = float(content)
    if not math.isfinite(value):
        raise damaged()
    if shown_as and shown_as.is_date:
        if 0 <= value <= _LAST_DAY:
            return _date(value, starts_1904)
        shown_as = None
    is_rounded = abs(value) >= FIRST_ROUNDED
    if not value.is_integer() or abs(value) >= FIRST_UNWRITTEN:
        # Excel computes with 15 digits and shows no more; further digits from other programs exceed a float.
        plain = f"{value:.15g}".upper()
        number = Decimal(repr(value))
    else:
        # A program may write more digits than a float holds; then the digits in the file are used.
        whole = int(content) if re.fullmatch(r"-?[0-9]{1,22}", content) else int(value)
        plain = str(whole)
        if shown_as and shown_as.zeros and whole >= 0:
            return NumberCell(plain.zfill(shown_as.zeros), rounded=is_rounded, laid_out=shown_as.zeros > 1)
        number = Decimal(whole)
    if shown_as is None:
        return NumberCell(plain, rounded=is_rounded)
    text, ungrouped, laid_out = shown_as.show(number, plain)
    return NumberCell(text, rounded=is_rounded, laid_out=laid_out, ungrouped=ungrouped) if text else ""


def _date(value: float, starts_1904: bool) -> str:
    """Return a day number as an ISO date, with the time of day if it has one.

    The calendar from 1900 contains a 29 February 1900, so its days before that date are one off.
    """
    days, seconds = divmod(round(value * _SECONDS), _SECONDS)
    time_of_day = str(timedelta(seconds=seconds)).zfill(8)
    if not days and not starts_1904:
        return time_of_day
    first = date(1904, 1, 1) if starts_1904 else date(1899, 12, 31 if days < 60 else 30)
    try:
        day = first + timedelta(days=days)
    except OverflowError as error:
        raise damaged() from error
    return f"{day.isoformat()} {time_of_day}" if seconds else day.isoformat()
