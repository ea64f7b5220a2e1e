"""Transactions that are repeated after a conflict with another one."""

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, close_old_connections, connection, transaction
from django.utils.translation import gettext as _

from console.errors import Refused
from console.server.outage import is_conflict, is_outage

P = ParamSpec("P")
R = TypeVar("R")
TRIES = 3


def retrying(action: Callable[P, R]) -> Callable[P, R]:
    """Run the action in a transaction, and again after a deadlock or a broken constraint, three times at most.

    After that it raises Refused: two people changing the same row is not a server error. A database that is away,
    read-only or full is one, and its error is passed on. Within another transaction the action runs once, because the
    outer one has to be repeated as a whole.
    """

    @wraps(action)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic():
                return action(*args, **kwargs)
        for attempt in range(TRIES):
            try:
                with transaction.atomic():
                    return action(*args, **kwargs)
            except (IntegrityError, OperationalError) as error:
                # A connection that was lost is opened again by the next try; a read-only database stays read-only.
                if attempt == TRIES - 1 and is_outage(error) and not is_conflict(error):
                    raise
                time.sleep(0.02 * attempt)
        raise Refused("busy", _("Someone else changed this at the same time. Check it again and retry."))

    return wrapper


def drop_broken_connection() -> None:
    """Close this thread's connection if it is broken or old; the next query opens another. Not within a transaction."""
    if not connection.in_atomic_block:
        close_old_connections()
