"""Reads separated values: finds out the encoding and the separator, and streams the records."""

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
# A record, which may run over many lines, in characters; it stands in memory as a whole.
MAX_RECORD = 1024 * 1024
# Spreadsheets write out empty rows to the end of their grid; so far they may go.
MAX_RECORDS = 1_048_576
SAMPLE = 64 * 1024
SAMPLE_RECORDS = 100
# Text has hardly any of these; a file in which they are common is something else.
_CONTROLS = frozenset(range(32)) - {9, 10, 13}
# DOS ended a text with it, and some programs still do.
_END_MARK, _END_BLANKS = b"\x1a", b"\r\n\0 \x1a"
# So Excel is told to keep the zeros: ="000123".
_KEPT_TEXT = re.compile(r'\s*="((?:[^"]|"")*)"\s*')
_SEPARATOR_LINE = re.compile(r'"?sep=([^\w\s"]|\t)"?(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_ENCODINGS = encodings.SHORT | {"utf-8": "UTF-8", "utf-8-sig": "UTF-8"}


@dataclass(frozen=True)
class CsvSource:
    """Where and how the records lie. `encoding` is a codec's name; Excel's `sep=;` is a separator line.

    `readings` are how each encoding reads a sample, the likeliest first, where the file does not say which it has.
    """

    path: Path
    encoding: str
    separator: str
    has_separator_line: bool = False
    skips_spaces: bool = False
    # Where an end mark of DOS stands, in bytes, if one does.
    end: int | None = None
    readings: tuple[Reading, ...] = ()

    kind = "csv"
    sheet = ""
    sheets = ()

    @property
    def dialect(self) -> tuple[str, ...]:
        """The separator's name, where there is one, and the encoding's."""
        names = {"": _("one column"), ",": _("commas"), ";": _("semicolons"), "\t": _("tabs"), "|": _("vertical bars")}
        separator = names.get(self.separator, _("separated by %(sign)s") % {"sign": self.separator})
        return separator, _ENCODINGS.get(self.encoding, "UTF-16")

    def rows(self) -> Generator[tuple[int, list[str]], None, int]:  # noqa: PLR0912
        """Yield (row number, cells) of every record that holds something. Raises Refused.

        At its end the generator returns the number of the last record, be it empty or not.
        """
        number = 0
        lines = _Lines()
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
                    # Nearly every row has something in its first cell; only the others are looked at whole.
                    if not (cells and cells[0].strip()) and not "".join(cells).strip():
                        continue
                    if number > MAX_ROWS:
                        raise too_many_rows()
                    if len(cells) > MAX_COLUMNS:
                        if "".join(cells[MAX_COLUMNS:]).strip():
                            raise too_many_columns(number)
                        del cells[MAX_COLUMNS:]
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
    """Find out how a file of separated values is written. Raises Refused where it is no text.

    `encoding` is what a person said; else it is told by the file, or guessed.
    """
    end = _find_end(path)
    known = _known_encoding(path, end)
    if encoding and not _decodes(path, encoding):
        raise _undecodable(_ENCODINGS.get(encoding, encoding))
    if not known or encoding:
        return _guessed(path, end, encoding, is_sure=bool(known))
    return _source(path, end, known)


def _guessed(path: Path, end: int | None, encoding: str, *, is_sure: bool) -> CsvSource:
    """The source of a file in the encoding given, or else in the likeliest that reads all of it."""
    # Whatever the letters are, the separators are ASCII.
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
    # The last character of the sample may be cut in half; an incremental decoder keeps it back.
    sample = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    if declared := _SEPARATOR_LINE.match(sample):
        separator, sample = declared[1], sample[declared.end() :]
    else:
        separator = _find_separator(sample)
    skips_spaces = _has_spaces_before_quotes(sample, separator)
    return CsvSource(path, encoding, separator, bool(declared), skips_spaces, end)


class _Monster(Exception):
    """A record that does not end."""


class _Binary(Exception):
    """A NUL where text should be."""


class _Lines:
    """Hands lines to the csv module, counting the characters since the last record in `taken`.

    `has_special` says whether a line held what may be an error of Excel or a text made of a formula.
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
    """The bytes of a file up to a place."""

    def __init__(self, file: io.FileIO, end: int) -> None:
        self.file, self.left = file, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read as RawIOBase asks for it."""
        piece = self.file.read(min(len(buffer), self.left))
        buffer[: len(piece)] = piece
        self.left -= len(piece)
        return len(piece)

    def close(self) -> None:
        self.file.close()
        super().close()


def _open(path: Path, end: int | None) -> io.BufferedReader:
    """The file as bytes, up to its end mark."""
    if end is None:
        return path.open("rb")
    return io.BufferedReader(_Until(path.open("rb", buffering=0), end))


def _find_end(path: Path) -> int | None:
    """Where the end mark stands behind which nothing follows, if there is one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 4096))
        tail = file.read()
    kept = tail.rstrip(_END_BLANKS)
    mark = tail.find(_END_MARK, len(kept))
    if mark < 0:
        return None
    place = size - len(tail) + mark
    # In UTF-16 with its big end first, the mark is the second half of a character.
    return place - 1 if place % 2 and mark and tail[mark - 1] == 0 else place


def _plain(cells: list[str]) -> list[str]:
    """The cells of a row in which errors of Excel are empty, and texts made of formulas are texts."""
    remarks = []
    for index, cell in enumerate(cells):
        if "#" in cell and (error := cell.strip()) in ERRORS:
            cells[index] = ""
            remarks.append(Remark(index, "error", error))
        elif '="' in cell and (kept := _KEPT_TEXT.fullmatch(cell)):
            cells[index] = kept[1].replace('""', '"')
    return RemarkedRow(cells, remarks) if remarks else cells


def _format(separator: str, skips_spaces: bool) -> dict:
    # A file of one column has no separator; the unit separator occurs in no text.
    return {"delimiter": separator or "\x1f", "skipinitialspace": skips_spaces}


def _known_encoding(path: Path, end: int | None) -> str:
    """The codec that reads the file, or "": by its byte-order mark, by NULs in every other place, or as UTF-8."""
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
    """The separator with which most records are of one width above one; the wider of two; "" for none."""
    best, best_score = "", (0, 0)
    for separator in SEPARATORS:
        widths = _widths(sample, separator)
        records = widths.total()
        del widths[1]
        width, agreeing = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
        if not records and separator in sample:
            # Nothing but separators.
            width = 2
        # A comma in the title of a list is no separator.
        if width > 1 and agreeing * 4 >= records and (agreeing, width) > best_score:
            best, best_score = separator, (agreeing, width)
    return best


def _has_spaces_before_quotes(sample: str, separator: str) -> bool:
    """Whether some put a space after each separator, so that a quotation mark does not begin its value."""
    border = re.escape(separator) + r"\r\n"
    # Values quoted as they should be are taken out, for they may hold anything.
    rest = re.sub(rf'(^|[{border}])"(?:[^"]|"")*+"(?=[{border}]|$)', r"\1", sample)
    return bool(separator) and f"{separator} " in rest and re.search(rf'[{border}] +"', rest) is not None


def _widths(sample: str, separator: str) -> Counter:
    """How often each width occurs among the first records that hold something, read with this separator."""
    widths: Counter = Counter()
    records = csv.reader(io.StringIO(sample, newline=""), **_format(separator, skips_spaces=True))
    try:
        for cells in islice(records, SAMPLE_RECORDS):
            if any(cells):
                widths[len(cells)] += 1
    except csv.Error:
        # As far as it could be read it tells.
        pass
    return widths


def _binary() -> Refused:
    return refuse("unknown_file", _("This is no text and no workbook. Save the table as CSV or XLSX."))


def _undecodable(encoding: str = "") -> Refused:
    if encoding:
        sentence = _("The file can't be read as %(encoding)s. Choose another encoding.")
        return refuse("unreadable_text", sentence % {"encoding": encoding})
    return refuse(
        "unreadable_text", _("The file's characters can't be read in any known encoding. Save it as CSV in UTF-8.")
    )


def _monster(row: int) -> Refused:
    return refuse(
        "endless_row",
        _("Row %(row)s does not end. Perhaps a quotation mark was opened there and never closed.")
        % {"row": number_format(row, force_grouping=True)},
    )


def _broken_record(row: int, reason: str) -> Refused:
    """The csv module tells its errors apart by their text alone."""
    if "field limit" in reason or "unexpected end" in reason:
        return _monster(row)
    return refuse(
        "broken_quotes",
        _("In row %(row)s text follows a closing quotation mark. Double the marks that belong to the text.")
        % {"row": number_format(row, force_grouping=True)},
    )
