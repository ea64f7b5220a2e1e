"""Reads one sheet of an XLSX workbook as a stream, so that neither its grid nor its size costs memory.

Source: ECMA-376-1, 18.2 (workbook), 18.3 (worksheets), 18.4 (shared strings) and 18.8 (styles).
"""

import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate, chain
from pathlib import Path

from django.utils.translation import gettext as _

from console.tabular.cells import Remark, RemarkedRow, letters, number_of, text_of, unescape
from console.tabular.formats import Format, built_in, compile_format
from console.tabular.guards import (
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_SHARED_STRINGS,
    MAX_UNPACKED,
    check_archive,
    damaged,
    no_workbook,
    refuse,
    too_large_inside,
    too_many_columns,
    too_many_rows,
)
from console.tabular.package import MAX_DEPTH, Package, local, open_package

# Excel's own limit of a cell, and the pieces in which the parser may hand out so much.
MAX_TEXT = 32_767
MAX_PIECES = 64
# Characters in the rows of one chunk; a row itself may hold half of them.
MAX_WAITING = 4 * 1024 * 1024
MAX_SHARED_TEXT = 48 * 1024 * 1024
BLOCK = 1024
# How well the rows of a sheet are understood; no other sheet is looked at once it is so much.
Rank = Callable[[Iterator[tuple[int, list[str]]]], int]
UNDERSTOOD = 1_000_000
# Excel permits some 200 formats of its own in a workbook.
MAX_FORMATS = 5_000
_TRUE = {"1", "true"}
_MERGED = re.compile(
    rb"""<(?:\w{1,32}:)?mergeCell\s[^<>]{0,200}?\bref\s*=\s*["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']"""
)

_LETTERS = [letters(index) for index in range(MAX_COLUMNS)]


class SharedStrings:
    """The workbook's strings, packed into blocks: as objects, so many would cost several times the memory.

    One large buffer would be no smaller, for it is copied as it grows.
    """

    def __init__(self) -> None:
        self._blocks: list[tuple[bytes, array]] = []
        self._last: list[bytes] = []
        self._size = 0

    def append(self, text: str) -> None:
        """Add a string. Raises Refused where there are too many."""
        self._last.append(text.encode())
        self._size += len(self._last[-1])
        if len(self._last) == BLOCK:
            ends = array("L", [0, *accumulate(map(len, self._last))])
            self._blocks.append((b"".join(self._last), ends))
            self._last = []
        if self._size > MAX_SHARED_TEXT or len(self._blocks) * BLOCK > MAX_SHARED_STRINGS:
            raise too_large_inside()

    def __getitem__(self, index: int) -> str:
        if index < 0:
            raise IndexError(index)
        block, place = divmod(index, BLOCK)
        if block == len(self._blocks):
            return self._last[place].decode()
        text, ends = self._blocks[block]
        return text[ends[place] : ends[place + 1]].decode()


@dataclass
class _Workbook:
    """The sheets as (name, part, is visible), other parts as (kind, part), and what the cells refer to."""

    sheets: list[tuple[str, str, bool]] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)
    starts_1904: bool = False
    # Whoever wrote it leaves it to the reader to compute the formulas.
    is_uncomputed: bool = False
    formats: list[Format | None] = field(default_factory=list)
    has_text_formats: bool = False
    strings: SharedStrings = field(default_factory=SharedStrings)


