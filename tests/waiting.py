"""Waiting for what is to happen itself, and never for so long: a busy machine makes a test slow and not wrong."""

import time
from collections.abc import Callable

from django.db import connection

# Longer than anything takes on a machine with much other work. Only what never happens takes all of it.
PATIENCE = 300


def until(condition: Callable[[], object]) -> None:
    """Return as soon as the condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def until_somebody_is_held_up(is_over: Callable[[], object] = bool) -> None:
    """Return as soon as another session waits for a lock, or `is_over`.

    SQLite does not tell who waits for its only lock, so this is a moment there; no result may depend on its length.
    """
    if connection.vendor == "postgresql":
        until(lambda: is_over() or _someone_waits())
    else:
        time.sleep(0.5)


def _someone_waits() -> bool:
    with connection.cursor() as cursor:
        # Within a transaction the server shows the same picture each time, unless it is asked for another.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
        )
        return cursor.fetchone() is not None
