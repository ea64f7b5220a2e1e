"""The forms in which labels are handed over, each with what writes it."""

from typing import IO, Any, Protocol

from django.utils.translation import gettext_lazy as _

from claims.labels.drawing import Options, Unit
from claims.labels.pdf import Pdf
from claims.labels.pictures import Pictures
from claims.labels.table import Rows

FORMS: dict[str, Any] = {
    "pdf": _("PDF, to print"),
    "svg": _("ZIP of SVG pictures"),
    "png": _("ZIP of PNG pictures, 300 dpi"),
    "csv": _("CSV for the label printer's own software"),
}
# What is drawn, so that the QR code must fit.
DRAWN = {"pdf", "svg", "png"}


class Writer(Protocol):
    """What all of them can do."""

    content_type: str
    ending: str

    def add(self, unit: Unit) -> None:
        """Add the label of a unit."""

    def close(self) -> None:
        """Write what is not written yet."""


def open_writer(form: str, file: IO[bytes], options: Options) -> Writer:
    """What writes the form into the file."""
    if form == "pdf":
        return Pdf(file, options)
    if form == "csv":
        return Rows(file, options)
    return Pictures(file, options, form)
