"""Inspection of returned devices, and the decision to restock, refurbish or scrap them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from claims.models import Grade, Return, ReturnState
from claims.returns import events
from console import operations, sql
from console.access import Actor, Permission
from console.audit.kinds import Kind
from console.errors import Refused
from console.models import Operation
from console.operations import Outcome, RefusedRow
from console.transactions import retrying
from devices import causes, ledger
from devices.log import record_devices
from devices.models import DeviceStatus

UNDO = "claims:return_inspect_undo"
# The status that a decision gives the device, and the event that records it.
DECISIONS = {
    ReturnState.RESTOCKED: (DeviceStatus.IN_STOCK, events.RESTOCKED),
    ReturnState.REFURBISHED: (DeviceStatus.IN_STOCK, events.REFURBISHED),
    ReturnState.SCRAPPED: (DeviceStatus.SCRAPPED, events.SCRAPPED),
}


@dataclass(frozen=True)
class Findings:
    """The findings of an inspection: the points of the checklist with `is_ok` each, a grade, and a note."""

    grade: str = ""
    note: str = ""
    checks: list[dict[str, Any]] = field(default_factory=list)


def begin(
    return_ids: Iterable[int], findings: Findings, *, decision: str, by: Actor, return_url: str = ""
) -> Operation:
    """Start inspecting and deciding on returns as an operation: up to 200 at once, more by the worker."""
    ids = list(dict.fromkeys(return_ids))
    return operations.begin(
        run_inspect,
        ids,
        by=by,
        return_url=return_url,
        grade=findings.grade,
        note=findings.note,
        checks=findings.checks,
        decision=decision,
    )


@operations.handler(
    "return.inspect",
    title=ngettext_lazy("Inspect %(n)d returned device", "Inspect %(n)d returned devices", "n"),
    done=ngettext_lazy("%(n)d device inspected.", "%(n)d devices inspected.", "n"),
    permission=Permission.RETURN_EDIT,
    undo=UNDO,
)
def run_inspect(operation: Operation, by: Actor) -> None:
    """Inspect returns: payload {ids, grade, note, checks, decision}; the ids are those of returns."""
    plan = operation.payload
    findings = Findings(plan["grade"], plan["note"], plan["checks"])
    operations.in_chunks(
        operation, lambda ids: inspect(ids, findings, decision=plan["decision"], by=by, operation=operation)
    )
    operation.sentence = operations.sentence_of(operation)


@retrying
def inspect(
    return_ids: Iterable[int],
    findings: Findings,
    *,
    by: Actor,
    decision: str = "",
    at: datetime | None = None,
    operation: Operation | None = None,
) -> Outcome:
    """Record the findings for each device in quarantine and, with a decision, take it out of there.

    Without a grade, earlier findings stay; a device that was never inspected is then refused. The ids of the outcome
    are those of the returns. Raises Refused (422) for an unknown decision.
    """
    if decision and decision not in DECISIONS:
        raise Refused("decision", _("Choose a decision."), status=422)
    at, rows = at or timezone.now(), hold(return_ids, by)
    outcome, fit = Outcome(), []
    for pk in sorted(set(return_ids) - {row.pk for row in rows}):
        outcome.refused.append(RefusedRow(pk, str(pk), "not_found", _("There is no such return.")))
    for row in rows:
        code, sentence = _why_not(row, findings)
        if code:
            outcome.refused.append(RefusedRow(row.pk, row.device.serial_number, code, sentence))
        else:
            fit.append(row)
    _remember(fit, operation)
    if fit and findings.grade:
        _write(fit, findings, by, at, outcome)
    if fit and decision:
        _decide(fit, decision, by, at, outcome)
    outcome.done = [row.pk for row in fit]
    return outcome


def hold(return_ids: Iterable[int], by: Actor) -> list[Return]:
    """Lock the returns until this transaction ends and return them; their devices are locked first, as everywhere."""
    ids = sorted(set(return_ids))
    mine = Return.objects.visible_to(by)
    ledger.lock(sorted(set(sql.having_ids(mine, "id", ids).values_list("device_id", flat=True))))
    rows = mine.select_for_update(of=("self",)).select_related("device").order_by("pk")
    return list(sql.having_ids(rows, "id", ids))


def _why_not(row: Return, findings: Findings) -> tuple[str, str]:
    if row.state == ReturnState.REQUESTED:
        return "not_received", _("It hasn't arrived yet. Receive it first.")
    if row.is_over:
        return "is_over", _("It is closed: %(state)s.") % {"state": row.get_state_display()}
    if row.device.archived_at and (cause := causes.of(row.device)):
        return cause
    if row.state == ReturnState.RECEIVED and not findings.grade:
        return "not_inspected", _("It hasn't been inspected yet. Give it a grade.")
    return "", ""


def _remember(rows: list[Return], operation: Operation | None) -> None:
    """Keep the returns' current values for the undo of the operation; without an operation there is no undo."""
    for row in rows:
        row.inspection = operation
        row.before = operation and {
            "state": row.state,
            "grade": row.grade,
            "checks": row.checks,
            "note": row.note,
            "inspected_at": row.inspected_at.isoformat() if row.inspected_at else None,
            "inspected_by": row.inspected_by,
            "needs_label": row.needs_label,
        }
    sql.update_rows(Return, rows, ["inspection", "before"])


def _write(rows: list[Return], findings: Findings, by: Actor, at: datetime, outcome: Outcome) -> None:
    Return.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=ReturnState.INSPECTED,
        inspected_at=at,
        inspected_by=by.label[:200],
        grade=findings.grade,
        checks=findings.checks,
    )
    if findings.note:
        _add_note(rows, findings.note)
    failed = [check["text"] for check in findings.checks if not check["is_ok"]]
    data = {"grade": str(Grade(findings.grade).label), "not_in_order": failed, "note": findings.note}
    _log(events.INSPECTED, rows, by, at, outcome, **data)


def _add_note(rows: list[Return], note: str) -> None:
    """Append the note to the one that each return already has from its receipt."""
    for row in rows:
        row.note = "\n".join(filter(None, [row.note if row.note != note else "", note]))[:1000]
    sql.update_rows(Return, rows, ["note"])


def _decide(rows: list[Return], decision: str, by: Actor, at: datetime, outcome: Outcome) -> None:
    status, kind = DECISIONS[ReturnState(decision)]
    moved = ledger.set_status([row.device_id for row in rows], frm=[DeviceStatus.RETURNED], to=status)
    if len(moved) != len(rows):
        raise Refused("busy", _("Someone else changed this at the same time. Check it again and retry."))
    more = {"needs_label": False} if status == DeviceStatus.SCRAPPED else {}
    Return.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=decision, closed_at=at, closed_by=by.label[:200], **more
    )
    _log(kind, rows, by, at, outcome)


def _log(kind: Kind, rows: list[Return], by: Actor, at: datetime, outcome: Outcome, **data: Any) -> None:
    record_devices(kind, [row.device_id for row in rows], by=by, act=outcome.act, at=at, **data)
