"""The layout of a label.

Lengths are in millimetres from the label's upper left corner, type sizes in points.
"""

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
# Type below 4 points is illegible, and a module above 0.75 mm reads no better from a hand's breadth away. Labels taller
# than 37 mm are read from further away, so their modules may be larger.
LEAST_TYPE, MOST_TYPE, MOST_MODULE, TALL = 4.0, 14.0, 0.75, 0.02
# The least white space at a label's upper and lower edge, and at its right edge as a fraction of its width, because
# printers can be off by that much.
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
# (field, size relative to the label's type size, bold, which end is truncated if the text is too long)
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
    """What is printed for a device. `link` is the canonical link, as the QR code encodes it."""

    device_id: int
    link: str
    typed: str
    serial: str
    name: str
    product: str
    brand: str


@dataclass(frozen=True)
class Options:
    """How labels are printed.

    `start` is the position of the first label on its page, counted from 1; `shift_x` and `shift_y` move everything
    right and down; `outline` draws the edges of the labels for a test print.
    """

    stock: str
    text: str = ""
    fields: tuple[str, ...] = tuple(USUAL)
    start: int = 1
    shift_x: float = 0.0
    shift_y: float = 0.0
    outline: bool = False

    @property
    def sheet(self) -> Stock:
        """The stock to print on."""
        return STOCKS[self.stock]

    def dump(self) -> dict[str, Any]:
        """Return the options in the form that an operation's payload stores."""
        return asdict(self)


def load(kept: dict[str, Any]) -> Options:
    """Return the options from their dumped form."""
    return Options(**{**kept, "fields": tuple(kept["fields"])})


@dataclass(frozen=True)
class Matrix:
    """A QR code without its quiet zone.

    It has `size` modules per side. `bits` holds the rows one after another, each padded to whole bytes; dark is 0.
    """

    size: int
    bits: bytes

    def picture(self) -> Image.Image:
        """Return an image with one pixel for each module."""
        return Image.frombytes("1", (self.size, self.size), self.bits)


@dataclass(frozen=True)
class Words:
    """A line of text: its left end on the baseline, its size in points, its typeface and its width."""

    x: float
    y: float
    size: float
    face: str
    text: str
    width: float


@dataclass(frozen=True)
class Symbol:
    """A QR code: the upper left corner of its first module, and the size of a module."""

    x: float
    y: float
    module: float
    matrix: Matrix


@dataclass(frozen=True)
class Drawn:
    """Everything that is drawn on a label."""

    symbol: Symbol
    words: list[Words]


# Cached because each chunk first checks whether its codes fit, and then draws them.
@lru_cache(maxsize=1_024)
def encode(text: str) -> Matrix:
    """Return the QR code of a text, with error correction level M and in alphanumeric mode if the text allows it."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    picture = Image.fromarray(code.to_image(scale=1, add_quiet_zones=False)).convert("1", dither=Image.Dither.NONE)
    return Matrix(picture.width, picture.tobytes())


class Layout:
    """Lays out labels that share the same options. What all labels have in common is computed once."""

    def __init__(self, options: Options) -> None:
        self.options, self.stock = options, options.sheet
        wanted = {*options.fields, *(["text"] if options.text else [])}
        self.lines = [line for line in _LINES if line[0] in wanted]

    def draw(self, unit: Unit) -> Drawn:
        """Return the drawn label of a device."""
        matrix = encode(unit.link)
        module = min(self.stock.module(matrix.size), max(MOST_MODULE, TALL * self.stock.label[1]))
        side = module * (matrix.size + 2 * QUIET)
        top = (self.stock.label[1] - side) / 2
        symbol = Symbol(QUIET * module, top + QUIET * module, module, matrix)
        return Drawn(symbol, list(self._words(unit, side)))

    @cached_property
    def type(self) -> float:
        """The type size for this stock: as large as fits, between 4 and 14 points."""
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
                # The baseline lies a little above the bottom of the line.
                yield Words(left, y - size * 0.3 * POINT, fitted, face, text, width)

    def _text(self, unit: Unit, field: str) -> str:
        return self.options.text if field == "text" else getattr(unit, field)


def _fit(text: str, face: str, size: float, room: float, cut: str) -> tuple[str, float, float]:
    """Make the text fit: reduce it to two thirds, or a serial number to 4 points, then truncate it with "…".

    Returns (text, size, width). A serial number keeps its end, because that distinguishes devices.
    """
    wide = fonts.width(text, face) * POINT
    if wide * size <= room:
        return text, size, wide * size
    if cut == "nothing":
        return text, room / wide, room
    size = max(min(LEAST_TYPE, size), 0 if cut == "start" else size * 2 / 3, room / wide)
    while len(text) > 1 and wide * size > room + 1e-6:
        # Remove what certainly exceeds the width at once, and the rest character by character.
        gone = max(1, int(len(text) * (1 - room / (wide * size))) - 1)
        bare = text.strip(fonts.ELLIPSIS)
        text = fonts.ELLIPSIS + bare[gone:].lstrip() if cut == "start" else bare[:-gone].rstrip() + fonts.ELLIPSIS
        wide = fonts.width(text, face) * POINT
    return text, size, wide * size
