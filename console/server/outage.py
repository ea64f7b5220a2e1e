"""Distinguishes a server that can't work now (its database is away, read-only or full) from a fault in the program."""

import errno
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from django.db import DatabaseError, InterfaceError, OperationalError

# SQLite's result codes (https://www.sqlite.org/rescode.html): BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN,
# PROTOCOL.
_SQLITE = {5, 6, 7, 8, 10, 13, 14, 15}
# PostgreSQL's error classes (its documentation, appendix A): connection, rollback, resources, wrong object state,
# operator intervention, system; and 25006, a read-only server.
_POSTGRESQL = ("08", "40", "53", "55", "57", "58", "25006")
_FILES = {errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO}
# The second of two transactions in conflict, which may succeed the next time.
_CONFLICTS, _SQLITE_CONFLICTS = ("40", "55P03"), {5, 6}
RETRY_AFTER = "30"


def is_outage(error: BaseException | None) -> bool:
    """Whether the same request may succeed later without a change to the program."""
    if isinstance(error, DatabaseError | InterfaceError):
        code = _code_of(error)
        if isinstance(code, int):
            return code & 0xFF in _SQLITE
        if code:
            return code.startswith(_POSTGRESQL)
        # A connection that was never opened, or is gone, has no code.
        return isinstance(error, OperationalError | InterfaceError)
    return isinstance(error, OSError) and error.errno in _FILES


def is_conflict(error: BaseException) -> bool:
    """Whether two transactions were in each other's way, so that the same one may succeed at once."""
    code = _code_of(error)
    return code & 0xFF in _SQLITE_CONFLICTS if isinstance(code, int) else code.startswith(_CONFLICTS)


def _code_of(error: BaseException) -> int | str:
    """Return SQLite's number or PostgreSQL's SQLSTATE from the driver's error behind Django's; empty without one."""
    for cause in islice(_causes(error), 5):
        with suppress(AttributeError):
            return int(cause.sqlite_errorcode)  # type: ignore[attr-defined]
        if state := getattr(cause, "sqlstate", None):
            return str(state)
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
