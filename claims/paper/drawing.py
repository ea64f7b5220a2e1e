"""QR codes on reportlab pages."""

from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from claims.paper import qr


def draw_qr(canvas: Canvas, text: str, x: float, y: float, side: float) -> None:
    """Draw the QR code of a text, with its quiet zone, into the square at (x, y), in points.

    Draws a rectangle for each run of dark modules, so that the code is sharp at any size.
    """
    drawing = qr.draw(text)
    step = side / len(drawing.rows)
    canvas.setFillGray(0)
    for column, row, length in drawing.runs:
        canvas.rect(x + column * step, y + side - (row + 1) * step, length * step, step, stroke=0, fill=1)


class QrCode(Flowable):
    """A QR code as a flowable, `side` points wide and high."""

    def __init__(self, text: str, side: float) -> None:
        super().__init__()
        self.text, self.width, self.height = text, side, side

    def draw(self) -> None:
        """Draw the QR code at the current position."""
        draw_qr(self.canv, self.text, 0, 0, self.width)
