"""What the pages of an import of customers need besides what all imports have in common."""

from typing import Any

from console.access import Actor
from console.errors import Refused
from console.imports import pages
from console.imports.preview import UploadForm
from customers.actions import imports
from customers.imports.columns import COLUMNS, MEANINGS
from customers.models import CustomerImport


class CustomerFileForm(UploadForm):
    """A file of customers."""

    def receive(self, *, by: Actor) -> CustomerImport | None:
        """Keep the file; where it is no table, say so at its field and return None."""
        file = self.cleaned_data["file"]
        try:
            return imports.receive(file.name, file.chunks(), by=by)
        except Refused as refusal:
            self.add_error("file", refusal.sentence)
            return None


def understood() -> list[tuple[Any, Any, str]]:
    """(label, what it must be, how others call it) of every column that a file may have."""
    return pages.understood(COLUMNS, MEANINGS)
