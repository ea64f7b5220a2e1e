"""Guesses the encoding of a text that does not declare it, and shows how others would read it.

UTF-8 and UTF-16 are recognised with certainty. In each of the others, most bytes are letters, so what distinguishes
them is whether the resulting letters belong to one language, and are in places where letters occur.
"""

import codecs
import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

# The name that people know, by codec. The first of two that read the same wins.
NAMES = {
    "cp1252": _("Windows-1252 (Western European)"),
    "cp1250": _("Windows-1250 (Central European)"),
    "cp850": _("CP850 (DOS)"),
    "mac_roman": _("Mac Roman"),
    "cp1251": _("Windows-1251 (Cyrillic)"),
    "cp1253": _("Windows-1253 (Greek)"),
    "cp1254": _("Windows-1254 (Turkish)"),
    "gb18030": _("GB 18030 (Simplified Chinese)"),
    "big5": _("Big5 (Traditional Chinese)"),
    "cp932": _("Shift JIS (Japanese)"),
    "cp949": _("CP949 (Korean)"),
}
# The short names, for one line.
SHORT = {
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250",
    "cp850": "CP850",
    "mac_roman": "Mac Roman",
    "cp1251": "Windows-1251",
    "cp1253": "Windows-1253",
    "cp1254": "Windows-1254",
    "gb18030": "GB 18030",
    "big5": "Big5",
    "cp932": "Shift JIS",
    "cp949": "CP949",
}
# How many bytes are examined, in total and of each line; how many cells are shown, and how much of each.
MOST, LONGEST, CELLS, CELL = 12 * 1024, 1024, 5, 60
# Two readings whose points differ by less than this can both be right.
CLOSE = 0.25
# A reading with fewer points than this is not good.
GOOD = 0.5
_LANGUAGES = [
    frozenset(letters + letters.upper())
    for letters in (
        "äöüß",
        "éèêëàâçîïôûùœæ",
        "áéíóúñüº",
        "àèéìíòóùú",
        "áâãàçéêíóôõú",
        "ëïéèöü",
        "æøå",
        "åäöé",
        "ąćęłńóśźż",
        "áčďéěíňóřšťúůýž",
        "áäčďéíĺľňóôŕšťúýž",
        "áéíóöőúüű",
        "ăâîșțşţ",
        "čćđšž",
        "çğıöşüİ",
        "äõöüšž",
        "áðéíóúýþæö",
    )
]
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "CJK UNIFIED", "HIRAGANA", "KATAKANA", "HANGUL SYLLABLE")
# Characters that occur between letters, and those that occur beside words and numbers.
_JOINING = frozenset("’‘´–·\xa0\xad")
_USUAL = frozenset("°µ±²³×½¼®©™§€“”„‚‘’–—…•«»№‹›")


@dataclass(frozen=True)
class Reading:
    """How one encoding reads the cells of a sample, and the points in its favour: at most 2."""

    encoding: str
    cells: tuple[str, ...]
    points: float


@dataclass(frozen=True)
class Sample:
    """The lines of a file that contain more than ASCII, as bytes, with the separator of their cells."""

    lines: tuple[bytes, ...]
    separator: str

    def readings(self) -> list[Reading]:
        """Return how each encoding that can read them does so, the likeliest first; of equal readings, only one."""
        texts = {encoding: text for encoding in NAMES if (text := _decoded(self.lines, encoding)) is not None}
        judged = sorted(texts, key=lambda encoding: -points(texts[encoding]))
        places = _places(_table(texts[judged[0]], self.separator)) if judged else []
        readings: dict[str, Reading] = {}
        for encoding in judged:
            table = _table(texts[encoding], self.separator)
            cells = tuple(_cell(table, row, column) for row, column in places)
            readings.setdefault(texts[encoding], Reading(encoding, cells, points(texts[encoding])))
        return list(readings.values())


def sample_of(file: BinaryIO, separator: str) -> Sample:
    """Return the first lines of a file that contain more than ASCII."""
    lines: list[bytes] = []
    while sum(map(len, lines)) < MOST and (line := file.readline(64 * 1024)):
        if not line.isascii():
            lines.append(line[:LONGEST])
    return Sample(tuple(lines), separator)


def are_unclear(readings: list[Reading]) -> bool:
    """Whether another reading may be as right as the first, or none is good."""
    return len(readings) > 1 and (readings[0].points < GOOD or readings[0].points - readings[1].points < CLOSE)


