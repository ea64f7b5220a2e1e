"""Reads separated values: detects the encoding and the separator, and streams the records."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from console.errors import Refused
from console.tabular import encodings
from console.tabular.cells import ERRORS, Remark, RemarkedRow
from console.tabular.encodings import Reading
from console.tabular.guards import MAX_COLUMNS, MAX_ROWS, refuse, too_many_columns, too_many_rows

SEPARATORS = (";", "\t", "|", ",")
# The longest record, which may span many lines, in characters; it is held in memory as a whole.
MAX_RECORD = 1024 * 1024
# Spreadsheets write out empty rows to the end of their grid, which has this many.
MAX_RECORDS = 1_048_576
SAMPLE = 64 * 1024
SAMPLE_RECORDS = 100
# Text hardly contains these; a file in which they are common is not text.
_CONTROLS = frozenset(range(32)) - {9, 10, 13}
# DOS ended a text with this, and some programs still do.
_END_MARK, _END_BLANKS = b"\x1a", b"\r\n\0 \x1a"
# How a file tells Excel to keep the zeros: ="000123".
_KEPT_TEXT = re.compile(r'\s*="((?:[^"]|"")*)"\s*')
_SEPARATOR_LINE = re.compile(r'"?sep=([^\w\s"]|\t)"?(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_ENCODINGS = encodings.SHORT | {"utf-8": "UTF-8", "utf-8-sig": "UTF-8"}


@dataclass(frozen=True)
class CsvSource:
    """Where the records are and how they are written. `encoding` is a codec; Excel's `sep=;` is a separator line.

    `readings` are how each encoding reads a sample, the likeliest first, if the file does not declare its encoding.
    """

    path: Path
    encoding: str
    separator: str
    has_separator_line: bool = False
    skips_spaces: bool = False
    # The position of a DOS end mark in bytes, if there is one.
    end: int | None = None
    readings: tuple[Reading, ...] = ()

    kind = "csv"
    sheet = ""
    sheets = ()

    @property
    def dialect(self) -> tuple[str, ...]:
        """Return the separator's name, if there is one, and the encoding's."""
        names = {"": _("one column"), ",": _("commas"), ";": _("semicolons"), "\t": _("tabs"), "|": _("vertical bars")}
        separator = names.get(self.separator, _("separated by %(sign)s") % {"sign": self.separator})
        return separator, _ENCODINGS.get(self.encoding, "UTF-16")

    def rows(self) -> Generator[tuple[int, list[str]], None, int]:
        """Yield (row number, cells) of every record that holds values. Raises Refused.

        At its end the generator returns the number of the last record, whether empty or not.
        """
        number, lines = 0, _Lines()
        try:
            with _open(self.path, self.end) as binary:
                text = io.TextIOWrapper(binary, encoding=self.encoding, newline="")
                if self.has_separator_line:
                    text.readline()
                shape = _format(self.separator, self.skips_spaces)
                for cells in csv.reader(lines.of(text), **shape, strict=True):
                    number += 1
                    lines.taken = 0
                    if number > MAX_RECORDS:
                        raise too_many_rows()
                    # Nearly every row has a value in its first cell; only the others are checked in full.
                    if not (cells and cells[0].strip()) and not "".join(cells).strip():
                        continue
                    if number > MAX_ROWS:
                        raise too_many_rows()
                    if len(cells) > MAX_COLUMNS:
                        _cut_empty_columns(number, cells)
                    if not lines.has_special:
                        yield number, cells
                        continue
                    lines.has_special = False
                    seen = _plain(cells)
                    if type(seen) is RemarkedRow or "".join(seen).strip():
                        yield number, seen
                return number
        except _Monster as error:
            raise _monster(number + 1) from error
        except _Binary as error:
            raise _binary() from error
        except UnicodeError as error:
            raise _undecodable() from error
        except csv.Error as error:
            raise _broken_record(number + 1, str(error)) from error


def find_source(path: Path, encoding: str = "") -> CsvSource:
    """Detect how a file of separated values is written. Raises Refused if it is not text.

    `encoding` is what a person chose; without it, the encoding is detected or guessed.
    """
    end = _find_end(path)
    known = _known_encoding(path, end)
    if encoding and not _decodes(path, encoding):
        raise _undecodable(_ENCODINGS.get(encoding, encoding))
    if not known or encoding:
        return _guessed(path, end, encoding, is_sure=bool(known))
    return _source(path, end, known)


def _guessed(path: Path, end: int | None, encoding: str, *, is_sure: bool) -> CsvSource:
    """Return the source of a file in the given encoding, or else in the likeliest one that can read all of it."""
    # Whatever the encoding of the letters, the separators are ASCII.
    source = _source(path, end, encoding or "latin-1")
    if is_sure:
        return source
    with _open(path, end) as binary:
        readings = tuple(encodings.sample_of(binary, source.separator).readings())
    if not encoding:
        encoding = next((each.encoding for each in readings if _decodes(path, each.encoding)), "")
        if not encoding:
            raise _undecodable()
    return replace(source, encoding=encoding, readings=readings)


def _source(path: Path, end: int | None, encoding: str) -> CsvSource:
    with _open(path, end) as binary:
        head = binary.read(SAMPLE)
    # The last character of the sample may be cut in half; an incremental decoder holds it back.
    sample = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    if declared := _SEPARATOR_LINE.match(sample):
        separator, sample = declared[1], sample[declared.end() :]
    else:
        separator = _find_separator(sample)
    skips_spaces = _has_spaces_before_quotes(sample, separator)
    return CsvSource(path, encoding, separator, bool(declared), skips_spaces, end)


def _cut_empty_columns(number: int, cells: list[str]) -> None:
    """Cut the cells beyond the last permitted column. Raises Refused if one of them holds a value."""
    if "".join(cells[MAX_COLUMNS:]).strip():
        raise too_many_columns(number)
    del cells[MAX_COLUMNS:]


class _Monster(Exception):
    """A record that does not end."""


class _Binary(Exception):
    """A NUL where text should be."""


class _Lines:
    """Passes lines to the csv module, counting the characters since the last record in `taken`.

    `has_special` is whether a line contained a possible error of Excel or a text written as a formula.
    """

    taken = 0
    has_special = False

    def of(self, text: io.TextIOWrapper) -> Iterator[str]:
        readline = text.readline
        while line := readline(MAX_RECORD):
            self.taken += len(line)
            if self.taken >= MAX_RECORD:
                raise _Monster
            if "\0" in line:
                raise _Binary
            if "#" in line or '="' in line:
                self.has_special = True
            yield line


class _Until(io.RawIOBase):
    """The bytes of a file up to a position."""

    def __init__(self, file: io.FileIO, end: int) -> None:
        self.file, self.left = file, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into the buffer, as RawIOBase requires."""
        piece = self.file.read(min(len(buffer), self.left))
        buffer[: len(piece)] = piece
        self.left -= len(piece)
        return len(piece)

    def close(self) -> None:
        self.file.close()
        super().close()


