"""What stands on a label, and where. Lengths are in millimetres from the label's upper left corner, sizes of type in points."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any

import zxingcpp
from django.utils.translation import gettext_lazy as _
from PIL import Image

from claims.labels.stocks import QUIET, STOCKS, Stock
from claims.paper import fonts

POINT = 25.4 / 72
MOST_TEXT = 40
# Type of less than four points can't be read, and a module of more than 0.75 mm reads no better from a hand's breadth;
# a label that is taller than 37 mm is read from further away.
LEAST_TYPE, MOST_TYPE, MOST_MODULE, TALL = 4.0, 14.0, 0.75, 0.02
# The least white at a label's upper and lower edge, and at its right one in parts of its width: printers miss by as
# much.
MARGIN, RIGHT = 1.0, 0.03
LEADING = 1.3
FIELDS: dict[str, Any] = {
    "brand": _("Brand"),
    "product": _("Product"),
    "serial": _("Serial number"),
    "name": _("Device name"),
    "typed": _("Typed code"),
}
USUAL = ["brand", "product", "serial", "typed"]
# (field, size in parts of the label's own, bold, what is cut where it is too long)
_LINES = [
    ("brand", 1.0, True, "end"),
    ("product", 1.0, False, "end"),
    ("serial", 1.0, False, "start"),
    ("name", 0.8, False, "start"),
    ("typed", 1.15, True, "nothing"),
    ("text", 0.9, False, "end"),
]


@dataclass(frozen=True)
class Unit:
    """What is printed of one unit. `link` is the canonical one, as the QR code holds it."""

    device_id: int
    link: str
    typed: str
    serial: str
    name: str
    product: str
    brand: str


@dataclass(frozen=True)
class Options:
    """How labels are printed: `start` is the place of the first one on its page, counted from 1, `shift_x` and `shift_y`
    move everything right and down, `outline` draws the edges for a test print."""

    stock: str
    text: str = ""
    fields: tuple[str, ...] = tuple(USUAL)
    start: int = 1
    shift_x: float = 0.0
    shift_y: float = 0.0
    outline: bool = False

    @property
    def sheet(self) -> Stock:
        """The stock itself."""
        return STOCKS[self.stock]

    def dump(self) -> dict[str, Any]:
        """The options as an operation's payload keeps them."""
        return asdict(self)


def load(kept: dict[str, Any]) -> Options:
    """The options that were dumped."""
    return Options(**{**kept, "fields": tuple(kept["fields"])})


@dataclass(frozen=True)
class Matrix:
    """A QR code without its frame: `size` modules on a side, `bits` line by line, each line in whole bytes, dark is 0."""

    size: int
    bits: bytes

    def picture(self) -> Image.Image:
        """A pixel for each module."""
        return Image.frombytes("1", (self.size, self.size), self.bits)


@dataclass(frozen=True)
class Words:
    """A line of text: its left end on the base line, its size in points, its face, and how wide it is."""

    x: float
    y: float
    size: float
    face: str
    text: str
    width: float


@dataclass(frozen=True)
class Symbol:
    """A QR code: the upper left corner of its first module, and how large a module is."""

    x: float
    y: float
    module: float
    matrix: Matrix


@dataclass(frozen=True)
class Drawn:
    """All that is drawn of one label."""

    symbol: Symbol
    words: list[Words]


# It is asked whether a code fits before it is drawn, chunk by chunk.
@lru_cache(maxsize=1_024)
def encode(text: str) -> Matrix:
    """The QR code of a text, error correction M, in alphanumeric mode where the text allows it."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    picture = Image.fromarray(code.to_image(scale=1, add_quiet_zones=False)).convert("1", dither=Image.Dither.NONE)
    return Matrix(picture.width, picture.tobytes())


class Layout:
    """Lays out labels with the same options. What is the same for all of them is reckoned once."""

    def __init__(self, options: Options) -> None:
        self.options, self.stock = options, options.sheet
        wanted = {*options.fields, *(["text"] if options.text else [])}
        self.lines = [line for line in _LINES if line[0] in wanted]

    def draw(self, unit: Unit) -> Drawn:
        """The label of a unit."""
        matrix = encode(unit.link)
        module = min(self.stock.module(matrix.size), max(MOST_MODULE, TALL * self.stock.label[1]))
        side = module * (matrix.size + 2 * QUIET)
        top = (self.stock.label[1] - side) / 2
        symbol = Symbol(QUIET * module, top + QUIET * module, module, matrix)
        return Drawn(symbol, list(self._words(unit, side)))

    @cached_property
    def type(self) -> float:
        """The size of type of this stock: as large as fits, between four and fourteen points."""
        height = self.stock.label[1]
        parts = sum(part for _field, part, _bold, _cut in self.lines) or 1
        room = (height - 2 * MARGIN) / POINT / (parts * LEADING)
        return max(LEAST_TYPE, min(MOST_TYPE, 0.26 * height, room))

    def _words(self, unit: Unit, left: float) -> Iterable[Words]:
        room = self.stock.label[0] * (1 - RIGHT) - left
        total = sum(part for _field, part, _bold, _cut in self.lines) * self.type * LEADING * POINT
        y = (self.stock.label[1] - total) / 2
        for field, part, bold, cut in self.lines:
            size = part * self.type
            y += size * LEADING * POINT
            text = self._text(unit, field)
            if text:
                face, text = fonts.set_in(text, bold)
                text, fitted, width = _fit(text, face, size, room, cut)
                # The base line lies a little above the lower end of the line's room.
                yield Words(left, y - size * 0.3 * POINT, fitted, face, text, width)

    def _text(self, unit: Unit, field: str) -> str:
        return self.options.text if field == "text" else getattr(unit, field)


def _fit(text: str, face: str, size: float, room: float, cut: str) -> tuple[str, float, float]:
    """The text made to fit: smaller down to two thirds, a serial number to four points, then cut with "…".

    Gives (text, size, width). Of a serial number its end is kept: that tells units apart.
    """
    wide = fonts.width(text, face) * POINT
    if wide * size <= room:
        return text, size, wide * size
    if cut == "nothing":
        return text, room / wide, room
    size = max(min(LEAST_TYPE, size), 0 if cut == "start" else size * 2 / 3, room / wide)
    while len(text) > 1 and wide * size > room + 1e-6:
        # As much as is surely too much goes at once, the rest character by character.
        gone = max(1, int(len(text) * (1 - room / (wide * size))) - 1)
        bare = text.strip(fonts.ELLIPSIS)
        text = fonts.ELLIPSIS + bare[gone:].lstrip() if cut == "start" else bare[:-gone].rstrip() + fonts.ELLIPSIS
        wide = fonts.width(text, face) * POINT
    return text, size, wide * size
