"""The output formats of labels, each with its writer."""

from typing import IO, Any, Protocol

from django.utils.translation import gettext_lazy as _

from claims.labels.drawing import Options, Unit
from claims.labels.pdf import Pdf
from claims.labels.pictures import Pictures
from claims.labels.table import Rows

FORMS: dict[str, Any] = {
    "pdf": _("PDF for printing"),
    "svg": _("SVG images (ZIP)"),
    "png": _("PNG images, 300 dpi (ZIP)"),
    "csv": _("CSV for label printer software"),
}
# The formats that draw labels, so that the QR code must fit.
DRAWN = {"pdf", "svg", "png"}


class Writer(Protocol):
    """The interface of all writers of labels."""

    content_type: str
    ending: str

    def add(self, unit: Unit) -> None:
        """Add the label of a device."""

    def close(self) -> None:
        """Write everything that is not written yet."""


def open_writer(form: str, file: IO[bytes], options: Options) -> Writer:
    """Return the writer of this format for the file."""
    if form == "pdf":
        return Pdf(file, options)
    if form == "csv":
        return Rows(file, options)
    return Pictures(file, options, form)
