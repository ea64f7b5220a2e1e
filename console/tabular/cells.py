"""Turns what a workbook stores in a cell into the text that a person sees there.

Source: ECMA-376-1, 18.17.4 (dates), 18.18.11 (cell types).
"""

import math
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from console.tabular.formats import Format
from console.tabular.guards import damaged

# Excel keeps 15 digits of a number.
FIRST_ROUNDED = 10**15
# A float from here on is written out as 40 digits of chance.
FIRST_UNWRITTEN = 1e22

_LAST_DAY = 2_958_465
_SECONDS = 86_400
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
# What a formula shows that has no result, in the words of Excel in English and in German.
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

    `rounded` says that Excel may have changed its digits (from 16 on), `laid_out` that a format of its own says how
    many there are, so that no leading zero is missing. `ungrouped` is the text without thousands separators.
    """

    __slots__ = ("laid_out", "rounded", "ungrouped")
    rounded: bool
    laid_out: bool
    ungrouped: str

    def __new__(
        cls, text: str, *, rounded: bool = False, laid_out: bool = False, ungrouped: str | None = None
    ) -> "NumberCell":
        """Make a cell of the text."""
        cell = super().__new__(cls, text)
        cell.rounded, cell.laid_out = rounded, laid_out
        cell.ungrouped = text if ungrouped is None else ungrouped
        return cell

    def without_groups(self) -> "NumberCell":
        """The same without thousands separators, which no identifier has: how they look is the reader's setting."""
        return NumberCell(self.ungrouped, rounded=self.rounded, laid_out=self.laid_out)

    def __reduce__(self) -> tuple:
        return _number_cell, (str(self), self.rounded, self.laid_out, self.ungrouped)


def _number_cell(text: str, rounded: bool, laid_out: bool, ungrouped: str) -> NumberCell:
    return NumberCell(text, rounded=rounded, laid_out=laid_out, ungrouped=ungrouped)


class Remark(NamedTuple):
    """Something to be said of a row or of one of its cells; `column` is the cell's index, or -1 for the row.

    By `code`: "error" is a cell of which `detail` is the error that it shows, "no_result" a formula that was never
    computed, "merged" a cell that got the value of the merged cells whose first row is `detail`, and "hidden" is a row
    that the sheet does not show. "hidden_column" is a column that it does not show, told with the first row.
    """

    column: int
    code: str
    detail: str = ""


class RemarkedRow(list[str]):
    """The cells of a row of which something is to be said."""

    def __init__(self, cells: list[str], remarks: list[Remark]) -> None:
        super().__init__(cells)
        self.remarks = remarks


def letters(index: int) -> str:
    """What a column is called: A for 0, AA for 26."""
    return chr(65 + index) if index < 26 else chr(64 + index // 26) + chr(65 + index % 26)


def text_of(content: str, kind: str) -> str:
    """The text of a cell that holds no number and no shared string, by its type."""
    if kind == "b":
        return "TRUE" if content.strip() in {"1", "true"} else "FALSE"
    if kind == "d":
        moment = content.strip().removesuffix("Z").replace("T", " ").removesuffix(".000")
        return moment.removesuffix(" 00:00:00")
    return unescape(content)


def unescape(text: str) -> str:
    """Read what XML cannot hold and Excel writes as _x0008_; halves of a pair stay as they are written."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(found: re.Match) -> str:
    code = int(found[1], 16)
    return found[0] if 0xD800 <= code <= 0xDFFF else chr(code)


def number_of(content: str, shown_as: Format | None, starts_1904: bool) -> str:
    """A number as the cell shows it: a date where its format says so, else a NumberCell. None is the format General.

    Raises Refused where the content is no number.
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
        # Excel computes with 15 digits, and shows no more; what others write beyond is what a float can't hold.
        plain = f"{value:.15g}".upper()
        number = Decimal(repr(value))
    else:
        # A program may write more digits than a float holds; those in the file are the truth then.
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
    """A day number as an ISO date, with the time of day where there is one.

    The calendar from 1900 believes in a 29 February 1900, so its days before that are one off.
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
