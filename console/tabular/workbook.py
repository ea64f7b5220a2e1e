"""The contents of a workbook besides its rows: the names of its sheets, and what their cells refer to."""

from array import array
from dataclasses import dataclass, field
from itertools import accumulate

from console.tabular.cells import number_of, text_of, unescape
from console.tabular.formats import Format
from console.tabular.guards import MAX_SHARED_STRINGS, too_large_inside

MAX_SHARED_TEXT = 48 * 1024 * 1024
BLOCK = 1024


class SharedStrings:
    """The workbook's strings, packed into blocks, because separate objects would need several times the memory.

    One large buffer would be no smaller, because it is copied as it grows.
    """

    def __init__(self) -> None:
        self._blocks: list[tuple[bytes, array[int]]] = []
        self._last: list[bytes] = []
        self._size = 0

    def append(self, text: str) -> None:
        """Add a string. Raises Refused if there are too many."""
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
class Workbook:
    """The sheets as (name, part, is visible), other parts as (kind, part), and what the cells refer to."""

    sheets: list[tuple[str, str, bool]] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)
    starts_1904: bool = False
    # The program that wrote the file leaves computing the formulas to its readers.
    is_uncomputed: bool = False
    formats: list[Format | None] = field(default_factory=list)
    has_text_formats: bool = False
    strings: SharedStrings = field(default_factory=SharedStrings)

    def value(self, content: str, kind: str, style: str) -> str:
        """Return what a cell with this content, type and style shows."""
        shown_as = self.formats[int(style)] if style and self.formats else None
        if kind == "n":
            return number_of(content, shown_as, self.starts_1904)
        text = unescape(self.strings[int(content)]) if kind == "s" else text_of(content, kind)
        if self.has_text_formats and shown_as and shown_as.around_text and text and kind != "b":
            before, after = shown_as.around_text
            return f"{before}{text}{after}"
        return text
