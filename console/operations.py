"""Runs long and bulk work in the background, so that it survives leaving the page and a killed worker.

A handler is `run(operation, by)`: it works in chunks, and writes the progress of each chunk with `advance` in the
chunk's own transaction. So a chunk is done and counted, or neither.
"""

import logging
import os
import socket
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from console.access import ROLES, Actor, Permission, system
from console.errors import Refused
from console.models import Member, Operation, OperationRow, WorkerHeartbeat
from console.models.operation import OperationState

log = logging.getLogger("custody.operations")
MAX_ATTEMPTS = 3
SILENCE = timedelta(seconds=60)


class Superseded(Exception):
    """Another worker took this operation over; nothing of the current chunk may be kept."""


def worker_name() -> str:
    """This process, by host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


@transaction.atomic
def start(
    handler: str, title: str, *, by: Actor, permission: Permission, total: int, payload: dict, return_url: str = ""
) -> Operation:
    """Note an operation down and hand it to the worker; it begins when the surrounding transaction commits."""
    from console.tasks import run_operation

    operation = Operation.objects.create(
        organization=by.organization, handler=handler, title=title[:200], permission=permission, total=total,
        payload=payload, return_url=return_url, by_user_id=by.user_id, by_label=by.label[:200], by_role=by.role,
    )  # fmt: skip
    run_operation.enqueue(operation.pk)
    return operation


def run(operation_id: int) -> None:
    """Take the operation and run its handler. Does nothing where it is over or another living worker has it."""
    operation = _take(operation_id)
    if operation is None:
        return
    try:
        import_string(operation.handler)(operation, actor_of(operation))
    except Superseded:
        log.warning("operation %s was taken over by another worker", operation_id)
    except Refused as refusal:
        _end(operation, OperationState.FAILED, refusal.sentence)
    except Exception:
        log.exception("operation %s failed", operation_id)
        _end(operation, OperationState.FAILED, _("It stopped at an unexpected error. Nothing after that was changed."))
    else:
        _end(operation, OperationState.DONE, operation.sentence)


def advance(
    operation: Operation, *, cursor: int, succeeded: int, refused: Iterable[tuple[int, str, str, str]] = ()
) -> None:
    """Count a chunk, inside of its transaction. `refused` holds (position, label, code, sentence).

    Raises Superseded where another worker took over, which rolls the chunk back.
    """
    rows = [OperationRow(operation=operation, position=p, label=label[:200], code=c, sentence=s[:500])
            for p, label, c, s in refused]  # fmt: skip
    mine = Operation.objects.filter(pk=operation.pk, attempt=operation.attempt, state=OperationState.RUNNING)
    if not mine.update(cursor=cursor, succeeded=F("succeeded") + succeeded, refused=F("refused") + len(rows)):
        raise Superseded
    OperationRow.objects.bulk_create(rows, batch_size=500)
    operation.cursor = cursor


def actor_of(operation: Operation) -> Actor:
    """The member who started it, with the rights that he has now; the system for what the system started."""
    if operation.by_user_id is None:
        return system(operation.organization, operation.by_label)
    member = Member.objects.filter(
        organization=operation.organization_id, user=operation.by_user_id, removed_at=None
    ).first()
    if member is None or Permission(operation.permission) not in ROLES[member.role]:
        raise Refused("not_allowed", _("Who started this may not do it any more."))
    return Actor(
        kind="member", user=operation.by_user, organization=operation.organization, role=member.role,
        permissions=ROLES[member.role], label=operation.by_label,
    )  # fmt: skip


def recover() -> int:
    """Hand the operations of dead workers, and those that waited in vain, to a living one. Returns how many."""
    from console.tasks import run_operation

    living = set(WorkerHeartbeat.objects.filter(at__gt=timezone.now() - SILENCE).values_list("worker", flat=True))
    orphans = [o for o in Operation.objects.filter(state=OperationState.RUNNING) if not _lives(o.worker, living)]
    for operation in orphans:
        if Operation.objects.filter(pk=operation.pk, attempt=operation.attempt, state=OperationState.RUNNING).update(
            state=OperationState.WAITING
        ):
            run_operation.enqueue(operation.pk)
    return len(orphans)


def _lives(worker: str, living: set[str]) -> bool:
    host, _sep, pid = worker.partition(":")
    if host == socket.gethostname() and not os.path.exists(f"/proc/{pid}"):
        return False
    return worker in living


def _take(operation_id: int) -> Operation | None:
    taken = Operation.objects.filter(Q(state=OperationState.WAITING), pk=operation_id).update(
        state=OperationState.RUNNING, attempt=F("attempt") + 1, worker=worker_name(), started_at=timezone.now()
    )
    if not taken:
        return None
    operation = Operation.objects.select_related("organization", "by_user").get(pk=operation_id)
    if operation.attempt > MAX_ATTEMPTS:
        _end(operation, OperationState.FAILED, _("It was interrupted three times and given up."))
        return None
    return operation


def _end(operation: Operation, state: str, sentence: str) -> None:
    values: dict[str, Any] = {"state": state, "sentence": sentence[:500], "finished_at": timezone.now()}
    Operation.objects.filter(pk=operation.pk, attempt=operation.attempt, state=OperationState.RUNNING).update(**values)
