"""Turns what a workbook stores in a cell into the text that a person sees there.

Source: ECMA-376-1, 18.17.4 (dates), 18.18.11 (cell types) and 18.8.30 (number formats).
"""

import math
import re
from datetime import date, timedelta

from console.tabular.guards import damaged

# Excel keeps 15 digits of a number.
FIRST_ROUNDED = 10**15
# A float from here on is written out as 40 digits of chance.
FIRST_UNWRITTEN = 1e22

_LAST_DAY = 2_958_465
_SECONDS = 86_400
_BUILT_IN_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_NOT_PLACEHOLDERS = re.compile(
    r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]|general', re.IGNORECASE | re.DOTALL
)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class NumberCell(str):
    """A cell that was a number, as its digits; `rounded` where Excel may have changed them (from 16 on)."""

    __slots__ = ("rounded",)
    rounded: bool

    def __new__(cls, text: str, *, rounded: bool = False) -> "NumberCell":
        """Make a cell of the digits."""
        cell = super().__new__(cls, text)
        cell.rounded = rounded
        return cell

    def __reduce__(self) -> tuple:
        return _number_cell, (str(self), self.rounded)


def _number_cell(text: str, rounded: bool) -> NumberCell:
    return NumberCell(text, rounded=rounded)


def format_of(number: int, codes: dict[int, str]) -> str:
    """How a number format shows a number: "date", zeros ("000000", which pads), or "" for all else.

    `number` is the format's id and `codes` holds the workbook's own formats, classified.
    """
    return codes.get(number, "date" if number in _BUILT_IN_DATES else "")


def classify(code: str) -> str:
    """The same for a format's code: "dd.mm.yyyy" is "date", "000000" is itself, "0.00" is ""."""
    if re.fullmatch(r"0{2,40}", code):
        return code
    first = _NOT_PLACEHOLDERS.sub("", code).partition(";")[0]
    return "date" if re.search(r"[dmyhs]", first, re.IGNORECASE) else ""


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


def number_of(content: str, shown_as: str, starts_1904: bool) -> str:
    """A number as the cell shows it: a date where its format says so, else a NumberCell.

    Raises Refused where the content is no number.
    """
    content = content.strip()
    if not content:
        return ""
    value = float(content)
    if not math.isfinite(value):
        raise damaged()
    if shown_as == "date" and 0 <= value <= _LAST_DAY:
        return _date(value, starts_1904)
    is_rounded = abs(value) >= FIRST_ROUNDED
    if not value.is_integer() or abs(value) >= FIRST_UNWRITTEN:
        return NumberCell(repr(value), rounded=is_rounded)
    # A program may write more digits than a float holds; those in the file are the truth then.
    digits = str(int(content)) if re.fullmatch(r"-?[0-9]{1,22}", content) else str(int(value))
    if shown_as.startswith("0") and value >= 0:
        digits = digits.zfill(len(shown_as))
    return NumberCell(digits, rounded=is_rounded)


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
