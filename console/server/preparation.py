"""Steps before the server starts: the database, the cache table and the static files are brought up to date."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def prepare() -> None:
    """Bring database, cache table and static files up to date. Costs next to nothing if they are."""
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    migrate()
    make_cache_table()
    collect_static()
    connection.close()


def migrate() -> bool:
    """Apply the missing migrations. Returns whether there were any."""
    executor = MigrationExecutor(connection)
    is_behind = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if is_behind:
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    return is_behind


def make_cache_table() -> None:
    """Create the table that counts sign-in attempts, if it is missing."""
    if settings.CACHES["default"]["LOCATION"] not in connection.introspection.table_names():
        call_command("createcachetable", verbosity=0)


def collect_static() -> bool:
    """Collect the static files if they changed since the last time. Returns whether they did."""
    stamp = Path(settings.STATIC_ROOT) / ".stamp"
    state = _static_state()
    if stamp.exists() and stamp.read_text() == state:
        return False
    call_command("collectstatic", verbosity=0, interactive=False, skip_checks=True)
    stamp.write_text(state)
    return True


def _static_state() -> str:
    """Return a checksum of the storage method, and the names, sizes and times of all static files."""
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = Path(storage.path(name)).stat()
            digest.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
