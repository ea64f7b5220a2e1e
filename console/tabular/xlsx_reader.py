"""Reads one sheet of an XLSX workbook as a stream, so that neither its grid nor its size uses memory.

Source: ECMA-376-1, 18.2 (workbook), 18.3 (worksheets), 18.4 (shared strings) and 18.8 (styles).
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from django.utils.translation import gettext as _

from console.tabular.formats import Format, built_in, compile_format
from console.tabular.guards import check_archive, damaged, no_workbook, refuse, too_large_inside
from console.tabular.package import MAX_DEPTH, Package, local, open_package
from console.tabular.sheet import MAX_PIECES, MAX_TEXT, TRUE, Sheet
from console.tabular.workbook import SharedStrings, Workbook

# Returns how well the rows of a sheet are understood; once one sheet reaches UNDERSTOOD, no other is examined.
Rank = Callable[[Iterator[tuple[int, list[str]]]], int]
UNDERSTOOD = 1_000_000
# Excel permits some 200 custom formats in a workbook.
MAX_FORMATS = 5_000


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
        """Return the sheet's name."""
        return (_("sheet %(name)s") % {"name": self.sheet},)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (row number, cells) of every row that holds values. Raises Refused."""
        with open_package(self.path) as package:
            book = _read_workbook(package)
            _read_references(package, book)
            yield from Sheet(package, self.part, book).rows()


def find_source(path: Path, sheet: str = "", rank: Rank | None = None) -> XlsxSource:
    """Check the archive and find the sheet with that name, else the one with the highest rank that holds values.

    Of equal sheets the first is taken, and visible ones come first. Raises Refused if the archive is hostile or
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
            # Whether it holds values is seen when it is read.
            return XlsxSource(path, *book.sheets[0][:2], names)
        _read_references(package, book)
        best: XlsxSource | None = None
        highest = -1
        for name, part, _is_visible in sorted(book.sheets, key=lambda entry: not entry[2]):
            rows = Sheet(package, part, book).rows()
            if first := next(rows, None):
                reached = rank(chain([first], rows)) if rank else UNDERSTOOD
                if reached > highest:
                    best, highest = XlsxSource(path, name, part, names), reached
                if reached >= UNDERSTOOD:
                    break
    if best:
        return best
    raise refuse("empty_file", _("The file contains no rows."))


def _read_workbook(package: Package) -> Workbook:
    book = Workbook()
    place = "xl/workbook.xml"
    for kind, name in package.related("").values():
        if kind == "officeDocument":
            place = name
    if place not in package.parts:
        raise no_workbook()
    relations = package.related(place)

    def take(path: tuple[str, ...], attributes: dict[str, str]) -> None:
        if path[-1] == "workbookPr":
            book.starts_1904 = attributes.get("date1904") in TRUE
        elif path[-1] == "calcPr":
            book.is_uncomputed = attributes.get("fullCalcOnLoad") in TRUE
        elif path[-2:] == ("sheets", "sheet"):
            reference = next((value for name, value in attributes.items() if local(name) == "id"), "")
            kind, part = relations[reference]
            # Workbooks also have sheets of charts and of macros.
            if kind == "worksheet":
                is_visible = attributes.get("state", "visible") == "visible"
                book.sheets.append((attributes["name"], part, is_visible))

    package.read(place, take)
    book.others = [(kind, part) for kind, part in relations.values() if part in package.parts]
    return book


def _read_references(package: Package, book: Workbook) -> None:
    """Read into the book what its cells refer to. This can take long, because most of a file may be strings."""
    for kind, part in book.others:
        if kind == "styles":
            book.formats = _read_formats(package, part)
            book.has_text_formats = any(each and each.around_text for each in book.formats)
        elif kind == "sharedStrings":
            book.strings = _read_strings(package, part)


def _read_formats(package: Package, part: str) -> list[Format | None]:
    """Return how each cell style shows a number; None is as General does."""
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
    """Return the shared strings, each without its formatting and its pronunciation."""
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
            # A rich text has a piece for each of its formats, so only the length matters here.
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
