"""Files of organizations on disk: one folder for each organization, readable by the server only, for a limited time."""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO
from uuid import uuid4

from django.conf import settings


@dataclass(frozen=True)
class Stored:
    """A file that was stored: its name in the store, its SHA-256 and its size in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Store:
    """Where the files for one purpose are stored, and how long they are kept."""

    purpose: str
    kept: timedelta

    def folder(self) -> Path:
        """Return the folder of all organizations' files."""
        return settings.DATA_DIR / "files" / self.purpose

    def path_of(self, name: str) -> Path:
        """Return the path of a stored file."""
        return self.folder() / name

    def is_kept(self, name: str) -> bool:
        """Whether the file still exists."""
        return bool(name) and self.path_of(name).is_file()

    def new_name(self, organization_id: int) -> str:
        """Return an unused name for a file of the organization, whose folder is created if necessary."""
        own = self.folder() / str(organization_id)
        for each in (own.parent.parent, own.parent, own):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        return f"{organization_id}/{uuid4()}"

    @contextmanager
    def new_file(self, organization_id: int) -> Iterator[tuple[str, IO[bytes]]]:
        """Create a file to write to and yield its name with it. The file is deleted if the block fails."""
        name = self.new_name(organization_id)
        descriptor = os.open(self.path_of(name), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with self.kept_only_if_fine(name), os.fdopen(descriptor, "w+b") as file:
            yield name, file

    def store(self, chunks: Iterable[bytes], organization_id: int) -> Stored:
        """Write a file as it arrives. It is on disk when this returns."""
        digest, size = hashlib.sha256(), 0
        with self.new_file(organization_id) as (name, file):
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
            settle(file)
        return Stored(name, digest.hexdigest(), size)

    @contextmanager
    def kept_only_if_fine(self, name: str) -> Iterator[None]:
        """Delete the file if the block fails."""
        try:
            yield
        except BaseException:
            self.discard(name)
            raise

    def discard(self, name: str) -> None:
        """Delete a stored file if it is there."""
        if name:
            self.path_of(name).unlink(missing_ok=True)

    def delete_old(self, now: float | None = None) -> int:
        """Delete the files that have expired at the Unix time `now`. Returns how many."""
        before, count = (now or time.time()) - self.kept.total_seconds(), 0
        for path in self.folder().glob("*/*"):
            # Another worker may be doing the same.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    count += 1
        return count


def settle(file: IO[bytes]) -> None:
    """Wait until everything that was written is on disk."""
    file.flush()
    os.fsync(file.fileno())
