"""What programs read in order: rows by a number from a sequence, of which none is passed before it is committed.

A sequence gives its numbers at once, and the rows that bear them become visible when their transactions commit, in any
order. On PostgreSQL each transaction therefore announces, before it draws its first number, the last one that was given
by then: as a shared advisory lock, which everybody sees while the transaction runs and which goes with it. A reader
asks first for the last number given, then for the announcements: up to the smallest of these, every row is committed or
will never be. On SQLite numbers are given under the only lock for writing, so their order is that of the commits.

Nothing of this is kept: a database that was dumped and restored, or that stood still, needs no repair.
"""

import zlib

from django.db import connection, models

from console import sql

# Advisory locks have two numbers of 31 bits: whose lock it is, and what it announces. Other lanes begin above these.
LANES = 1 << 30
# What is announced is cut to so many bits, and completed by the reader, who knows the last number given.
_CUT, _HALF = 1 << 31, 1 << 30


def lane_of(name: str) -> int:
    """The lane of the announcements that belong to a feed, from the name of its constraint."""
    return zlib.crc32(name.encode()) % LANES


def sequence_of(table: str, column: str) -> str:
    """The sequence that gives the numbers of a column."""
    return f"{table}_{column}_seq"


def last_given(sequence: str) -> str:
    """SQL for the last number that a sequence gave, 0 before the first."""
    return f"COALESCE(pg_sequence_last_value('{sequence}'), 0)"


def announce(lane: str, number: str) -> str:
    """SQL for a call that announces a number until this transaction ends."""
    return f"pg_advisory_xact_lock_shared(({lane})::int, mod({number}, {_CUT})::int)"


def settled(sequence: str, lanes: str) -> str:
    """SQL for a table of one row with `n`: up to this number nothing is under way in any of the lanes.

    `lanes` is SQL for numbers. The sequence is read before the announcements are: what draws a number later gets a
    greater one. What this transaction itself announced is left out, as it sees its own rows.
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
    """The number up to which every row of the model is committed or will never be; later snapshots see them all.

    `name` is that of the constraint that announces who adds rows.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(settled(sequence_of(model._meta.db_table, column), str(lane_of(name))))
        else:
            cursor.execute(f"SELECT COALESCE(MAX({sql.quote(column)}), 0) FROM {sql.table(model)}")  # noqa: S608
        return cursor.fetchone()[0]
