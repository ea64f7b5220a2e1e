"""Undo of an inspection, within 15 minutes: its devices are in quarantine again, with their earlier findings."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later
from django.utils.translation import ngettext_lazy

from claims.models import Return, ReturnState
from claims.returns import events
from claims.returns.actions.inspection import DECISIONS, hold
from console import operations, sql
from console.access import Actor
from console.errors import Refused
from console.models import Operation
from console.operations import Outcome, RefusedRow
from console.transactions import retrying
from devices import causes, ledger
from devices.log import record_devices
from devices.models import DeviceStatus, Ownership

SENTENCES = causes.SINCE | {
    "inspected_again": _later("It has been inspected again since."),
    "received_again": _later("It has been returned again since."),
    DeviceStatus.IN_STOCK: _later("It has been put in stock since."),
}


# What `_restore` sets.
RESTORED = [
    "state",
    "grade",
    "checks",
    "note",
    "inspected_at",
    "inspected_by",
    "needs_label",
    "closed_at",
    "closed_by",
    "inspection",
    "before",
]


@retrying
def begin(operation: Operation, *, by: Actor, at: datetime | None = None) -> Operation:
    """Undo the inspection and return the operation that does so: up to 200 devices at once, more by the worker.

    Raises Refused if it was undone already, or finished more than 15 minutes ago.
    """
    operations.take_undo(operation, at=at)
    ids = [int(pk) for pk in operation.payload["ids"]]
    return operations.begin_undo(run_undo_inspect, operation, ids, by=by)


@operations.handler(
    "return.undo_inspect",
    title=_later("Undo: %(title)s"),
    done=ngettext_lazy("%(n)d device is back in quarantine.", "%(n)d devices are back in quarantine.", "n"),
)
def run_undo_inspect(operation: Operation, by: Actor) -> None:
    """Undo an inspection: payload {ids, operation}; the ids are those of returns."""
    operations.undo_in_chunks(operation, undo_inspect, by=by)


@retrying
def undo_inspect(return_ids: Iterable[int], *, undone: Operation, by: Actor, at: datetime | None = None) -> Outcome:
    """Restore each return to what it was before `undone`.

    Returns are refused if they or their device have changed since.
    """
    outcome, at, rows = Outcome(), at or timezone.now(), hold(return_ids, by)
    reasons = _reasons(rows, undone)
    fit = [row for row in rows if row.pk not in reasons]
    for row in rows:
        if why := reasons.get(row.pk):
            outcome.refused.append(RefusedRow(row.pk, row.device.serial_number, why, str(SENTENCES[why])))
    _put_in_quarantine(fit)
    for row in fit:
        _restore(row)
    sql.update_rows(Return, fit, RESTORED)
    record_devices(
        events.INSPECTION_UNDONE,
        [row.device_id for row in fit],
        by=by,
        act=outcome.act,
        at=at,
    )
    outcome.done = [row.pk for row in fit]
    return outcome


def preview(operation: Operation, *, shown: int, at: datetime | None = None) -> dict[str, Any]:
    """Return how many devices an undo would change, how many not and why, and the first of the latter.

    Raises Refused if the operation cannot be undone at all.
    """
    operations.check_undo(operation, at=at)
    rows = list(_touched(operation).select_related("device").order_by("pk"))
    reasons = _reasons(rows, operation)
    unfit = [(row.device, SENTENCES[reasons[row.pk]]) for row in rows if row.pk in reasons]
    counts: dict[str, int] = {}
    for why in reasons.values():
        counts[why] = counts.get(why, 0) + 1
    return {
        "total": len(rows),
        "fit": len(rows) - len(unfit),
        "rows": unfit[:shown],
        "shown": shown,
        "unfit": [(SENTENCES[why], n) for why, n in sorted(counts.items())],
    }


def _touched(operation: Operation) -> Any:
    """Return the returns that the operation inspected, without those that it refused."""
    refused = set(operation.rows.values_list("position", flat=True))
    ids = [pk for place, pk in enumerate(operation.payload["ids"], 1) if place not in refused]
    return sql.having_ids(Return.objects.filter(organization=operation.organization_id), "id", ids)


def _reasons(rows: list[Return], undone: Operation) -> dict[int, str]:
    """Return, by id, why returns cannot be restored; those that can be are left out. Runs two queries."""
    ids = [row.device_id for row in rows]
    newest: dict[int, int] = {}
    again = sql.having_ids(Return.objects.order_by("pk"), "device_id", ids)
    for device, pk in again.values_list("device_id", "pk"):
        newest[device] = pk
    spans: dict[int, datetime] = {}
    begun = sql.having_ids(Ownership.objects.order_by("started_at"), "device_id", ids)
    for device, started_at in begun.values_list("device_id", "started_at"):
        spans[device] = started_at
    return {row.pk: why for row in rows if (why := _why(row, undone, newest, spans)) is not None}


def _why(row: Return, undone: Operation, newest: dict[int, int], spans: dict[int, datetime]) -> str | None:
    since = row.closed_at or row.inspected_at
    begun = spans.get(row.device_id)
    if row.inspection_id != undone.pk:
        return "inspected_again"
    if newest[row.device_id] != row.pk:
        return "received_again"
    if row.device.archived_at:
        return "archived"
    if row.device.status != _made_of(row):
        return str(row.device.status)
    return "changed_hands" if begun and since and begun >= since else None


def _made_of(row: Return) -> str:
    """Return the device status that the inspection led to."""
    decided = DECISIONS.get(ReturnState(row.state))
    return str(decided[0] if decided else DeviceStatus.RETURNED)


def _put_in_quarantine(rows: list[Return]) -> None:
    """Return the devices from the status that the inspection led to into quarantine, each of them or none."""
    for status in sorted({_made_of(row) for row in rows} - {str(DeviceStatus.RETURNED)}):
        ids = [row.device_id for row in rows if _made_of(row) == status]
        moved = ledger.set_status(ids, frm=[status], to=DeviceStatus.RETURNED)
        if len(moved) != len(ids):
            raise Refused("busy", _("Someone else changed this at the same time. Check it again and retry."))


def _restore(row: Return) -> None:
    """Restore the values from before the inspection; a label printed since then stays printed."""
    before, was_scrapped = row.before or {}, row.state == ReturnState.SCRAPPED
    row.state, row.grade, row.checks, row.note = (before["state"], before["grade"], before["checks"], before["note"])
    row.inspected_at = parse_datetime(before["inspected_at"]) if before["inspected_at"] else None
    row.inspected_by, row.closed_at, row.closed_by = before["inspected_by"], None, ""
    if was_scrapped:
        row.needs_label = before["needs_label"]
    row.inspection, row.before = None, None
