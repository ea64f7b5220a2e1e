"""Fresh databases on a real server: PostgreSQL from its wheel, configured as in production, and SQLite."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from tests import postgres

# Every commit is on disk before it is acknowledged; the other settings are those of a small dedicated server.
SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    "effective_cache_size": "2GB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "autovacuum_naptime": "60s",
}
TEMPLATE = "migrated"
# Creates an empty database with all tables and returns its DATABASE_URL.
Make = Callable[[str], str]


@contextlib.contextmanager
def postgresql(folder: Path, environment: dict[str, str]) -> Iterator[Make]:
    """Start a server and yield a function that creates databases on it. The server is stopped at the end."""
    with postgres.server(SETTINGS) as url:

        def named(name: str) -> str:
            return url.replace("@/postgres?", f"@/{name}?")

        def create(name: str, template: str) -> str:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[arg-type]
                connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")  # type: ignore[arg-type]
            return named(name)

        _migrate(create(TEMPLATE, "template0"), environment)
        yield lambda name: create(name, TEMPLATE)


@contextlib.contextmanager
def sqlite(folder: Path, environment: dict[str, str]) -> Iterator[Make]:
    """Yield a function that creates databases as files in the folder."""

    def url(name: str) -> str:
        return f"sqlite://{folder / name}.sqlite3"

    def create(name: str) -> str:
        for old in folder.glob(f"{name}.sqlite3*"):
            old.unlink()
        shutil.copyfile(folder / f"{TEMPLATE}.sqlite3", folder / f"{name}.sqlite3")
        return url(name)

    _migrate(url(TEMPLATE), environment)
    yield create


def _migrate(url: str, environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "bench.prepare"], check=True, env={**os.environ, **environment, "DATABASE_URL": url}
    )
