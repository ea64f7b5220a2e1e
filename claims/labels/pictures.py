"""Labels as pictures: a single SVG or PNG, a ZIP of many, and the first page for the preview."""

import zipfile
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import IO
from xml.sax.saxutils import escape

from django.utils.text import slugify
from PIL import Image, ImageDraw

from claims.labels.drawing import POINT, Drawn, Layout, Matrix, Options, Unit, Words
from claims.paper import fonts

DPI = 300
# Files carry no time of creation, so that the same labels result in the same bytes.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_FAMILY = "'Bitstream Vera Sans', 'DejaVu Sans', Verdana, sans-serif"


def svg(layout: Layout, unit: Unit) -> str:
    """Return a label as an SVG in its real size."""
    width, height = layout.stock.label
    edges = _edge(layout, 0, 0) if layout.options.outline else ""
    drawn = layout.draw(unit)
    body = f"{edges}{_symbol(drawn, _path(drawn.symbol.matrix))}{_all_words(drawn)}"
    return _document(width, height, body)


def page_svg(options: Options, units: Iterable[Unit]) -> str:
    """Return the first page as it will be printed, with the outlines of all labels. Excess devices are omitted."""
    layout, stock = Layout(options), options.sheet
    kept: dict[bytes, str] = {}
    parts = [_edge(layout, *stock.place(position)) for position in range(stock.per_page)]
    # Each distinct code is defined once and reused: in a preview, all labels have the same code.
    defined = []
    for position, unit in zip(range(options.start - 1, stock.per_page), units, strict=False):
        drawn, (x, y) = layout.draw(unit), stock.place(position)
        matrix = drawn.symbol.matrix
        if matrix.bits not in kept:
            kept[matrix.bits] = f"q{len(kept)}"
            defined.append(f'<path id="{kept[matrix.bits]}" d="{_runs(matrix)}"/>')
        code = _symbol(drawn, f'<use href="#{kept[matrix.bits]}"/>')
        moved = f"translate({x + options.shift_x:.3f} {y + options.shift_y:.3f})"
        parts.append(f'<g transform="{moved}">{code}{_all_words(drawn)}</g>')
    return _document(*stock.page, f"<defs>{''.join(defined)}</defs>{''.join(parts)}")


def png(layout: Layout, unit: Unit) -> bytes:
    """Return a label as a PNG of 300 dots per inch; every module of its QR code is a whole number of dots wide."""
    scale = DPI / 25.4
    width, height = (round(side * scale) for side in layout.stock.label)
    picture = Image.new("L", (width, height), 255)
    drawn, draw = layout.draw(unit), ImageDraw.Draw(picture)
    if layout.options.outline:
        draw.rounded_rectangle((0, 0, width - 1, height - 1), layout.stock.radius * scale, outline=150)
    symbol = drawn.symbol
    code = _enlarged(symbol.matrix, int(symbol.module * scale))
    spare = symbol.matrix.size * symbol.module * scale - code.width
    picture.paste(code, (round(symbol.x * scale + spare / 2), round(symbol.y * scale + spare / 2)))
    for words in drawn.words:
        font = fonts.picture_font(words.face, words.size * POINT * scale)
        draw.text((words.x * scale, words.y * scale), words.text, fill=0, font=font, anchor="ls")
    file = BytesIO()
    picture.save(file, "PNG", dpi=(DPI, DPI))
    return file.getvalue()


class Pictures:
    """A ZIP with a picture of each label, named by a running number and the serial number."""

    content_type, ending = "application/zip", "zip"

    def __init__(self, file: IO[bytes], options: Options, form: str) -> None:
        self.layout, self.form, self.count = Layout(options), form, 0
        self.zip = zipfile.ZipFile(file, "w")
        self.draw: Callable[[Layout, Unit], str | bytes] = svg if form == "svg" else png

    def add(self, unit: Unit) -> None:
        """Draw the next label."""
        self.count += 1
        name = f"{self.count:05d}-{slugify(unit.serial)[:60] or unit.device_id}.{self.form}"
        info = zipfile.ZipInfo(name, _LONG_AGO)
        info.external_attr = 0o600 << 16
        # A PNG is already compressed.
        info.compress_type = zipfile.ZIP_DEFLATED if self.form == "svg" else zipfile.ZIP_STORED
        self.zip.writestr(info, self.draw(self.layout, unit))

    def close(self) -> None:
        """Write the central directory of the ZIP."""
        self.zip.close()


def _document(width: float, height: float, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}mm" height="{height:g}mm" '
        f'viewBox="0 0 {width:g} {height:g}"><rect width="100%" height="100%" fill="#fff"/>{body}</svg>'
    )


def _edge(layout: Layout, x: float, y: float) -> str:
    width, height = layout.stock.label
    return (
        f'<rect x="{x:.3f}" y="{y:.3f}" width="{width:.3f}" height="{height:.3f}" rx="{layout.stock.radius:g}" '
        'fill="none" stroke="#999" stroke-width=".15"/>'
    )


def _symbol(drawn: Drawn, code: str) -> str:
    symbol = drawn.symbol
    return f'<g transform="translate({symbol.x:.3f} {symbol.y:.3f}) scale({symbol.module:.5f})">{code}</g>'


def _path(matrix: Matrix) -> str:
    return f'<path d="{_runs(matrix)}"/>'


def _runs(matrix: Matrix) -> str:
    """Return the dark modules as an SVG path: a rectangle for each run in a row."""
    stride, runs = (matrix.size + 7) // 8, []
    for y in range(matrix.size):
        row = f"{int.from_bytes(matrix.bits[y * stride : (y + 1) * stride], 'big'):0{stride * 8}b}"[: matrix.size] + "1"
        x = row.find("0")
        while x >= 0:
            end = row.index("1", x)
            runs.append(f"M{x} {y}h{end - x}v1h{x - end}z")
            x = row.find("0", end)
    return "".join(runs)


def _all_words(drawn: Drawn) -> str:
    return "".join(map(_words, drawn.words))


def _words(words: Words) -> str:
    weight = ' font-weight="bold"' if words.face.endswith("Bd") else ""
    # The browser may use a wider typeface; `textLength` keeps the text within its width.
    return (
        f'<text x="{words.x:.3f}" y="{words.y:.3f}" font-size="{words.size * POINT:.3f}" font-family="{_FAMILY}"'
        f'{weight} textLength="{words.width:.3f}" lengthAdjust="spacingAndGlyphs">{escape(words.text)}</text>'
    )


def _enlarged(matrix: Matrix, dots: int) -> Image.Image:
    side = matrix.size * max(1, dots)
    return matrix.picture().convert("L").resize((side, side), Image.Resampling.NEAREST)
