"""Where uploaded files lie: one folder for each organization, readable by the server alone, for 30 days."""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext as _

from console.errors import Refused
from console.models import FileImport
from console.tabular import Table, open_table
from console.tabular.xlsx_reader import Rank

KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Stored:
    """A file that was written down: its place under the folder of all, its SHA-256 and its size in bytes."""

    name: str
    sha256: str
    size: int


def folder() -> Path:
    """The folder of all organizations' files."""
    return settings.DATA_DIR / "files" / "imports"


def path_of(name: str) -> Path:
    """The place of a stored file."""
    return folder() / name


def new_name(organization_id: int) -> str:
    """A name that nobody has, under which a file of the organization can be stored."""
    _private(folder() / str(organization_id))
    return f"{organization_id}/{uuid4()}"


def store(chunks: Iterable[bytes], organization_id: int) -> Stored:
    """Write a file down as it comes. It is on disk when this returns."""
    name, digest, size = new_name(organization_id), hashlib.sha256(), 0
    with os.fdopen(os.open(path_of(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    return Stored(name, digest.hexdigest(), size)


def discard(name: str) -> None:
    """Delete a stored file, if it is there."""
    if name:
        path_of(name).unlink(missing_ok=True)


@contextmanager
def kept_only_if_fine(stored: Stored) -> Iterator[None]:
    """Delete the file again where what follows fails."""
    try:
        yield
    except BaseException:
        discard(stored.name)
        raise


def chunks_of(path: Path) -> Iterator[bytes]:
    """A file on disk as `store` takes it."""
    with path.open("rb") as file:
        while chunk := file.read(1024 * 1024):
            yield chunk


def table_of(row: FileImport, rank: Rank | None = None) -> Table:
    """The file of an import, to be read again: as a person said, as it was checked, or else with the best guess.

    Raises Refused where it is gone or was changed. `rank` finds the sheet where none was taken yet.
    """
    path, digest = path_of(row.stored_as), hashlib.sha256()
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
    """The refusal of what needs a file that is not kept any more."""
    return Refused(
        "file_gone", _("The file of this import is not kept any more; that is so after 30 days. Upload it again.")
    )


def forget_old(now: float | None = None) -> int:
    """Delete the files that were stored more than 30 days before the Unix time `now`. Returns how many."""
    before, count = (now or time.time()) - KEPT.total_seconds(), 0
    for path in folder().glob("*/*"):
        # Another worker may be doing the same.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
                count += 1
    return count


def _private(path: Path) -> None:
    for each in (path.parent, path):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