def _open(path: Path, end: int | None) -> io.BufferedReader:
    """Open the file as bytes, up to its end mark."""
    if end is None:
        return path.open("rb")
    return io.BufferedReader(_Until(path.open("rb", buffering=0), end))


def _find_end(path: Path) -> int | None:
    """Return the position of an end mark that nothing follows, or None."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 4096))
        tail = file.read()
    kept = tail.rstrip(_END_BLANKS)
    mark = tail.find(_END_MARK, len(kept))
    if mark < 0:
        return None
    place = size - len(tail) + mark
    # In big-endian UTF-16 the mark is the second half of a character.
    return place - 1 if place % 2 and mark and tail[mark - 1] == 0 else place


def _plain(cells: list[str]) -> list[str]:
    """Return the cells of a row with Excel's errors emptied, and texts written as formulas converted to plain texts."""
    remarks = []
    for index, cell in enumerate(cells):
        if "#" in cell and (error := cell.strip()) in ERRORS:
            cells[index] = ""
            remarks.append(Remark(index, "error", error))
        elif '="' in cell and (kept := _KEPT_TEXT.fullmatch(cell)):
            cells[index] = kept[1].replace('""', '"')
    return RemarkedRow(cells, remarks) if remarks else cells


def _format(separator: str, skips_spaces: bool) -> dict[str, Any]:
    # A file with one column has no separator, and the unit separator (U+001F) does not occur in text.
    return {"delimiter": separator or "\x1f", "skipinitialspace": skips_spaces}


