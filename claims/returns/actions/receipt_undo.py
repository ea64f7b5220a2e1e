"""Undo of receiving returned devices, within 15 minutes: the same ownership spans continue as if never ended."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later
from django.utils.translation import ngettext_lazy

from claims.models import Return, ReturnState
from claims.returns import events
from claims.returns.actions import mails
from console import operations, sql
from console.access import Actor
from console.models import Operation
from console.operations import Outcome, RefusedRow, evidence_of
from console.transactions import retrying
from customers.models import Customer
from devices import ledger
from devices.acts import Act, BegunAct
from devices.log import record_act
from devices.models import Device, DeviceStatus

SENTENCES: dict[str, Any] = {
    ReturnState.REQUESTED: _later("Receiving it has already been undone."),
    ReturnState.INSPECTED: _later("It has been inspected since."),
    ReturnState.RESTOCKED: _later("It has been restocked since."),
    ReturnState.REFURBISHED: _later("It has been refurbished since."),
    ReturnState.SCRAPPED: _later("It has been scrapped since."),
    ReturnState.CANCELLED: _later("Its return has been cancelled since."),
    "customer_archived": _later("Its owner has been archived since."),
    "archived": _later("It has been archived since."),
    "": _later("Someone else changed it at the same time."),
}


@retrying
def begin(operation: Operation, *, by: Actor, at: datetime | None = None) -> Operation:
    """Undo the receiving and return the operation that does so: up to 200 devices at once, more by the worker.

    Raises Refused if it was undone already, or finished more than 15 minutes ago.
    """
    operations.take_undo(operation, at=at)
    ids = _returns(operation).order_by("device_id").values_list("device_id", flat=True)
    return operations.begin_undo(run_undo_receive, operation, ids, by=by)


@operations.handler(
    "return.undo_receive",
    title=_later("Undo: %(title)s"),
    done=ngettext_lazy("%(n)d device is as it was before.", "%(n)d devices are as they were before.", "n"),
)
def run_undo_receive(operation: Operation, by: Actor) -> None:
    """Undo receiving: payload {ids, operation}."""
    operations.undo_in_chunks(operation, undo_receive, by=by)


@retrying
def undo_receive(device_ids: Iterable[int], *, undone: Operation, by: Actor, at: datetime | None = None) -> Outcome:
    """Give devices back to the owners from whom `undone` received them, and reopen the spans and shares that it ended.

    A return that the owner had asked for is requested again, any other one is cancelled. Labels that no longer work are
    not restored, so their devices stay in the queue for new ones.
    """
    ids = sorted(set(device_ids))
    owners = _held_owners(undone, ids)
    act = ledger.begin(ids, Act(by, at=at))
    ledger.lock(ids)
    rows = Return.objects.select_for_update(of=("self",)).filter(operation=undone, state=ReturnState.RECEIVED)
    found = {row.device_id: row for row in sql.having_ids(rows.order_by("pk"), "device_id", ids)}
    is_wiped = Device.objects.filter(wipe_asked_at__isnull=False, wipe_confirmed_at__isnull=False)
    wiped = set(sql.having_ids(is_wiped, "id", ids).values_list("pk", flat=True))
    back = _give_back(found, undone, owners, act)
    _close_returns(back, act)
    outcome = Outcome(sorted(row.device_id for row in back), act=act.id)
    outcome.refused = _refused(undone, set(ids) - set(outcome.done))
    _log(back, owners, wiped, act)
    return outcome


def preview(operation: Operation, *, shown: int, at: datetime | None = None) -> dict[str, Any]:
    """Return how many devices an undo would change, how many not and why, and the first of the latter.

    Raises Refused if the operation cannot be undone at all.
    """
    operations.check_undo(operation, at=at)
    rows = _returns(operation)
    unfit = rows.exclude(state=ReturnState.RECEIVED).select_related("device")
    counts = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    fit = counts.pop(ReturnState.RECEIVED, 0)
    wiped = rows.filter(state=ReturnState.RECEIVED, device__wipe_confirmed_at__isnull=False)
    return {
        "total": fit + sum(counts.values()),
        "fit": fit,
        "wiped": wiped.count(),
        "unfit": [(SENTENCES[state], n) for state, n in sorted(counts.items())],
        "rows": [(row.device, SENTENCES[row.state]) for row in unfit.order_by("pk")[:shown]],
        "shown": shown,
    }


def _returns(operation: Operation) -> QuerySet[Return]:
    return Return.objects.filter(operation=operation)


def _give_back(found: dict[int, Return], undone: Operation, owners: dict[int, Customer], act: BegunAct) -> list[Return]:
    """Restore the previous status of each device, and return the returns of those that were restored."""
    by_status: dict[str, list[int]] = {}
    for row in found.values():
        by_status.setdefault(row.status_before, []).append(row.device_id)
    reopened = ledger.reopen(
        by_status.get(DeviceStatus.OWNED, []),
        act,
        ended=evidence_of(undone),
        customer_ids=list(owners),
        frm=(DeviceStatus.RETURNED,),
    )
    stocked = ledger.set_status(
        by_status.get(DeviceStatus.IN_STOCK, []), frm=[DeviceStatus.RETURNED], to=DeviceStatus.IN_STOCK
    )
    stayed = by_status.get(DeviceStatus.RETURNED, [])
    return [found[pk] for pk in sorted([*reopened.done, *stocked, *stayed])]


def _close_returns(back: list[Return], act: BegunAct) -> None:
    asked = [row.pk for row in back if row.requested_at]
    Return.objects.filter(pk__in=asked).update(
        state=ReturnState.REQUESTED, received_at=None, received_by="", note="", status_before=""
    )
    Return.objects.filter(pk__in=[row.pk for row in back if not row.requested_at]).update(
        state=ReturnState.CANCELLED, closed_at=act.at, closed_by=act.by.label[:200]
    )


def _log(back: list[Return], owners: dict[int, Customer], wiped: set[int], act: BegunAct) -> None:
    parties: dict[tuple[int | None, bool], list[int]] = {}
    for row in back:
        owner = row.customer_id if row.status_before == DeviceStatus.OWNED else None
        parties.setdefault((owner, row.device_id in wiped), []).append(row.device_id)
    for (owner, had_wiped), ids in parties.items():
        data = {"note": _("It had already wiped itself.")} if had_wiped else {}
        about = owners[owner] if owner else None
        kind = events.RETURN_UNDONE if owner else events.QUARANTINE_UNDONE
        record_act(kind, ids, act, about=about, **data)
    for pk, customer in owners.items():
        ids = [i for (party, _wiped), each in parties.items() if party == pk for i in each]
        if ids:
            devices = sql.having_ids(Device.objects.select_related("product"), "id", ids)
            mails.notify("customer_return_undone", customer, list(devices))


def _held_owners(undone: Operation, ids: list[int]) -> dict[int, Customer]:
    """Return the owners that are not archived, locked until this transaction ends."""
    rows = _returns(undone).filter(customer__isnull=False)
    wanted = set(sql.having_ids(rows, "device_id", ids).values_list("customer", flat=True))
    held = Customer.objects.select_for_update(no_key=True, of=("self",)).select_related("organization")
    found = sql.having_ids(held.filter(archived_at=None).order_by("pk"), "id", wanted)
    return {customer.pk: customer for customer in found}


def _refused(undone: Operation, ids: set[int]) -> list[RefusedRow]:
    rows = _returns(undone).select_related("device", "customer").order_by("device_id")
    return [
        RefusedRow(row.device_id, row.device.serial_number, why or "changed", str(SENTENCES[why]))
        for row in sql.having_ids(rows, "device_id", ids)
        for why in [_why(row)]
    ]


def _why(row: Return) -> str:
    if row.state != ReturnState.RECEIVED:
        return str(row.state)
    if row.device.archived_at:
        return "archived"
    return "customer_archived" if row.customer and row.customer.archived_at else ""
