"""Starts operations: now in the request, in the background, or as the undo of another operation."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from console.access import Actor, Permission
from console.audit import acts
from console.errors import Refused
from console.liveness import worker_name
from console.models import Operation
from console.models.operation import UNDO_WITHIN, OperationState
from console.operations.handlers import Handler, find
from console.operations.running import end, enqueue
from console.transactions import retrying

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

# Above this many rows the worker does the work, and the page shows its progress.
IN_REQUEST = 200


def begin(
    handler: Handler,
    ids: Iterable[int] | None = None,
    *,
    by: Actor,
    total: int | None = None,
    words: Mapping[str, Any] | None = None,
    in_background: bool | None = None,
    handed_over: Callable[[Operation], None] | None = None,
    permission: Permission | None = None,
    undo: str | None = None,
    return_url: str = "",
    undoes: Operation | None = None,
    **payload: Any,
) -> Operation:
    """Do the work in this request, or hand it to the worker above 200 rows. Returns the operation, finished or waiting.

    The payload is `ids`, if the rows have ids, and all other keyword arguments. `words` fill the handler's title; its
    `n` is the number of rows unless `words` has one. `permission` and `undo` default to the handler's; a trial
    (`is_dry` in the payload) says so in its title and has no undo. `handed_over` is called with an operation that goes
    to the worker, in the same transaction.
    """
    if ids is not None:
        payload = {"ids": list(ids), **payload}
    rows, right = len(payload["ids"]) if total is None else total, permission or handler.permission
    assert right is not None, "neither the handler nor the call names a permission"
    is_dry, title = payload.get("is_dry", False), handler.titled(**{"n": rows, **(words or {})})
    terms: dict[str, Any] = {
        "title": _("Dry run: %(title)s") % {"title": title} if is_dry else title,
        "by": by,
        "permission": right,
        "total": rows,
        "payload": payload,
        "return_url": return_url,
        "undo_route": "" if is_dry else handler.undo if undo is None else undo,
        "undoes": undoes,
    }
    if rows > IN_REQUEST if in_background is None else in_background:
        return _hand_over(handler, terms, handed_over)
    return perform(handler, **terms)


def begin_undo(handler: Handler, undone: Operation, ids: Iterable[int], *, by: Actor) -> Operation:
    """Undo an operation for these rows, with the permission that it needed. Its undo was taken in this transaction."""
    return begin(
        handler,
        ids,
        by=by,
        words={"title": undone.title},
        permission=Permission(undone.permission),
        return_url=undone.return_url,
        undoes=undone,
        operation=undone.pk,
    )


def undone_operation(operation: Operation) -> Operation:
    """Return the operation that this one undoes."""
    return Operation.objects.get(pk=operation.payload["operation"], organization=operation.organization_id)


@transaction.atomic
def _hand_over(handler: Handler, terms: dict[str, Any], handed_over: Callable[[Operation], None] | None) -> Operation:
    operation = start(handler, **terms)
    if handed_over is not None:
        handed_over(operation)
    return operation


@transaction.atomic
def start(
    handler: Handler | str,
    title: "_StrOrPromise",
    *,
    by: Actor,
    permission: Permission,
    total: int,
    payload: dict[str, Any],
    return_url: str = "",
    undo_route: str = "",
    undoes: Operation | None = None,
) -> Operation:
    """Store an operation and hand it to the worker, which starts when this transaction commits."""
    operation = _note(
        handler,
        title,
        by,
        permission=permission,
        total=total,
        payload=payload,
        return_url=return_url,
        undo_route=undo_route,
        undoes=undoes,
    )
    enqueue(operation.pk, None)
    return operation


@retrying
def perform(handler: Handler | str, title: "_StrOrPromise", *, by: Actor, **plan: Any) -> Operation:
    """Run a short operation here and now: it is finished when this returns. Takes the arguments of `start`.

    It is one transaction: a process that dies in it leaves nothing behind, so nobody else ever sees it running, and
    `recover` never has to handle it. If the handler refuses the whole operation, the refusal is raised, and nothing
    stays.
    """
    now = timezone.now()
    running = {"state": OperationState.RUNNING, "attempt": 1, "worker": worker_name(), "started_at": now}
    operation = _note(handler, title, by, **plan, **running, created_at=now)
    with acts.within(operation.pk):
        find(operation.handler)(operation, by)
    end(operation, OperationState.DONE, operation.sentence)
    operation.refresh_from_db()
    return operation


def check_undo(operation: Operation, *, at: datetime | None = None) -> None:
    """Raise Refused if the operation can't be undone, or no longer."""
    at, until = at or timezone.now(), operation.undo_until
    if operation.is_undoable(at):
        return
    if not operation.is_over:
        raise Refused("not_over", _("It is still running. Wait until it finishes."))
    if operation.undone_at:
        raise Refused("undone_already", _("It was already undone. An operation can be undone only once."))
    if until is None or not operation.succeeded:
        raise Refused("nothing_to_undo", _("It didn't change anything that can be undone."))
    minutes, time = UNDO_WITHIN // timedelta(minutes=1), f"{timezone.localtime(until):%H:%M}"
    raise Refused(
        "undo_too_late", _("It could be undone for %(n)d minutes, until %(time)s.") % {"n": minutes, "time": time}
    )


@transaction.atomic
def take_undo(operation: Operation, *, at: datetime | None = None) -> None:
    """Use up the only undo that an operation has, in this transaction. Raises Refused if there is none."""
    at = at or timezone.now()
    mine = Operation.objects.filter(
        pk=operation.pk,
        undone_at=None,
        state__in=[OperationState.DONE, OperationState.FAILED],
        succeeded__gt=0,
        finished_at__gt=at - UNDO_WITHIN,
    ).exclude(undo_route="")
    if not mine.update(undone_at=at):
        operation.refresh_from_db()
        check_undo(operation, at=at)
        raise Refused("busy", _("Someone else changed this at the same time. Check it again and retry."))
    operation.undone_at = at


def _note(handler: Handler | str, title: "_StrOrPromise", by: Actor, **fields: Any) -> Operation:
    return Operation.objects.create(
        organization=by.organization,
        handler=str(handler),
        title=str(title)[:200],
        by_user_id=by.user_id,
        by_label=by.label[:200],
        by_role=by.role,
        by_key=by.key_id,
        rights=sorted(map(str, by.permissions)),
        **fields,
    )
