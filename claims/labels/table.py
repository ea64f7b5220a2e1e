"""Labels as rows for the label printer's own software. Cells are never interpreted as formulas."""

from typing import IO

from claims.labels.drawing import Options, Unit
from console.export import stream_csv

HEADER = ["serial_number", "product", "link", "typed_code", "device_name"]


class Rows:
    """A CSV with a row for each label. `link` is the canonical link, which the QR code should encode."""

    content_type, ending = "text/csv; charset=utf-8", "csv"

    def __init__(self, file: IO[bytes], options: Options) -> None:
        self.file = file
        self.rows: list[list[str]] = []

    def add(self, unit: Unit) -> None:
        """Add a row."""
        self.rows.append([unit.serial, unit.product, unit.link, unit.typed, unit.name])

    def close(self) -> None:
        """Write the file."""
        for piece in stream_csv("labels", HEADER, self.rows).streaming_content:  # type: ignore[union-attr]
            self.file.write(piece)
