"""QR codes: their modules, and the files that show them."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import qrcode
from django.template.loader import render_to_string
from django.utils.text import slugify
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M
from qrcode.util import ALPHA_NUM, MODE_ALPHA_NUM, QRData

from console.downloads import File

QUIET_ZONE = 4
# The least size of a module, and what a picture is drawn for: sharp in print at 300 dpi on a label of 8 cm.
LEAST_PIXELS, PICTURE = 10, 1000


@dataclass(frozen=True)
class Drawing:
    """A QR code: its rows of modules with the quiet zone around, and the text in it."""

    text: str
    rows: list[list[bool]]

    @property
    def size(self) -> str:
        """Modules on a side, as text, so that no template groups its digits."""
        return str(len(self.rows))

    @property
    def runs(self) -> Iterator[tuple[int, int, int]]:
        """The dark modules as (column, row, length) of each run in a row."""
        for y, row in enumerate(self.rows):
            x = 0
            while x < len(row):
                start = x
                while x < len(row) and row[x]:
                    x += 1
                if x > start:
                    yield start, y, x - start
                x += 1

    @property
    def path(self) -> str:
        """The dark modules as an SVG path: one rectangle for each run."""
        return "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in self.runs)

    def png(self) -> bytes:
        """The picture as PNG of one bit a pixel, each module ten pixels wide or more."""
        scale = max(LEAST_PIXELS, -(-PICTURE // len(self.rows)))
        picture = Image.new("1", (len(self.rows), len(self.rows)), 1)
        picture.putdata([0 if dark else 1 for row in self.rows for dark in row])
        side = scale * len(self.rows)
        file = BytesIO()
        picture = picture.resize((side, side), Image.Resampling.NEAREST)
        picture.save(file, "PNG", optimize=True)
        return file.getvalue()


def as_file(drawing: Drawing, name: str, form: str) -> File:
    """The picture to keep, as `svg` or else `png`. Whoever has it can claim, so nothing on the way may store
    it."""
    if form == "svg":
        content, content_type = render_to_string("claims/qr.svg", {"drawing": drawing}).encode(), "image/svg+xml"
    else:
        content, content_type = drawing.png(), "image/png"
    return File(content, content_type, f"{slugify(name) or 'code'}.{form}")


def draw(text: str) -> Drawing:
    """The QR code of a text, error correction M, in alphanumeric mode where the text allows it."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE)
    data = text.encode()
    code.add_data(QRData(data, mode=MODE_ALPHA_NUM) if set(data) <= set(ALPHA_NUM) else QRData(data))
    code.make(fit=True)
    return Drawing(text, code.get_matrix())
