"""Checks of what a server needs to do its work."""

import os
import tempfile
import time
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor

from console import liveness
from console.server.outage import is_conflict
from console.transactions import drop_broken_connection

OK = "ok"
# Anybody may ask, so each process reuses the result of a test write for this many seconds.
TRIED_FOR = 5


def checks() -> dict[str, str]:
    """Return each need with "ok", or with a word for what is wrong with it."""
    needs = {"database": _database, "writes": _writes, "migrations": _migrations, "worker": _worker}
    return {name: _said(check) for name, check in needs.items()}


def _said(check: Callable[[], str]) -> str:
    try:
        return check()
    except (DatabaseError, InterfaceError, OSError):
        drop_broken_connection()
        return "unreachable"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # unscoped: no row
        return OK if cursor.fetchone() == (1,) else "unreachable"


def _writes() -> str:
    """Write a row and a file: both may be read-only or full while reading still works."""
    until, said = _tried.get("writes", (0.0, ""))
    if time.monotonic() > until:
        said = _try_to_write()
        _tried["writes"] = (time.monotonic() + TRIED_FOR, said)
    return said


def _try_to_write() -> str:
    try:
        liveness.note_trial()
        with tempfile.NamedTemporaryFile(dir=settings.DATA_DIR) as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    except DatabaseError as error:
        # A database that is only waiting for another writer can write.
        return OK if is_conflict(error) else "refused"
    except OSError:
        return "refused"
    return OK


def forget() -> None:
    """Forget the result in this process, so that the next check tries again."""
    _tried.clear()


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    return "pending" if executor.migration_plan(executor.loader.graph.leaf_nodes()) else OK


def _worker() -> str:
    return OK if liveness.beating() else "silent"


_tried: dict[str, tuple[float, str]] = {}
