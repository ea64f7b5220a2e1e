"""The tests' databases: copies of one that was migrated once, as long as no migration, model or setting of it changes.

On SQLite the migrated file is kept in the project's folder; on PostgreSQL it is a database of the same server, which
goes with it. Each process of a run takes a copy of its own. `pytest --create-db` migrates anew.
"""

import ast
import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import django
import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection

FOLDER = Path(__file__).resolve().parent.parent / ".test-databases"
# Of other branches and of a moment ago.
KEPT = 4
PREFIX = "custody_migrated_"
# Those who want the same database take turns; the number is any that nobody else uses.
TURN = 2611_0011


@contextlib.contextmanager
def copied(*, is_fresh: bool) -> Iterator[None]:
    """Give this process a database of its own under the name of the settings' TEST, and take it away at the end."""
    before, name = connection.settings_dict["NAME"], str(connection.creation._get_test_db_name())
    if connection.vendor == "postgresql":
        _copy_on_server(name, is_fresh)
    else:
        shutil.copyfile(migrated_file(is_fresh=is_fresh), name)
    _use(name)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)


def migrated_file(*, is_fresh: bool = False) -> Path:
    """Return the SQLite file that is migrated and empty, which may only be copied."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{key()}.sqlite3"
    with (FOLDER / "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if is_fresh or not path.exists():
            begun = path.with_suffix(f".{os.getpid()}")
            _migrate(str(begun))
            # What is named like this is whole, even where somebody was killed over it.
            begun.rename(path)
            for old in sorted(FOLDER.glob("*.sqlite3"), key=lambda file: file.stat().st_mtime)[:-KEPT]:
                old.unlink()
    return path


def _copy_on_server(name: str, is_fresh: bool) -> None:
    migrated = PREFIX + key()
    with connection.creation._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [TURN])
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        there = {found for (found,) in cursor.fetchall()}
        for old in there if is_fresh else there - {migrated}:
            # Another run may be at it.
            with contextlib.suppress(psycopg.Error):
                cursor.execute(f'DROP DATABASE IF EXISTS "{old}"')
        if is_fresh or migrated not in there:
            cursor.execute(f'CREATE DATABASE "{migrated}_begun"')
            _migrate(f"{migrated}_begun")
            cursor.execute(f'ALTER DATABASE "{migrated}_begun" RENAME TO "{migrated}"')
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{migrated}"')
        cursor.execute("SELECT pg_advisory_unlock(%s)", [TURN])


def _migrate(name: str) -> None:
    before = connection.settings_dict["NAME"]
    _use(name)
    call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
    _use(before)


def _use(name: str) -> None:
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def key() -> str:
    """Return what changes when a migrated database may be another one."""
    found = hashlib.sha256()
    found.update(django.__version__.encode())
    for path in sorted(_sources()):
        found.update(f"{path.name}\n".encode() + path.read_bytes())
    return found.hexdigest()[:16]


def _sources() -> set[Path]:
    """The migrations and models of all apps, and the modules that our migrations import."""
    found: set[Path] = set()
    for config in apps.get_app_configs():
        folder = Path(config.path)
        migrations = set(folder.glob("migrations/*.py"))
        found |= migrations | set(folder.glob("models.py")) | set(folder.glob("models/**/*.py"))
        if folder.parent == settings.BASE_DIR:
            found |= {module for migration in migrations for module in _imported(migration)}
    return found


def _imported(path: Path) -> Iterator[Path]:
    """The modules of this project that the file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.split(".")[0] not in {"console", "customers", "devices", "claims"}:
                continue
            with contextlib.suppress(ModuleNotFoundError):
                spec = find_spec(name)
                if spec is not None and spec.origin is not None:
                    yield Path(spec.origin)
