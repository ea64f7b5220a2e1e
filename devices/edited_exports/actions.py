"""Edited lists of devices: received, checked, and applied device by device."""

from datetime import datetime
from typing import Any

from django.utils.translation import get_language, ngettext, ngettext_lazy, override
from django.utils.translation import gettext as _

from console import clock, operations
from console.access import Actor, Permission
from console.audit import record
from console.errors import Refused
from console.imports import files, uploads
from console.imports.lifecycle import Importer
from console.models import Operation
from console.reasons import stated
from console.tabular import guards
from devices.actions import undo
from devices.actions.ownership import check_unclaim_limit
from devices.edited_exports import RoundTripKind, events
from devices.edited_exports.staged import Changes, Plan
from devices.edited_exports.writing import Portion, SkippedRow
from devices.models import RoundTrip

CHUNK = 5_000
# Permissions that the check needs to know of the person who asks for it; they are checked again on applying.
RIGHTS = (Permission.DEVICE_EDIT, Permission.DEVICE_ASSIGN, Permission.DEVICE_UNCLAIM)


class RoundTripImporter(Importer):
    """The check of an edited export. `apply` below applies it, device by device instead of as a whole."""

    model = RoundTrip
    kind = RoundTripKind
    permission = Permission.DEVICE_ASSIGN
    name = "edited_export"
    related = ("organization", "operation")
    is_applied_here = False

    def kind_of(self, row: Any) -> RoundTripKind:
        return RoundTripKind(row.organization, row.reading, is_guarded=not _is_workbook(row))

    def check(self, row: Any, *, by: Actor, reading: dict[str, Any] | None = None) -> None:
        """Check the file with the permissions of the actor who asks for it."""
        rights = [str(right) for right in RIGHTS if by.may(right)]
        super().check(row, by=by, reading={**(row.reading if reading is None else reading), "may": rights})


IMPORTER = RoundTripImporter()


def apply(
    row: RoundTrip, *, version: int, by: Actor, reason: str = "", is_whole: bool = False, at: datetime | None = None
) -> Operation:
    """Apply changes of a checked file: up to 200 rows at once, more by the worker. Returns the operation.

    Each row succeeds or is refused on its own; with `is_whole`, all of them or none. `version` is that of the preview
    that the decision was based on. Raises Refused without a reason if devices are taken from their owners, above the
    actor's unclaim limit, and if the file is not checked or already applied.
    """
    plan = refuse_unfit(row, is_whole=is_whole)
    if plan.taken:
        stated(reason)
        check_unclaim_limit(plan.taken, by=by, at=at)
    undo_route, undone = _undo_of(plan)
    return operations.begin(
        run_apply,
        by=by,
        total=row.summary["changed"] + row.summary["refused"],
        words={"n": row.summary["changed"], "file": row},
        handed_over=lambda operation: uploads.hand_over(row, version=version, operation=operation),
        permission=Permission.DEVICE_UNCLAIM if plan.taken else Permission.DEVICE_ASSIGN,
        undo=undo_route,
        return_url=row.get_absolute_url(),
        version=version,
        reason=reason.strip(),
        is_whole=is_whole,
        language=get_language() or "en",
        **{"import": row.pk, **undone},
    )


def refuse_unfit(row: RoundTrip, *, is_whole: bool = False) -> Plan:
    """Return what a file would change. Raises Refused if it can't be applied."""
    if row.applied_at:
        raise uploads.applied_already()
    if row.is_running:
        raise uploads.running()
    if not row.checked_as:
        raise Refused("not_checked", _("This file has not been checked yet. Look at the preview first."))
    if not row.summary["changed"]:
        raise Refused("nothing_to_apply", _("No row in this file changes anything."))
    if is_whole and row.summary["refused"]:
        sentence = ngettext(
            "%(n)d row is refused, so nothing was changed. Correct the file, or apply only the other rows.",
            "%(n)d rows are refused, so nothing was changed. Correct the file, or apply only the other rows.",
            row.summary["refused"],
        )
        raise Refused("rows_refused", sentence % {"n": row.summary["refused"]}, id=row.pk)
    return Changes(row).plan()