@lru_cache(maxsize=64)
def points(text: str) -> float:
    """Rate whether a text is read correctly: at most 1 for the places of its letters, and 1 for their language."""
    found = [
        (text[i - 1 : i] or " ", each, text[i + 1 : i + 2] or " ") for i, each in enumerate(text) if not each.isascii()
    ]
    if not found:
        return 0.0
    weight = sum(_fits(*each) for each in found) / len(found)
    return weight + _language(Counter(each for _before, each, _after in found if each.isalpha()))


def _language(letters: Counter[str]) -> float:
    """Return the share of the letters that a single language explains."""
    total = letters.total()
    if not total:
        return 0.5
    scripts = Counter(dict.fromkeys(_SCRIPTS, 0))
    for letter, count in letters.items():
        scripts[_script(letter)] += count
    latin = max(sum(n for letter, n in letters.items() if letter in language) for language in _LANGUAGES)
    japanese = scripts["HIRAGANA"] + scripts["KATAKANA"]
    others = (
        scripts["CYRILLIC"],
        scripts["GREEK"],
        scripts["CJK UNIFIED"] if not japanese else 0,
        scripts["HANGUL SYLLABLE"],
        japanese + scripts["CJK UNIFIED"] if japanese else 0,
    )
    return max(latin, *others) / total


def _fits(before: str, each: str, after: str) -> float:
    """Rate from -3 to 1 whether a non-ASCII character is in a place where such characters occur."""
    category, inside = unicodedata.category(each), before.isalpha() and after.isalpha()
    if category[0] == "C" and each != "\xad":
        return -3
    if not each.isalpha() or each in _USUAL:
        if "\u2500" <= each <= "\u259f":
            return -2
        if inside:
            return 0.5 if each in _JOINING else -1.5
        return 1 if each in _USUAL else -0.5 if before.isalpha() or after.isalpha() else 0
    script, is_alone = _script(each), not (before.isalpha() or after.isalpha())
    if script == "LATIN":
        if not any(each in language for language in _LANGUAGES):
            return -0.5
        if _is_misplaced(before, each, after):
            return -1.5
        # Hardly any word has no plain letter.
        return 1 if any(side.isascii() and side.isalpha() for side in (before, after)) else 0.3
    if any(side.isascii() and side.isalpha() for side in (before, after)):
        return -1
    if script in {"CYRILLIC", "GREEK"}:
        return 0 if is_alone else -1.5 if each.isupper() and before.islower() else 1
    if script == "CJK UNIFIED":
        return 0.9 if _is_common(each) else -0.5
    return 1 if script in _SCRIPTS else -0.5


def _is_misplaced(before: str, each: str, after: str) -> bool:
    """Whether it is a capital after a small letter, a small one before a capital, or between two accented ones."""
    return (
        (each.isupper() and before.islower())
        or (each.islower() and after.isupper() and not before.isupper())
        or (before.isalpha() and after.isalpha() and not before.isascii() and not after.isascii())
    )


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return next((script for script in _SCRIPTS if name.startswith(script)), "")


@lru_cache(maxsize=4096)
def _is_common(letter: str) -> bool:
    """Whether a Chinese character is in the first level of any of the three national character sets."""
    for encoding, first, last in (("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6), ("cp932", 0x88, 0x97)):
        try:
            if first <= letter.encode(encoding)[0] <= last:
                return True
        except UnicodeError:
            continue
    return False


def _decoded(lines: Iterable[bytes], encoding: str) -> str | None:
    """Return the lines as text, or None if they can't be decoded. The last character of a cut line may be missing."""
    texts = []
    for line in lines:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            texts.append(decoder.decode(line, final=len(line) < LONGEST).rstrip("\r\n"))
        except UnicodeError:
            return None
    return "\n".join(texts)


def _table(text: str, separator: str) -> list[list[str]]:
    lines = []
    for line in text.split("\n"):
        try:
            lines.append(next(csv.reader(io.StringIO(line), delimiter=separator or "\x1f"), []))
        except csv.Error:
            lines.append([line])
    return lines


def _places(table: list[list[str]]) -> list[tuple[int, int]]:
    """Return the positions of the first different cells that contain more than ASCII."""
    seen: dict[str, tuple[int, int]] = {}
    for row, cells in enumerate(table):
        for column, cell in enumerate(cells):
            if not cell.isascii() and len(seen) < CELLS:
                seen.setdefault(cell, (row, column))
    return list(seen.values())


def _cell(table: list[list[str]], row: int, column: int) -> str:
    cells = table[row] if row < len(table) else []
    text = " ".join((cells[column] if column < len(cells) else "").split())
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"
