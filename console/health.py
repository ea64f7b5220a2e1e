"""What a server needs to do its work."""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from console import liveness

OK = "ok"


def checks() -> dict[str, str]:
    """Each need and "ok", or in a word what is wrong with it."""
    return {"database": _said(_database), "migrations": _said(_migrations), "worker": _said(_worker)}


def _said(check: Callable[[], str]) -> str:
    try:
        return check()
    except DatabaseError:
        return "unreachable"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return OK if cursor.fetchone() == (1,) else "unreachable"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    return "pending" if executor.migration_plan(executor.loader.graph.leaf_nodes()) else OK


def _worker() -> str:
    return OK if liveness.beating() else "silent"
