"""QR codes and their image files."""

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
# The minimum pixels per module and per side: sharp in print at 300 dpi on a label of 8 cm.
LEAST_PIXELS, PICTURE = 10, 1000


@dataclass(frozen=True)
class Drawing:
    """A QR code: its text and its rows of modules, including the quiet zone."""

    text: str
    rows: list[list[bool]]

    @property
    def size(self) -> str:
        """Return the number of modules per side, as text so that no template groups its digits."""
        return str(len(self.rows))

    @property
    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Yield (column, row, length) for each run of dark modules in a row."""
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
        """Return the dark modules as an SVG path with one rectangle per run."""
        return "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in self.runs)

    def png(self) -> bytes:
        """Return the code as a PNG with one bit per pixel and at least ten pixels per module."""
        scale = max(LEAST_PIXELS, -(-PICTURE // len(self.rows)))
        picture = Image.new("1", (len(self.rows), len(self.rows)), 1)
        picture.putdata([0 if dark else 1 for row in self.rows for dark in row])
        side = scale * len(self.rows)
        file = BytesIO()
        picture = picture.resize((side, side), Image.Resampling.NEAREST)
        picture.save(file, "PNG", optimize=True)
        return file.getvalue()


def as_file(drawing: Drawing, name: str, form: str) -> File:
    """Return the image for download, as `svg` or else `png`.

    Anyone who has the image can claim, so proxies and browsers must not cache it.
    """
    if form == "svg":
        content, content_type = render_to_string("claims/qr.svg", {"drawing": drawing}).encode(), "image/svg+xml"
    else:
        content, content_type = drawing.png(), "image/png"
    return File(content, content_type, f"{slugify(name) or 'code'}.{form}")


def draw(text: str) -> Drawing:
    """Return the QR code of a text, with error correction M, in alphanumeric mode if the text permits it."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE)
    data = text.encode()
    code.add_data(QRData(data, mode=MODE_ALPHA_NUM) if set(data) <= set(ALPHA_NUM) else QRData(data))
    code.make(fit=True)
    return Drawing(text, code.get_matrix())