def _known_encoding(path: Path, end: int | None) -> str:
    """Detect the codec by a byte-order mark, by NULs in every other place, or as UTF-8; "" if it is none of these."""
    with _open(path, end) as binary:
        head = binary.read(4096)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in head:
        first, second = head[0::2].count(0), head[1::2].count(0)
        half = len(head) // 2
        if second > 0.4 * half and first < 0.05 * half:
            return "utf-16-le"
        if first > 0.4 * half and second < 0.05 * half:
            return "utf-16-be"
        raise _binary()
    if _control_share(head.decode("latin-1")) > 0.02:
        raise _binary()
    return "utf-8" if _decodes(path, "utf-8") else ""


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as binary:
            while chunk := binary.read(1024 * 1024):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _control_share(sample: str) -> float:
    counts = Counter(sample)
    return sum(counts[chr(code)] for code in _CONTROLS) / max(len(sample), 1)


def _find_separator(sample: str) -> str:
    """Return the separator with which most records agree on a width above 1; of two, the wider; "" for none."""
    best, best_score = "", (0, 0)
    for separator in SEPARATORS:
        widths = _widths(sample, separator)
        records = widths.total()
        del widths[1]
        width, agreeing = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
        if not records and separator in sample:
            # The records hold only separators.
            width = 2
        # A comma in the title of a list is not a separator.
        if width > 1 and agreeing * 4 >= records and (agreeing, width) > best_score:
            best, best_score = separator, (agreeing, width)
    return best


def _has_spaces_before_quotes(sample: str, separator: str) -> bool:
    """Whether separators are followed by a space, so that a quotation mark would not begin its value."""
    border = re.escape(separator) + r"\r\n"
    # Correctly quoted values are removed first, because they may contain anything.
    rest = re.sub(rf'(^|[{border}])"(?:[^"]|"")*+"(?=[{border}]|$)', r"\1", sample)
    return bool(separator) and f"{separator} " in rest and re.search(rf'[{border}] +"', rest) is not None


def _widths(sample: str, separator: str) -> Counter[Any]:
    """Count how often each width occurs among the first records that hold values, read with this separator."""
    widths: Counter[Any] = Counter()
    records = csv.reader(io.StringIO(sample, newline=""), **_format(separator, skips_spaces=True))
    try:
        for cells in islice(records, SAMPLE_RECORDS):
            if any(cells):
                widths[len(cells)] += 1
    except csv.Error:
        # The records up to the error are enough.
        pass
    return widths


def _binary() -> Refused:
    return refuse("unknown_file", _("This is neither text nor a workbook. Save the table as CSV or XLSX."))


def _undecodable(encoding: str = "") -> Refused:
    if encoding:
        sentence = _("The file can't be read as %(encoding)s. Choose another encoding.")
        return refuse("unreadable_text", sentence % {"encoding": encoding})
    return refuse("unreadable_text", _("The file's encoding isn't supported. Save it as CSV in UTF-8."))


def _monster(row: int) -> Refused:
    return refuse(
        "endless_row",
        _("Row %(row)s doesn't end. A quotation mark may have been opened there and never closed.")
        % {"row": number_format(row, force_grouping=True)},
    )


def _broken_record(row: int, reason: str) -> Refused:
    """Return the refusal of a broken record. The csv module's errors differ only in their text."""
    if "field limit" in reason or "unexpected end" in reason:
        return _monster(row)
    return refuse(
        "broken_quotes",
        _("In row %(row)s, text follows a closing quotation mark. Double the quotation marks that belong to the text.")
        % {"row": number_format(row, force_grouping=True)},
    )