@dataclass(frozen=True)
class XlsxSource:
    """One sheet of a workbook whose archive was checked. `part` is its place in the archive."""

    path: Path
    sheet: str
    part: str
    sheets: tuple[str, ...]

    kind = "xlsx"

    @property
    def dialect(self) -> tuple[str, ...]:
        """The sheet's name."""
        return (_("sheet %(name)s") % {"name": self.sheet},)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (row number, cells) of every row that holds something. Raises Refused."""
        with open_package(self.path) as package:
            book = _read_workbook(package)
            _read_references(package, book)
            yield from _read_rows(package, self.part, book)


def find_source(path: Path, sheet: str = "", rank: Rank | None = None) -> XlsxSource:
    """Check the archive and find the sheet of that name, else the one of the highest rank that holds something.

    Of equal ones the first is taken, and visible sheets come first. Raises Refused where the archive is hostile or
    broken, or no such sheet exists.
    """
    check_archive(path)
    with open_package(path) as package:
        book = _read_workbook(package)
        names = tuple(name for name, _part, _is_visible in book.sheets)
        if sheet:
            for name, part, _is_visible in book.sheets:
                if name == sheet:
                    return XlsxSource(path, name, part, names)
            raise refuse("no_such_sheet", _("The workbook has no sheet %(name)s.") % {"name": sheet})
        if len(book.sheets) == 1:
            # Whether it holds something is seen when it is read.
            return XlsxSource(path, *book.sheets[0][:2], names)
        _read_references(package, book)
        best: XlsxSource | None = None
        highest = -1
        for name, part, _is_visible in sorted(book.sheets, key=lambda entry: not entry[2]):
            rows = _read_rows(package, part, book)
            if first := next(rows, None):
                reached = rank(chain([first], rows)) if rank else UNDERSTOOD
                if reached > highest:
                    best, highest = XlsxSource(path, name, part, names), reached
                if reached >= UNDERSTOOD:
                    break
    if best:
        return best
    raise refuse("empty_file", _("The file holds no rows."))


def _read_workbook(package: Package) -> _Workbook:
    book = _Workbook()
    place = "xl/workbook.xml"
    for kind, name in package.related("").values():
        if kind == "officeDocument":
            place = name
    if place not in package.parts:
        raise no_workbook()
    relations = package.related(place)

    def take(path: tuple[str, ...], attributes: dict[str, str]) -> None:
        if path[-1] == "workbookPr":
            book.starts_1904 = attributes.get("date1904") in _TRUE
        elif path[-1] == "calcPr":
            book.is_uncomputed = attributes.get("fullCalcOnLoad") in _TRUE
        elif path[-2:] == ("sheets", "sheet"):
            reference = next((value for name, value in attributes.items() if local(name) == "id"), "")
            kind, part = relations[reference]
            # There are sheets of charts and of macros too.
            if kind == "worksheet":
                is_visible = attributes.get("state", "visible") == "visible"
                book.sheets.append((attributes["name"], part, is_visible))

    package.read(place, take)
    book.others = [(kind, part) for kind, part in relations.values() if part in package.parts]
    return book


def _read_references(package: Package, book: _Workbook) -> None:
    """Read into the book what its cells refer to. It takes long, for the strings may be all there is."""
    for kind, part in book.others:
        if kind == "styles":
            book.formats = _read_formats(package, part)
            book.has_text_formats = any(each and each.around_text for each in book.formats)
        elif kind == "sharedStrings":
            book.strings = _read_strings(package, part)


def _read_formats(package: Package, part: str) -> list[Format | None]:
    """How each cell style shows a number; None is as General does."""
    codes: dict[int, str] = {}
    styles = array("L")

    def take(path: tuple[str, ...], attributes: dict[str, str]) -> None:
        if path[-1] == "numFmt":
            codes[int(attributes["numFmtId"])] = attributes["formatCode"]
            if len(codes) > MAX_FORMATS:
                raise too_large_inside()
        elif path[-2:] == ("cellXfs", "xf"):
            styles.append(int(attributes.get("numFmtId", 0)))

    package.read(part, take)
    made = {number: compile_format(codes[number]) if number in codes else built_in(number) for number in set(styles)}
    return [made[number] for number in styles]


def _read_strings(package: Package, part: str) -> SharedStrings:
    """The shared strings, each without its formats and its pronunciation."""
    strings = SharedStrings()
    depth = skipped = 0
    is_collecting = False
    pieces: list[str] = []

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth, skipped, is_collecting
        depth += 1
        if depth > MAX_DEPTH:
            raise damaged()
        name = local(name)
        if name == "t":
            is_collecting = not skipped
        elif name == "rPh":
            skipped += 1

    def text(piece: str) -> None:
        if is_collecting:
            pieces.append(piece)
            # A rich text has a piece for each of its formats, so only the length counts here.
            if len(pieces) > MAX_PIECES and sum(map(len, pieces)) > MAX_TEXT:
                raise too_large_inside()

    def end(name: str) -> None:
        nonlocal depth, skipped, is_collecting
        depth -= 1
        name = local(name)
        if name == "t":
            is_collecting = False
        elif name == "rPh":
            skipped -= 1
        elif name == "si":
            strings.append("".join(pieces))
            pieces.clear()

    for _step in package.feed(part, start, end, text):
        pass
    return strings


def _read_rows(package: Package, part: str, book: _Workbook) -> Iterator[tuple[int, list[str]]]:  # noqa: PLR0915
    """Yield (row number, cells) of every row of a sheet that holds something.

    Cells without content may stand anywhere, for Excel formats whole columns and rows; content may not. The
    text is bounded as a whole, for a shared string may be long and referred to often.
    A row in which a formula has an error or no result counts as one that holds something.
    The handlers are closures, and ask for the commonest names first, because they run ten times for a cell.
    """
    ready: list[tuple[int, list[str]]] = []
    cells: list[str] = []
    remarks: list[Remark] = []
    merges = _Merges(package, part)
    pieces: list[str] = []
    row = depth = skipped = total = waiting = 0
    column = -1
    row_digits = kind = style = content = ""
    is_in_row = is_in_cell = is_in_text = is_formula = has_value = is_hidden = is_done = False

    def start(name: str, attributes: dict[str, str]) -> None:  # noqa: PLR0912
        nonlocal row, row_digits, column, depth, skipped, kind, style, is_in_row, is_in_cell, is_in_text
        nonlocal is_formula, has_value, is_hidden
        if name == "c":
            if is_in_cell or not is_in_row:
                raise damaged()
            is_in_cell = True
            column += 1
            place = attributes.get("r")
            if place is not None and (column >= MAX_COLUMNS or place != _LETTERS[column] + row_digits):
                column = _column(place, row_digits)
            kind, style = attributes.get("t", "n"), attributes.get("s", "")
            is_formula = has_value = False
        elif name == "v" or name == "t":  # noqa: PLR1714 - faster than a set
            if is_in_text:
                raise damaged()
            is_in_text = has_value = True
            pieces.clear()
        elif name == "row":
            if is_in_row:
                raise damaged()
            is_in_row = True
            number = int(attributes["r"]) if "r" in attributes else row + 1
            if number <= row:
                raise damaged()
            row, row_digits, column = number, str(number), -1
            is_hidden = attributes.get("hidden") in _TRUE
        elif ":" in name:
            start(local(name), attributes)
        else:
            depth += 1
            if depth > MAX_DEPTH:
                raise damaged()
            skipped += name == "rPh"
            if name == "f":
                is_formula = is_in_cell
            elif name == "col" and attributes.get("hidden") in _TRUE:
                # What is to be said of a column is said with the first row.
                shown = range(max(int(attributes["min"]) - 1, 0), min(int(attributes["max"]), MAX_COLUMNS))
                remarks.extend(Remark(index, "hidden_column") for index in shown)
                if len(remarks) > MAX_COLUMNS:
                    raise damaged()

    def end(name: str) -> None:  # noqa: PLR0912
        nonlocal cells, remarks, content, depth, skipped, total, waiting
        nonlocal is_in_row, is_in_cell, is_in_text, is_done
        if name == "v" or name == "t":  # noqa: PLR1714
            is_in_text = False
            if is_in_cell and not skipped and (name == "t") == (kind == "inlineStr"):
                content += "".join(pieces)
                if len(content) > MAX_TEXT:
                    raise too_large_inside()
        elif name == "c":
            is_in_cell = False
            if kind == "e" and content:
                remarks.append(Remark(_within(column, row), "error", content.strip()[:40]))
                content = ""
            elif is_formula and _is_uncomputed(content, kind, has_value, book):
                remarks.append(Remark(_within(column, row), "no_result"))
                content = ""
            if content and (value := _value(content, kind, style, book)):
                if column >= MAX_COLUMNS:
                    raise too_many_columns(row)
                if column < len(cells):
                    cells[column] = value
                else:
                    cells.extend([""] * (column - len(cells)))
                    cells.append(value)
            content = ""
        elif name == "row":
            is_in_row = False
            joined = "".join(cells).strip() if cells else ""
            if joined or (remarks and any(remark.code != "hidden_column" for remark in remarks)):
                if row > MAX_ROWS:
                    raise too_many_rows()
                if merges.rows and (filled := merges.fill(row, cells, remarks)):
                    joined += filled
                if is_hidden:
                    remarks.append(Remark(-1, "hidden"))
                total += len(joined)
                waiting += len(joined)
                if total > MAX_UNPACKED or waiting > MAX_WAITING:
                    raise too_large_inside()
                ready.append((row, RemarkedRow(cells, remarks) if remarks else cells))
                remarks = []
            cells = []
        elif ":" in name:
            end(local(name))
        else:
            depth -= 1
            skipped -= name == "rPh"
            is_done |= name == "sheetData"

    # All text is collected, which costs no call of ours; what is not wanted goes at the next chunk or cell.
    for _step in package.feed(part, start, end, pieces.append):
        yield from ready
        ready.clear()
        waiting = 0
        if is_done:
            return
        if not is_in_text:
            pieces.clear()
        elif len(pieces) > MAX_PIECES:
            raise too_large_inside()


class _Merges:
    """The cells of a sheet that are merged downwards. The value that they show stands in the first row of each.

    They are listed behind the rows, so they are looked for before the rows are read, in the bare bytes. `rows` counts
    those that go down over more than one.
    """

    def __init__(self, package: Package, part: str) -> None:
        # As objects of three numbers, so many would cost several times the memory.
        found: set[int] = set()
        for left, top, _right, bottom in package.search(part, b"mergeCell", _MERGED):
            column = _index(left.decode())
            if int(bottom) > int(top) and column < MAX_COLUMNS and int(top) <= MAX_ROWS:
                found.add(int(top) << 40 | column << 32 | int(bottom))
            if len(found) > MAX_ROWS:
                raise too_large_inside()
        self._waiting = sorted(found, reverse=True)
        # By its column: the last row, the first, the value, and what there is to be said of it.
        self._open: dict[int, tuple[int, int, str, Remark | None]] = {}
        self.rows = len(found)

    def fill(self, row: int, cells: list[str], remarks: list[Remark]) -> str:
        """Give the empty cells of a row the values that they show, and say so. Returns the text that was added."""
        while self._waiting and self._waiting[-1] >> 40 < row:
            # The first row of it held nothing.
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


def _within(column: int, row: int) -> int:
    if column >= MAX_COLUMNS:
        raise too_many_columns(row)
    return column


def _is_uncomputed(content: str, kind: str, has_value: bool, book: _Workbook) -> bool:
    """Whether a formula has no result: none at all, or the zero that some programs write in its place."""
    if kind == "n":
        return not content.strip() or (book.is_uncomputed and content.strip() == "0")
    return not has_value


def _column(place: str, row_digits: str) -> int:
    """The index of a cell's column, 0 for A and 26 for AA. Refuses a cell that claims another row."""
    letters = place.removesuffix(row_digits)
    if letters == place or not 1 <= len(letters) <= 3 or not letters.isascii() or not letters.isalpha():
        raise damaged()
    return _index(letters.upper())


def _index(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _value(content: str, kind: str, style: str, book: _Workbook) -> str:
    shown_as = book.formats[int(style)] if style and book.formats else None
    if kind == "n":
        return number_of(content, shown_as, book.starts_1904)
    text = unescape(book.strings[int(content)]) if kind == "s" else text_of(content, kind)
    if book.has_text_formats and shown_as and shown_as.around_text and text and kind != "b":
        before, after = shown_as.around_text
        return f"{before}{text}{after}"
    return text
