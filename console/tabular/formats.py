"""Excel's number formats, as far as they determine the text that a cell shows.

A format has up to four sections between semicolons: for positive numbers, negative ones, zero, and text. Supported are
placeholders with literals among them (`00\\-0000`), decimals, thousands, percent, conditions and colours. Formats that
would not show an identifier by its digits (exponents and fractions) show the digits; an empty section hides only a
zero, so that nothing else is lost.

Source: ECMA-376-1, 18.8.30 and 18.8.31.
"""

import operator
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import NamedTuple

# Excel itself permits no longer formats.
MAX_CODE = 255
_BUILT_IN = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    37: "#,##0;-#,##0",
    38: "#,##0;-#,##0",
    39: "#,##0.00;-#,##0.00",
    40: "#,##0.00;-#,##0.00",
}
_BUILT_IN_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_TOKEN = re.compile(r'"[^"]*"?|\\.|_.|\*.|\[[^\]]*\]|general|E[+-]|am/pm|a/p|.', re.IGNORECASE | re.DOTALL)
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)\s*(-?\d{1,15}(?:\.\d{1,15})?)\]")
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_COMPARE = {
    "<=": operator.le,
    ">=": operator.ge,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
_WIDE = Context(prec=600, rounding=ROUND_HALF_UP)
# The decimal precision of a float.
_EXACT = Context(prec=15, rounding=ROUND_HALF_UP)


class Shown(NamedTuple):
    """What a cell shows, the same without thousands separators, and whether the format lays out the digits.

    Digits that are laid out, such as by "000000", have all their leading zeros.
    """

    text: str
    ungrouped: str
    is_laid_out: bool


@dataclass(frozen=True)
class _Section:
    """One section. `whole` and `decimals` hold placeholders as ("0", "#" or "?") and literals as (" text",)."""

    whole: tuple[str, ...] = ()
    decimals: tuple[str, ...] = ()
    has_point: bool = False
    is_grouped: bool = False
    scale: int = 0
    is_general: bool = False
    has_text: bool = False
    condition: tuple[str, Decimal] | None = None

    def applies(self, value: Decimal) -> bool:
        """Whether the section's condition holds, if it has one."""
        return self.condition is not None and _COMPARE[self.condition[0]](value, self.condition[1])

    @property
    def is_of_negatives(self) -> bool:
        """Whether its condition admits only negative numbers, so that it writes their sign itself."""
        return self.condition is not None and self.condition[0] in {"<", "<="} and self.condition[1] <= 0

    @property
    def is_empty(self) -> bool:
        """Whether it shows nothing at all."""
        return not (self.whole or self.decimals or self.has_point or self.is_general or self.has_text)


@dataclass(frozen=True)
class Format:
    """A compiled format. `zeros` is the width of a format that only pads with zeros ("000000"), else 0.

    `around_text` is what a text section puts before and after a text, or None.
    """

    is_date: bool
    zeros: int
    sections: tuple[_Section, ...]
    around_text: tuple[str, str] | None

    def show(self, value: Decimal, plain: str) -> Shown:
        """Return what the cell shows for a number; `plain` is what it would show without a format."""
        section, is_signed = self._section_of(value)
        if section is None or (section.is_empty and value):
            return Shown(plain, plain, False)
        if section.is_empty:
            return Shown("", "", False)
        return _show(section, value, plain, is_signed)

    def _section_of(self, value: Decimal) -> tuple[_Section | None, bool]:
        """Return the section for the number, and whether a minus sign precedes what it shows."""
        sections, is_negative = self.sections, value < 0
        if not sections:
            return None, False
        if any(section.condition for section in sections):
            chosen = next((each for each in sections if each.applies(value)), None)
            chosen = chosen or next((each for each in sections if each.condition is None), None)
            return chosen, is_negative and not (chosen and chosen.is_of_negatives)
        if is_negative and len(sections) > 1:
            return sections[1], False
        if not value and len(sections) > 2:
            return sections[2], False
        return sections[0], is_negative


def built_in(number: int) -> Format | None:
    """Return the format with an id that workbooks do not spell out; None for General."""
    if number in _BUILT_IN_DATES:
        return compile_format("yyyy-mm-dd")
    return compile_format(_BUILT_IN[number]) if number in _BUILT_IN else None


@lru_cache(maxsize=1024)
def compile_format(code: str) -> Format | None:
    """Return the format of a code, or None if it shows numbers as General does."""
    if code.lower() in {"general", "@", ""} or len(code) > MAX_CODE:
        return None
    split = _sections(code)
    if _is_date(split[0]):
        return Format(True, 0, (), None)
    around = None
    if len(split) > 3 or "@" in split[-1]:
        around = _around(split[3 if len(split) > 3 else -1])
        split = split[: 3 if len(split) > 3 else -1]
    sections = tuple(_section(signs) for signs in split)
    zeros = len(code) if re.fullmatch("0{1,40}", code) else 0
    return Format(False, zeros, sections, around)


def _sections(code: str) -> list[list[str]]:
    sections: list[list[str]] = [[]]
    for sign in _TOKEN.findall(code):
        if sign == ";":
            sections.append([])
        else:
            sections[-1].append(sign)
    return sections


def _is_date(signs: list[str]) -> bool:
    return any(
        (len(sign) == 1 and sign in "dmyhsDMYHS") or _ELAPSED.fullmatch(sign) or sign.lower() in {"am/pm", "a/p"}
        for sign in signs
    )


def _around(signs: list[str]) -> tuple[str, str] | None:
    """Return what a format puts before and after a text, or None."""
    if "@" not in signs:
        return None
    place = signs.index("@")
    before = "".join(_literal(sign) for sign in signs[:place])
    after = "".join(_literal(sign) for sign in signs[place + 1 :] if sign != "@")
    return (before.lstrip(), after.rstrip()) if (before + after).strip() else None


def _literal(sign: str) -> str:
    """Return the text that a sign other than a placeholder represents."""
    if sign[0] == '"':
        return sign[1:].removesuffix('"')
    if sign[0] == "\\":
        return sign[1:]
    if sign[0] == "_":
        return " "
    if sign[0] == "*":
        return ""
    if sign[0] == "[":
        # A currency: [$€-407].
        return sign[2:-1].partition("-")[0] if sign.startswith("[$") else ""
    return sign


def _section(signs: list[str]) -> _Section:
    condition = next((found for sign in signs if (found := _CONDITION.fullmatch(sign))), None)
    bound = (condition[1], Decimal(condition[2])) if condition else None
    places = [index for index, sign in enumerate(signs) if sign in {"0", "#", "?"}]
    if _is_exponent_or_fraction(signs, places):
        return _Section(is_general=True, condition=bound)
    point = next((index for index, sign in enumerate(signs) if sign == "."), len(signs))
    if not places and "%" not in signs:
        point = len(signs)
    before = [index for index in places if index < point]
    parts: tuple[list[str], list[str]] = ([], [])
    is_grouped, scale = False, 0
    for index, sign in enumerate(signs):
        if index == point:
            continue
        part = parts[index > point]
        if sign in {"0", "#", "?"}:
            part.append(sign)
        elif sign == "," and before and before[0] < index < before[-1]:
            is_grouped = True
        elif sign == "," and places and places[0] < index:
            scale -= 3
        elif sign == "%":
            scale += 2
            part.append(" %")
        elif sign.lower() == "general" or sign == "@":
            part.append("G")
        elif text := _literal(sign):
            part.append(f" {text}")
    return _Section(
        tuple(parts[0]),
        tuple(parts[1]),
        point < len(signs),
        is_grouped,
        max(-30, min(scale, 30)),
        False,
        any(part.startswith(" ") for part in (*parts[0], *parts[1])),
        bound,
    )


def _is_exponent_or_fraction(signs: list[str], places: list[int]) -> bool:
    """Whether a section lays out its number, whose placeholders stand at `places`, in more than its digits."""
    return bool(places) and any(
        sign in {"E+", "E-", "e+", "e-"} or (sign == "/" and places[0] < index < places[-1])
        for index, sign in enumerate(signs)
    )


def _show(section: _Section, value: Decimal, plain: str, is_signed: bool) -> Shown:
    if section.is_general:
        return Shown(plain, plain, False)
    wanted = sum(part in {"0", "#", "?"} for part in section.decimals)
    rounded = _WIDE.quantize(
        _WIDE.scaleb(abs(value if value == value.to_integral_value() else _EXACT.plus(value)), section.scale),
        Decimal(1).scaleb(-wanted),
    )
    whole, _point, decimals = f"{rounded:f}".partition(".")
    whole = whole.lstrip("0")
    bare = plain.removeprefix("-")
    parts = _whole(section.whole, whole, bare)
    if not any(part in {"0", "#", "?", "G"} for part in section.whole) and section.has_point:
        parts.append((whole, True))
    end = (["."] if section.has_point else []) + _decimals(section.decimals, decimals, bare)
    ungrouped = "".join(text for text, _is_digits in parts) + "".join(end)
    grouped = _grouped(parts) + "".join(end) if section.is_grouped else ungrouped
    sign = "-" if is_signed and rounded else ""
    text, ungrouped = (sign + grouped).strip(), (sign + ungrouped).strip()
    return Shown(text, ungrouped, section.whole.count("0") > 1 or ungrouped != plain)


def _whole(pattern: tuple[str, ...], digits: str, plain: str) -> list[tuple[str, bool]]:
    """Return the part before the point as (piece, is of digits); the first placeholder takes all remaining digits."""
    left = sum(part in {"0", "#", "?"} for part in pattern)
    pieces = []
    is_first = True
    for part in pattern:
        if part not in {"0", "#", "?"}:
            pieces.append((plain if part == "G" else part[1:], False))
            continue
        left -= 1
        end = len(digits) - left
        taken = digits[: max(end, 0)] if is_first else digits[max(end - 1, 0) : max(end, 0)]
        is_first = False
        pieces.append((taken or {"0": "0", "?": " ", "#": ""}[part], True))
    return pieces


def _decimals(pattern: tuple[str, ...], digits: str, plain: str) -> list[str]:
    significant = len(digits.rstrip("0"))
    pieces, place = [], 0
    for part in pattern:
        if part not in {"0", "#", "?"}:
            pieces.append(plain if part == "G" else part[1:])
            continue
        digit = digits[place]
        pieces.append(digit if part == "0" or place < significant else {"?": " ", "#": ""}[part])
        place += 1
    return pieces


def _grouped(pieces: list[tuple[str, bool]]) -> str:
    """Return the pieces with a comma before each third digit, counted from the right."""
    count, out = 0, []
    for text, is_digits in reversed(pieces):
        if not is_digits:
            out.append(text)
            continue
        for digit in reversed(text):
            if count and count % 3 == 0:
                out.append(",")
            out.append(digit)
            count += digit.isdigit()
    return "".join(reversed(out))
