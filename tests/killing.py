"""Runs operations in processes that are killed with -9 at random moments."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable

from django.db import connection, connections

from console import operations
from console.models import Operation
from tests.extent import extent
from tests.waiting import PATIENCE, until

# On the database of production; the embedded one has the same code before it.
KILLS, FEW_KILLS = extent((8, 5), (50, 15))
MOST = 500
LONGEST, SHORTEST = 1.0, 0.02


def kill_at_random(
    begin: Callable[[], Operation], look: Callable[[Operation], None], *, kills: int | None = None
) -> int:
    """Begin one operation after the other and kill the process that runs it, `kills` times in all, at random moments.

    Without it, 50 times on PostgreSQL and 15 on SQLite; by default 8 times and 5.

    After each kill the next process goes on with it. `look` is called after each process, however it ended, and at the
    end of each operation, which must be done then. Gives how many kills left an operation that was under way.
    """
    kills = kills or (KILLS if connection.vendor == "postgresql" else FEW_KILLS)
    chance, done, met, longest = random.Random(2611), 0, 0, LONGEST
    # On a busy machine all of few kills may come before the work begins; then there are more of them.
    while done < kills or (met == 0 and done < MOST):
        operation = begin()
        while not operation.is_over:
            began, is_last = time.monotonic(), done >= kills and met > 0
            killed = _run_and_kill(operation.pk, None if is_last else chance.uniform(0.005, longest))
            done += killed
            operation.refresh_from_db()
            look(operation)
            if not killed:
                longest = min(longest, max(SHORTEST, time.monotonic() - began))
            met += killed and operation.state == "running"
            # What `operations.recover` does for a dead worker, without waiting; attempts are not what is tested.
            Operation.objects.filter(pk=operation.pk, state="running").update(state="waiting", attempt=0)
            operation.refresh_from_db()
        assert operation.state == "done"
    return met


def _run_and_kill(pk: int, seconds: float | None) -> bool:
    """Run the operation in a child, and kill it where it takes longer than that. Gives whether it was killed."""
    return run_and_kill(lambda: operations.run(pk), seconds)


def run_and_kill(act: Callable[[], object], moment: float | Callable[[], object] | None) -> bool:
    """Do it in a child, and kill it after so many seconds or when `moment` is true. Gives whether it was killed.

    What the database was still doing for the child is over then: it either happened or never will.
    """
    before = set(_sessions())
    connections.close_all()
    child = multiprocessing.get_context("fork").Process(target=act, daemon=True)
    child.start()
    if callable(moment):
        until(moment)
    else:
        child.join(PATIENCE if moment is None else moment)
    if not child.is_alive():
        return False
    os.kill(child.pid, signal.SIGKILL)
    child.join(PATIENCE)
    end = time.monotonic() + PATIENCE
    while not before.issuperset(_sessions()):
        assert time.monotonic() < end, "a session outlived its process"
        time.sleep(0.001)
    return True


def _sessions() -> list[int]:
    """The other sessions of this database. A server goes on with a statement, or a COMMIT, whose asker is dead.

    SQLite has none: what a process had not committed when it died was not committed.
    """
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return [pid for (pid,) in cursor.fetchall()]
