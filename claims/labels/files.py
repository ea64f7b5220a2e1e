"""Where label files lie: one folder for each organization, readable by the server alone, for 7 days."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO
from uuid import uuid4

from django.conf import settings

KEPT = timedelta(days=7)


def folder() -> Path:
    """The folder of all organizations' label files."""
    return settings.DATA_DIR / "files" / "labels"


def path_of(name: str) -> Path:
    """The place of a file."""
    return folder() / name


def is_kept(name: str) -> bool:
    """Whether the file is still there."""
    return bool(name) and path_of(name).is_file()


@contextmanager
def new_file(organization_id: int) -> Iterator[tuple[str, IO[bytes]]]:
    """A new file of the organization, to be written and settled. It is gone where this does not end well."""
    place = folder() / str(organization_id)
    for each in (place.parent.parent, place.parent, place):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{organization_id}/{uuid4()}"
    descriptor = os.open(path_of(name), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield name, file
    except BaseException:
        path_of(name).unlink(missing_ok=True)
        raise


def settle(file: IO[bytes]) -> None:
    """Wait until all that was written is on disk."""
    file.flush()
    os.fsync(file.fileno())


def forget_old(now: float | None = None) -> int:
    """Delete the files that were written more than 7 days before the Unix time `now`. Returns how many."""
    before, count = (now or time.time()) - KEPT.total_seconds(), 0
    for path in folder().glob("*/*"):
        # Another worker may be doing the same.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
                count += 1
    return count