@operations.handler(
    "edited_export.apply",
    title=ngettext_lazy("Change %(n)d device with %(file)s", "Change %(n)d devices with %(file)s", "n"),
    done=ngettext_lazy("%(n)d device changed.", "%(n)d devices changed.", "n"),
)
def run_apply(operation: Operation, by: Actor) -> None:
    """Apply an edited export: payload {import, version, reason, is_whole, language}.

    Each portion is one transaction together with its progress, so a killed worker leaves only whole portions and rows.
    """
    row = RoundTrip.objects.visible_to(by).select_related("organization").get(pk=operation.payload["import"])
    with override(operation.payload["language"]):
        if operation.payload["is_whole"]:
            if not operation.cursor:
                _whole(operation, row, by)
        else:
            while operation.cursor < operation.total:
                _portion(operation, row, operation.cursor, by)
        operation.sentence = operations.sentence_of(operation)


@operations.chunk
def _whole(operation: Operation, row: RoundTrip, by: Actor) -> None:
    """Apply all rows in one transaction, or none."""
    start, count = 0, operation.total
    while start < count:
        start = _step(operation, row, start, by)


@operations.chunk
def _portion(operation: Operation, row: RoundTrip, start: int, by: Actor) -> None:
    _step(operation, row, start, by)


def _step(operation: Operation, row: RoundTrip, start: int, by: Actor) -> int:
    """Apply the rows from `start` on, or record those that the check refused. Returns the position reached."""
    at, payload, changes = clock.now(), operation.payload, Changes(row)
    if not start:
        _begin(operation, row, by, at)
    changed, done = row.summary["changed"], 0
    if start < changed:
        rows = changes.portion(start, CHUNK)
        portion = Portion(rows, by=by, reason=payload["reason"], evidence=operations.evidence_of(operation))
        done, left, end = portion.apply(), portion.left, start + len(rows)
        if left and payload["is_whole"]:
            sentence = _("Nothing was changed. Row %(row)s, %(device)s: %(why)s")
            details = {"row": left[0].number, "device": left[0].label, "why": left[0].sentence}
            raise Refused("nothing_changed", sentence % details)
    else:
        refused = list(changes.refused(start - changed, CHUNK))
        left, end = (
            [SkippedRow(number, name, "refused", reason) for number, name, reason in refused],
            start + len(refused),
        )
    operations.advance(operation, cursor=end, succeeded=done, refused=sorted(left))
    if end >= operation.total:
        _end(operation, row, by, at)
    return end


def _begin(operation: Operation, row: RoundTrip, by: Actor, at: datetime) -> None:
    uploads.take(row, version=operation.payload["version"], at=at)
    RoundTrip.objects.filter(pk=row.pk).update(operation=operation)
    record(events.CHANGES_APPLIED, row, by=by, at=at)


def _end(operation: Operation, row: RoundTrip, by: Actor, at: datetime) -> None:
    counted = Operation.objects.values("succeeded", "refused").get(pk=operation.pk)
    outcome = {
        "new": 0,
        "changed": counted["succeeded"],
        "unchanged": row.summary["unchanged"],
        "refused": counted["refused"],
        "by": by.label,
    }
    uploads.note_outcome(row, outcome, at=at)


def _undo_of(plan: Plan) -> tuple[str, dict[str, Any]]:
    """Return the undo route of a file's ownership changes and its payload; empty unless they are one bulk action."""
    if plan.unclaim and not plan.assign + plan.transfer:
        return undo.UNCLAIM, {"ids": plan.moved}
    if plan.assign and not plan.unclaim + plan.transfer and len(plan.owners) == 1:
        return undo.ASSIGN, {"ids": plan.moved, "customer": next(iter(plan.owners))}
    return "", {}


def _is_workbook(row: RoundTrip) -> bool:
    try:
        return guards.kind_of(files.STORE.path_of(row.stored_as)) == "xlsx"
    except OSError:
        # Code that reads the file reports that it is gone.
        return False
