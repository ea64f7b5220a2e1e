"""Runs operations in the worker, so that they survive leaving the page and a killed worker.

A handler works in chunks, each a function marked with `chunk`, which writes its progress with `advance` in its own
transaction. So a chunk is done and counted, or neither; and a handler that is called again goes on from
`operation.cursor`.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from console import api_keys
from console.access import ROLES, Actor, Permission, system
from console.audit import acts
from console.errors import Refused
from console.liveness import beating, lives, worker_name
from console.models import Member, Operation, OperationRow
from console.models.operation import OperationState
from console.operations.handlers import find
from console.slots import One
from console.transactions import drop_broken_connection, retrying

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger("custody.operations")
# Hands the id of an operation to the worker, to be run after so long; and those that it will run, or is about to take.
enqueue: One[[int, timedelta | None], Any] = One("console.operations.running.enqueue")
queued: One[[], set[int]] = One("console.operations.running.queued")
MAX_ATTEMPTS = 3
PAUSE = timedelta(seconds=5)
# The operations that this process is at; what the database says to run here but does not is lost.
_here: set[int] = set()
_stopping = False


class Superseded(Exception):
    """Another worker took this operation over; nothing of the current chunk may be kept."""


class Interrupted(Exception):
    """This worker is asked to stop; the chunk that it was at is kept."""


def run(operation_id: int) -> None:
    """Take the operation and run its handler. Does nothing where it is over or another worker has it."""
    _here.add(operation_id)
    try:
        operation = _take(operation_id)
        if operation is not None:
            _run(operation)
    finally:
        _here.discard(operation_id)


def stop_soon() -> None:
    """Hand the operation under way back to the queue after its current chunk: this worker is to end."""
    global _stopping  # noqa: PLW0603
    _stopping = True


def chunk(work: Callable[Concatenate[Operation, P], R]) -> Callable[Concatenate[Operation, P], R]:
    """Do the work as `retrying` does, each time from the cursor of the first try: what was rolled back is not done.

    Raises Refused where who started the operation may not do it any more, or revoked the key that did.
    """

    @wraps(work)
    def wrapper(operation: Operation, *args: P.args, **kwargs: P.kwargs) -> R:
        cursor = operation.cursor

        @retrying
        def once() -> R:
            operation.cursor = cursor
            return work(operation, *args, **kwargs)

        actor_of(operation)
        return once()

    return wrapper


def advance(
    operation: Operation, *, cursor: int, succeeded: int, refused: Iterable[tuple[int, str, str, str]] = ()
) -> None:
    """Count a chunk, inside of its transaction. `refused` holds (position, label, code, sentence).

    Raises Superseded where another worker took over or has counted it already, which rolls the chunk back.
    """
    rows = [
        OperationRow(operation=operation, position=p, label=label[:200], code=c, sentence=s[:500])
        for p, label, c, s in refused
    ]
    mine = Operation.objects.filter(
        pk=operation.pk, attempt=operation.attempt, state=OperationState.RUNNING, cursor=operation.cursor
    )
    counts = {"succeeded": F("succeeded") + succeeded, "refused": F("refused") + len(rows)}
    if not mine.update(cursor=cursor, **counts):
        raise Superseded
    OperationRow.objects.bulk_create(rows, batch_size=500)
    operation.cursor = cursor
    if _stopping:
        transaction.on_commit(_interrupt)


def actor_of(operation: Operation) -> Actor:
    """The member who started it, with the rights that he has now; the system for what the system started."""
    if operation.by_user_id is None:
        return system(operation.organization, operation.by_label)
    member = Member.objects.filter(
        organization=operation.organization_id, user=operation.by_user_id, removed_at=None
    ).first()
    rights = ROLES[member.role] if member is not None else frozenset()
    if operation.rights:
        rights &= set(operation.rights)
    is_stopped = operation.by_key is not None and not api_keys.is_usable(operation.by_key)
    if member is None or is_stopped or Permission(operation.permission) not in rights:
        raise Refused("not_allowed", _("Who started this may not do it any more."))
    return Actor(
        kind="member",
        user=operation.by_user,
        organization=operation.organization,
        role=member.role,
        permissions=frozenset(rights),
        label=operation.by_label,
        key_id=operation.by_key,
    )


def recover() -> int:
    """Let a living worker have the operations of the dead, and those whose task is gone. Returns how many."""
    heard = beating()
    running = [o for o in Operation.objects.filter(state=OperationState.RUNNING) if not _is_run(o, heard)]
    count = sum(_hand_back(operation) for operation in running)
    waiting = list(Operation.objects.filter(state=OperationState.WAITING).values_list("pk", flat=True))
    lost = set(waiting) - queued() if waiting else ()
    for operation_id in lost:
        enqueue(operation_id, None)
    return count + len(lost)


def _run(operation: Operation) -> None:
    try:
        with acts.within(operation.pk):
            find(operation.handler)(operation, actor_of(operation))
    except Superseded:
        log.warning("operation %s was taken over by another worker", operation.pk)
    except Interrupted:
        # Nobody was at fault, so this attempt does not count.
        _hand_back(operation, attempt=F("attempt") - 1)
    except (OperationalError, InterfaceError):
        log.exception("operation %s lost the database", operation.pk)
        _retry(operation)
    except Refused as refusal:
        if refusal.code == "busy":
            _retry(operation)
        else:
            end(operation, OperationState.FAILED, refusal.sentence)
    except Exception:
        log.exception("operation %s failed", operation.pk)
        end(operation, OperationState.FAILED, _("It stopped at an unexpected error. Nothing after that was changed."))
    else:
        end(operation, OperationState.DONE, operation.sentence)


def _interrupt() -> None:
    raise Interrupted


def _is_run(operation: Operation, heard: set[str]) -> bool:
    if operation.worker == worker_name():
        return operation.pk in _here
    return lives(operation.worker, heard)


def _retry(operation: Operation) -> None:
    # A connection that broke is replaced; if there is none to be had yet, `recover` does the rest later.
    drop_broken_connection()
    _hand_back(operation, after=PAUSE)


@transaction.atomic
def _hand_back(operation: Operation, *, after: timedelta | None = None, **values: Any) -> bool:
    """Let a running operation wait for a worker again. Gives False where somebody else was faster."""
    mine = Operation.objects.filter(pk=operation.pk, attempt=operation.attempt, state=OperationState.RUNNING)
    if not mine.update(state=OperationState.WAITING, worker="", **values):
        return False
    enqueue(operation.pk, after)
    return True


def _take(operation_id: int) -> Operation | None:
    taken = Operation.objects.filter(state=OperationState.WAITING, pk=operation_id).update(
        state=OperationState.RUNNING, attempt=F("attempt") + 1, worker=worker_name(), started_at=timezone.now()
    )
    if not taken:
        return None
    operation = Operation.objects.select_related("organization", "by_user").get(pk=operation_id)
    if operation.attempt > MAX_ATTEMPTS:
        end(operation, OperationState.FAILED, _("It was interrupted three times and given up."))
        return None
    return operation


def end(operation: Operation, state: str, sentence: str) -> None:
    """Write down that an operation is over, and what it did."""
    values: dict[str, Any] = {"state": state, "sentence": sentence[:500], "finished_at": timezone.now()}
    Operation.objects.filter(pk=operation.pk, attempt=operation.attempt, state=OperationState.RUNNING).update(**values)
