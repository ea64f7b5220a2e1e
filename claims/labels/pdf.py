"""Labels as a PDF. The same input always results in the same bytes."""

from typing import IO

from reportlab.pdfgen.canvas import Canvas

from claims.labels.drawing import POINT, Drawn, Layout, Options, Symbol, Unit, Words
from claims.paper import fonts


class Pdf:
    """A PDF of label sheets that is written label by label."""

    content_type, ending = "application/pdf", "pdf"

    def __init__(self, file: IO[bytes], options: Options) -> None:
        self.layout, self.options, self.stock = Layout(options), options, options.sheet
        self.position, self.is_open = options.start - 1, False
        self.height = self.stock.page[1]
        size = (self.stock.page[0] / POINT, self.height / POINT)
        # `invariant` omits the time of creation.
        self.book = Canvas(file, pagesize=size, invariant=1, pageCompression=1)
        self.book.setTitle("Labels")
        self.book.setCreator("Custody")
        # A printer that scales the page to its margins misses every label.
        self.book.setViewerPreference("PrintScaling", "None")

    def add(self, unit: Unit) -> None:
        """Draw the next label."""
        if self.position == self.stock.per_page:
            self._turn()
        self.is_open = True
        x, y = self.stock.place(self.position)
        x, y = x + self.options.shift_x, y + self.options.shift_y
        if self.options.outline:
            self._outline(x, y)
        self._draw(x, y, self.layout.draw(unit))
        self.position += 1

    def close(self) -> None:
        """Write the file."""
        if self.is_open:
            self.book.showPage()
        book = self.book
        book.save()

    def _turn(self) -> None:
        self.book.showPage()
        self.position = 0

    def _draw(self, x: float, y: float, drawn: Drawn) -> None:
        self._symbol(x, y, drawn.symbol)
        for words in drawn.words:
            self._words(x, y, words)

    def _symbol(self, x: float, y: float, symbol: Symbol) -> None:
        """Draw the QR code as an inline image mask of one bit per module (ISO 32000-1, 8.9.7).

        A separate image object for each label would take longer to write than everything else together.
        """
        matrix = symbol.matrix
        side = matrix.size * symbol.module / POINT
        left, bottom = (x + symbol.x) / POINT, (self.height - y - symbol.y) / POINT - side
        self.book.addLiteral(
            f"q {side:.3f} 0 0 {side:.3f} {left:.3f} {bottom:.3f} cm "
            f"BI /W {matrix.size} /H {matrix.size} /IM true /F /AHx ID {matrix.bits.hex()}> EI Q"
        )

    def _words(self, x: float, y: float, words: Words) -> None:
        assert fonts.font(words.face)
        self.book.setFont(words.face, round(words.size, 2))
        self.book.drawString((x + words.x) / POINT, (self.height - y - words.y) / POINT, words.text)

    def _outline(self, x: float, y: float) -> None:
        (width, height), canvas = self.stock.label, self.book
        canvas.setLineWidth(0.25)
        canvas.setStrokeGray(0.6)
        left, bottom = x / POINT, (self.height - y - height) / POINT
        canvas.roundRect(left, bottom, width / POINT, height / POINT, self.stock.radius / POINT, stroke=1, fill=0)
