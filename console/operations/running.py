"""Runs operations in the worker, so that they survive leaving the page and a killed worker.

A handler works in chunks, each a function decorated with `chunk` that records its progress with `advance` in its own
transaction. So a chunk is done and counted, or neither; and a handler that is called again continues at
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
# `enqueue` hands the id of an operation to the worker, to run after a delay; `queued` returns the ids already there.
enqueue: One[[int, timedelta | None], Any] = One("console.operations.running.enqueue")
queued: One[[], set[int]] = One("console.operations.running.queued")
MAX_ATTEMPTS = 3
PAUSE = timedelta(seconds=5)
# The operations that this process is running. One that runs here by the database alone is lost.
_here: set[int] = set()
_stopping = False


class Superseded(Exception):
    """Another worker took this operation over; nothing of the current chunk may be kept."""


class Interrupted(Exception):
    """This worker was asked to stop; its current chunk is kept."""


def run(operation_id: int) -> None:
    """Take the operation and run its handler. Does nothing if it is finished or another worker has it."""
    _here.add(operation_id)
    try:
        operation = _take(operation_id)
        if operation is not None:
            _run(operation)
    finally:
        _here.discard(operation_id)


def stop_soon() -> None:
    """Return the running operation to the queue after its current chunk, because this worker is stopping."""
    global _stopping  # noqa: PLW0603
    _stopping = True


def chunk(work: Callable[Concatenate[Operation, P], R]) -> Callable[Concatenate[Operation, P], R]:
    """Run a chunk as `retrying` does, each time from the cursor of the first try, because a failed try is rolled back.

    Raises Refused if the person who started the operation may no longer do it, or revoked the key that started it.
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
    """Count a chunk, inside its transaction. `refused` holds (position, label, code, sentence).

    Raises Superseded if another worker took over or has already counted it, which rolls the chunk back.
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
    """Return the member who started it, with their current permissions; the system for what the system started."""
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
        raise Refused("not_allowed", _("The person who started this is no longer allowed to do it."))
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
    """Requeue the operations of dead workers, and those whose task is lost. Returns how many."""
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
        # The interruption is not a failure, so this attempt does not count.
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
        end(
            operation,
            OperationState.FAILED,
            _("It stopped because of an unexpected error. Nothing was changed after that."),
        )
    else:
        end(operation, OperationState.DONE, operation.sentence)


def _interrupt() -> None:
    raise Interrupted


def _is_run(operation: Operation, heard: set[str]) -> bool:
    if operation.worker == worker_name():
        return operation.pk in _here
    return lives(operation.worker, heard)


def _retry(operation: Operation) -> None:
    # Replace a broken connection; if none can be opened yet, `recover` does the rest later.
    drop_broken_connection()
    _hand_back(operation, after=PAUSE)


@transaction.atomic
def _hand_back(operation: Operation, *, after: timedelta | None = None, **values: Any) -> bool:
    """Put a running operation back in the queue. Returns False if another process was faster."""
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
        end(operation, OperationState.FAILED, _("It was interrupted three times and won't be retried."))
        return None
    return operation


def end(operation: Operation, state: str, sentence: str) -> None:
    """Record that an operation is finished, and what it did."""
    values: dict[str, Any] = {"state": state, "sentence": sentence[:500], "finished_at": timezone.now()}
    Operation.objects.filter(pk=operation.pk, attempt=operation.attempt, state=OperationState.RUNNING).update(**values)
