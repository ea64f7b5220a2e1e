"""Ordered feeds for programs: rows by a number from a sequence, none of which is passed before it is committed.

A sequence assigns its numbers immediately, but rows become visible when their transactions commit, in any order. On
PostgreSQL each transaction therefore announces, before it draws its first number, the last number assigned so far: as a
shared advisory lock, which is visible to everybody while the transaction runs and ends with it. A reader first reads
the last number assigned, then the announcements: up to the smallest announced number, every row is committed or will
never be. On SQLite numbers are assigned under the only write lock, so their order is that of the commits.

Nothing of this is stored: a database that was dumped and restored, or that stood still, needs no repair.
"""

import zlib

from django.db import connection, models

from console import sql

# Advisory locks have two numbers of 31 bits: one for the lock's purpose, one for what it announces. The lanes of other
# locks begin above these.
LANES = 1 << 30
# An announcement is truncated to this many bits. The reader, who knows the last number assigned, completes it.
_CUT, _HALF = 1 << 31, 1 << 30


def lane_of(name: str) -> int:
    """Return the lane of the announcements that belong to a feed, from the name of its constraint."""
    return zlib.crc32(name.encode()) % LANES


def sequence_of(table: str, column: str) -> str:
    """Return the sequence that assigns the numbers of a column."""
    return f"{table}_{column}_seq"


def last_given(sequence: str) -> str:
    """Return SQL for the last number that a sequence assigned, 0 before the first."""
    return f"COALESCE(pg_sequence_last_value('{sequence}'), 0)"


def announce(lane: str, number: str) -> str:
    """Return SQL for a call that announces a number until this transaction ends."""
    return f"pg_advisory_xact_lock_shared(({lane})::int, mod({number}, {_CUT})::int)"


def settled(sequence: str, lanes: str) -> str:
    """Return SQL for a table of one row with `n`: up to this number nothing is in progress in any of the lanes.

    `lanes` is SQL for numbers. The sequence is read before the announcements, because a number drawn later is greater.
    Announcements of this transaction itself are left out, as it sees its own rows.
    """
    behind = f"mod(given.n - said.objid::bigint + {_CUT + _HALF}, {_CUT}) - {_HALF}"
    return (
        "SELECT LEAST(given.n, (SELECT MIN(given.n - behind) FROM ("  # noqa: S608
        f"SELECT {behind} AS behind FROM pg_locks AS said WHERE said.locktype = 'advisory' AND said.objsubid = 2 "
        "AND said.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
        f"AND said.pid <> pg_backend_pid() AND said.classid::bigint IN ({lanes})) AS announced WHERE behind > 0)) AS n "
        f"FROM (SELECT {last_given(sequence)} AS n OFFSET 0) AS given"
    )


def settled_up_to(model: type[models.Model], column: str, name: str) -> int:
    """Return the number up to which each of the model's rows is committed or never will be, for all later snapshots.

    `name` is the name of the constraint that announces who adds rows.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(settled(sequence_of(model._meta.db_table, column), str(lane_of(name))))
        else:
            cursor.execute(f"SELECT COALESCE(MAX({sql.quote(column)}), 0) FROM {sql.table(model)}")  # noqa: S608
        return cursor.fetchone()[0]
