"""Where uploaded files are stored, and how one is read again."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.utils.translation import gettext as _

from console.errors import Refused
from console.files import Store
from console.models import FileImport
from console.tabular import Table, open_table
from console.tabular.xlsx_reader import Rank

STORE = Store("imports", kept=timedelta(days=30))


def chunks_of(path: Path) -> Iterator[bytes]:
    """Yield a file on disk as chunks for `store`."""
    with path.open("rb") as file:
        while chunk := file.read(1024 * 1024):
            yield chunk


def table_of(row: FileImport, rank: Rank | None = None) -> Table:
    """Open the file of an import again: as a person chose, as it was checked, or else with the best guess.

    Raises Refused if it is gone or was changed. `rank` finds the sheet if none was chosen yet.
    """
    path, digest = STORE.path_of(row.stored_as), hashlib.sha256()
    try:
        for chunk in chunks_of(path):
            digest.update(chunk)
    except OSError:
        raise gone() from None
    if digest.hexdigest() != row.sha256:
        raise Refused("file_changed", _("The file was changed on the server's disk. Upload it again."))
    sheet = row.reading.get("sheet") or row.summary.get("sheet", "")
    used = (row.summary.get("encoding") or {}).get("used", "")
    encoding = row.reading.get("encoding") or used
    return open_table(path, row.file_name, sheet=sheet, encoding=encoding, rank=rank, checked=True)


def gone() -> Refused:
    """Return the refusal of an action whose file is no longer kept."""
    return Refused("file_gone", _("The file of this import was deleted after 30 days. Upload it again."))
