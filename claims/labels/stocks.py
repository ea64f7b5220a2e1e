"""The sheets and rolls that labels are printed on, in millimetres.

The dimensions of the A4 and Letter sheets are those that Avery publishes for each product, as collected by the gLabels
project (github.com/jimevins/glabels-qt, templates/avery-iso-templates.xml and avery-us-templates.xml). Its rounded
margins are replaced by margins that centre the grid on the page. 3475 covers the page from edge to edge. DK-11209 is
Brother's die-cut address label. Labels of 50 × 25 mm are sold for thermal printers by many makers and have no number of
their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

INCH = 25.4
A4, LETTER = (210.0, 297.0), (8.5 * INCH, 11 * INCH)
# The smallest module of a QR code that a phone reads easily from paper. ISO/IEC 18004 leaves the size to the
# application; GS1's General Specifications (5.12) ask for 0.396 mm at retail and allow at least 0.33 mm in the field.
LEAST_MODULE = 0.33
# The quiet zone around a QR code, in modules, according to ISO/IEC 18004.
QUIET = 4


@dataclass(frozen=True)
class Stock:
    """A sheet with a grid of labels, or a single label.

    `left` and `top` are the margins of the first label; `across` and `down` are the distances from an edge of a label
    to the same edge of the next one.
    """

    key: str
    maker: Any
    page: tuple[float, float]
    label: tuple[float, float]
    columns: int = 1
    rows: int = 1
    left: float = 0.0
    top: float = 0.0
    across: float = 0.0
    down: float = 0.0
    # The radius of the corners, for outlines.
    radius: float = 0.0

    @property
    def per_page(self) -> int:
        """The number of labels per page."""
        return self.columns * self.rows

    @property
    def is_sheet(self) -> bool:
        """Whether a page has more than one label, so that printing can start on a partly used page."""
        return self.per_page > 1

    @property
    def side(self) -> float:
        """The space for the QR code with its quiet zone: the full height, but at most half of the width."""
        return min(self.label[1], self.label[0] / 2)

    def __str__(self) -> str:
        """Return the name that people choose the stock by."""
        if not self.is_sheet:
            return _("%(maker)s, %(size)s") % {"maker": self.maker, "size": self.size}
        words = {"maker": self.maker, "key": self.key, "n": self.per_page, "size": self.size}
        return _("%(maker)s %(key)s, %(n)d labels of %(size)s") % words

    @property
    def size(self) -> str:
        """The size of a label, in inches for Letter sheets and in millimetres otherwise."""
        if self.page == LETTER:
            return f"{_inches(self.label[0])} × {_inches(self.label[1])} in"
        return f"{self.label[0]:g} × {self.label[1]:g} mm"

    def place(self, position: int) -> tuple[float, float]:
        """Return the upper left corner of the label at a position of the page, counted from 0 row by row."""
        row, column = divmod(position, self.columns)
        return self.left + column * self.across, self.top + row * self.down

    def module(self, modules: int) -> float:
        """Return the largest possible size of a module, in mm, for a QR code with this many modules per side.

        The quiet zone is included.
        """
        return self.side / (modules + 2 * QUIET)

    def fits(self, modules: int) -> bool:
        """Whether a QR code with this many modules per side can be read from this label."""
        return self.module(modules) >= LEAST_MODULE


def _inches(millimetres: float) -> str:
    """Return a length in inches, rounded to eighths, such as 2 5/8."""
    eighths = round(millimetres / INCH * 8)
    whole, rest = divmod(eighths, 8)
    for divisor in (4, 2):
        if rest and rest % divisor == 0:
            return f"{whole or ''} {rest // divisor}/{8 // divisor}".strip()
    return f"{whole or ''} {rest}/8".strip() if rest else str(whole)


def _grid(
    key: str, page: tuple[float, float], label: tuple[float, float], grid: tuple[int, int], gap: float, radius: float
) -> Stock:
    """Return a grid centred on the page, with a gap between its columns and none between its rows."""
    (width, height), (columns, rows) = label, grid
    left = (page[0] - columns * width - (columns - 1) * gap) / 2
    top = (page[1] - rows * height) / 2
    return Stock(key, "Avery", page, label, columns, rows, left, top, width + gap, height, radius)


def _all() -> Iterator[Stock]:
    yield _grid("L7160", A4, (63.5, 38.1), (3, 7), 2.54, 1.75)
    yield _grid("L7159", A4, (63.5, 33.9), (3, 8), 2.54, 1.75)
    yield _grid("3475", A4, (70.0, 36.0), (3, 8), 0.0, 0.0)
    yield _grid("L7163", A4, (99.1, 38.1), (2, 7), 2.54, 1.75)
    yield _grid("L7651", A4, (38.1, 21.2), (5, 13), 2.54, 1.75)
    yield _grid("5160", LETTER, (2.625 * INCH, INCH), (3, 10), 0.125 * INCH, 1.6)
    yield _grid("5163", LETTER, (4 * INCH, 2 * INCH), (2, 5), 0.1875 * INCH, 3.2)
    yield _grid("5167", LETTER, (1.75 * INCH, 0.5 * INCH), (4, 20), 0.3125 * INCH, 1.6)
    yield Stock("50x25", _("Thermal roll"), (50.0, 25.0), (50.0, 25.0), radius=1.5)
    yield Stock("DK-11209", "Brother DK-11209", (62.0, 29.0), (62.0, 29.0), radius=1.5)


STOCKS = {stock.key: stock for stock in _all()}


def choices() -> list[tuple[Any, list[tuple[str, str]]]]:
    """Return the stocks as choices of a form, grouped by kind of paper."""
    groups = [
        (_("A4 sheets"), lambda stock: stock.page == A4),
        (_("Letter sheets"), lambda stock: stock.page == LETTER),
        (_("Thermal printers"), lambda stock: not stock.is_sheet),
    ]
    return [
        (title, [(stock.key, str(stock)) for stock in STOCKS.values() if belongs(stock)]) for title, belongs in groups
    ]
