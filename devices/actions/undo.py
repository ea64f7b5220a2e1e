"""Undoing the assignment or unclaim of one or more devices within 15 minutes, device by device.

The ownership spans that an operation opened or closed are found by their evidence, such as `operation:17`. An undo is
an operation too, with its own results; it can't be undone itself.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later
from django.utils.translation import ngettext_lazy

from console import operations, sql
from console.access import Actor, Permission
from console.models import Operation
from console.numbers import id_of
from console.operations import Outcome, RefusedRow, evidence_of
from console.transactions import retrying
from customers.models import Customer
from devices import causes, events, ledger
from devices.actions.ownership import ASSIGN_UNDO, UNCLAIM_UNDO
from devices.acts import Act
from devices.log import record_act
from devices.models import Device, DeviceStatus, Ownership

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

ASSIGN, UNCLAIM = ASSIGN_UNDO, UNCLAIM_UNDO
SENTENCES = causes.SINCE | {
    "unclaimed_since": _later("It has been unclaimed since."),
    "customer_archived": _later("Its owner has been archived since."),
}


class Why(TypedDict):
    """The annotation that a query adds to devices: a key of SENTENCES."""

    why: str


@retrying
def begin(operation: Operation, *, by: Actor, at: datetime | None = None) -> Operation:
    """Undo an operation: up to 200 devices at once, more by the worker. Returns the operation that does or did it.

    Raises Refused if it was already undone, has no undo, or ended more than 15 minutes ago.
    """
    operations.take_undo(operation, at=at)
    ids = touched(operation).order_by("pk").values_list("pk", flat=True)
    handler = run_undo_assign if operation.undo_route == ASSIGN else run_undo_unclaim
    return operations.begin_undo(handler, operation, ids, by=by)


@operations.handler(
    "device.undo_assign",
    title=_later("Undo: %(title)s"),
    done=ngettext_lazy("%(n)d device is no longer assigned.", "%(n)d devices are no longer assigned.", "n"),
)
def run_undo_assign(operation: Operation, by: Actor) -> None:
    """Undo an assignment: payload {ids, operation}."""
    operations.undo_in_chunks(operation, undo_assign, by=by, evidence=operations.evidence_of(operation))


@operations.handler(
    "device.undo_unclaim",
    title=_later("Undo: %(title)s"),
    done=ngettext_lazy("%(n)d device is back with its owner.", "%(n)d devices are back with their owners.", "n"),
)
def run_undo_unclaim(operation: Operation, by: Actor) -> None:
    """Undo an unclaim: payload {ids, operation}."""
    operations.undo_in_chunks(operation, undo_unclaim, by=by)


@retrying
def undo_assign(
    device_ids: Iterable[int], *, undone: Operation, by: Actor, at: datetime | None = None, evidence: str = ""
) -> Outcome:
    """Take devices back from the customer to whom `undone` assigned them; they are in stock again.

    Their printed codes stay valid: only the people who packed the devices have seen them.
    """
    ids = sorted(set(device_ids))
    act = ledger.begin(ids, Act(by, at=at, evidence=evidence))
    outcome = ledger.retract(ids, act, began=evidence_of(undone))
    outcome.refused = _refused(undone, set(ids) - set(outcome.done))
    customer = Customer.objects.get(pk=undone.payload["customer"])
    record_act(events.ASSIGNMENT_UNDONE, outcome.done, act, about=customer)
    return outcome


@retrying
def undo_unclaim(device_ids: Iterable[int], *, undone: Operation, by: Actor, at: datetime | None = None) -> Outcome:
    """Give devices back to the owners from whom `undone` took them, and reopen the spans and shares that it ended.

    Codes printed before the unclaim stay invalid. Data that a device has wiped by now stays wiped, and its history says
    so.
    """
    ids = sorted(set(device_ids))
    owners = _held_owners(undone, ids)
    act = ledger.begin(ids, Act(by, at=at))
    ledger.lock(ids)
    is_wiped = Device.objects.filter(wipe_asked_at__isnull=False, wipe_confirmed_at__isnull=False)
    wiped = set(sql.having_ids(is_wiped, "id", ids).values_list("pk", flat=True))
    outcome = ledger.reopen(ids, act, ended=evidence_of(undone), customer_ids=[owner.pk for owner in owners])
    outcome.refused = _refused(undone, set(ids) - set(outcome.done))
    now_owned = sql.having_ids(Device.objects.all(), "id", outcome.done).values_list("pk", "customer_id")
    by_owner: dict[tuple[int | None, bool], list[int]] = {}
    for device_id, owner_id in now_owned:
        by_owner.setdefault((owner_id, device_id in wiped), []).append(device_id)
    for owner in owners:
        for had_wiped, data in ((False, {}), (True, {"note": _("It had already wiped itself.")})):
            record_act(events.UNCLAIM_UNDONE, by_owner.get((owner.pk, had_wiped), []), act, about=owner, **data)
    return outcome


def open_for(spans: Sequence[Ownership], *, by: Actor, at: datetime | None = None) -> Operation | None:
    """Return the operation that began or ended the newest of a device's spans if the actor can undo it, else None.

    No query is made if no operation began or ended that span.
    """
    newest = max(spans, key=lambda span: span.started_at, default=None)
    evidence = "" if newest is None else newest.end_evidence if newest.ended_at else newest.start_evidence
    kind, _colon, number = evidence.partition(":")
    pk = id_of(number)
    if kind != "operation" or pk is None:
        return None
    operation = Operation.objects.visible_to(by).filter(pk=pk).first()
    if operation is None or not operation.is_undoable(at) or not by.may(Permission(operation.permission)):
        return None
    return operation


def touched(operation: Operation) -> QuerySet[Device]:
    """Return the devices whose spans the operation opened or closed."""
    side = "start_evidence" if operation.undo_route == ASSIGN else "end_evidence"
    spans = Ownership.objects.filter(device=OuterRef("pk"), **{side: evidence_of(operation)})
    return sql.having_ids(Device.objects.filter(Exists(spans)), "id", operation.payload["ids"])


def preview(operation: Operation, *, shown: int, at: datetime | None = None) -> dict[str, Any]:
    """Return how many devices an undo would change and how many not, with the reasons and the first of the latter.

    Raises Refused if the operation can't be undone at all.
    """
    operations.check_undo(operation, at=at)
    rows = _with_reasons(operation, touched(operation))
    counts = dict(rows.order_by().values_list("why").annotate(Count("pk")))
    wiped = rows.filter(why="", wipe_asked_at__isnull=False, wipe_confirmed_at__isnull=False)
    return {
        "total": sum(counts.values()),
        "fit": counts.pop("", 0),
        "unfit": [(SENTENCES[why], n) for why, n in sorted(counts.items())],
        "wiped": wiped.count() if operation.undo_route == UNCLAIM else 0,
        "rows": [(row, SENTENCES[row.why]) for row in rows.exclude(why="").order_by("serial_key", "pk")[:shown]],
        "shown": shown,
    }


def _with_reasons(operation: Operation, devices: QuerySet[Device]) -> "QuerySet[WithAnnotations[Device, Why]]":
    """Annotate the devices with `why` they can't be undone, as a key of SENTENCES; empty if they can.

    The ledger checks the same conditions in its UPDATE; this is how they are explained to people.
    """
    spans, evidence = Ownership.objects.filter(device=OuterRef("pk")), evidence_of(operation)
    if operation.undo_route == ASSIGN:
        cases = [
            When(customer=None, then=Value("unclaimed_since")),
            When(~Exists(spans.filter(ended_at=None, start_evidence=evidence)), then=Value("changed_hands")),
        ]
    else:
        span = spans.filter(end_evidence=evidence)
        later = Ownership.objects.filter(device=OuterRef("device"), started_at__gt=OuterRef("started_at"))
        cases = [
            When(archived_at__isnull=False, then=Value("archived")),
            When(~Q(status=DeviceStatus.IN_STOCK), then=F("status")),
            When(~Exists(span.filter(~Exists(later))), then=Value("changed_hands")),
            When(~Exists(span.filter(customer__archived_at=None)), then=Value("customer_archived")),
        ]
    return devices.annotate(why=Case(*cases, default=Value(""), output_field=CharField()))


def _refused(undone: Operation, ids: set[int]) -> list[RefusedRow]:
    rows = sql.having_ids(Device.objects.order_by("pk"), "id", ids) if ids else Device.objects.none()
    found = _with_reasons(undone, rows).values_list("pk", "serial_number", "why")
    return [RefusedRow(pk, serial, why or "changed", str(SENTENCES[why])) for pk, serial, why in found]


def _held_owners(undone: Operation, ids: list[int]) -> list[Customer]:
    """Lock and return the spans' owners that are not archived, which they can't be until the transaction ends."""
    spans = Ownership.objects.filter(end_evidence=evidence_of(undone))
    owners = set(sql.having_ids(spans, "device_id", ids).values_list("customer", flat=True))
    rows = Customer.objects.select_for_update(no_key=True).filter(archived_at=None).order_by("pk")
    return list(sql.having_ids(rows, "id", owners))
