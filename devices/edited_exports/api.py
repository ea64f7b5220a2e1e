"""Change the owners, tags and notes of many devices at once with an edited export."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404

from console.access import Permission
from console.imports import api as imports
from console.imports import refused
from console.imports.api import ImportOut, ImportQuery
from console.rest.endpoints import endpoint
from console.rest.fields import Text
from console.rest.forms import checked
from console.rest.paging import page
from devices.edited_exports import RoundTripKind, actions
from devices.edited_exports.actions import IMPORTER
from devices.edited_exports.pages import RoundTripApplyForm
from devices.models import RoundTrip

TAG = "changes"

MAY = Permission.DEVICE_ASSIGN
WHY = "Why devices are taken from their owners. Required if any device is."
EXAMPLE = {"csv": 'device_name,tags\ne00fce68aa209001,"lot-7, pilot"\n'}


class ChangesIn(imports.ImportIn):
    """An edited export, or any file with device names and columns to change: owner, owner_reference, tags, notes."""

    reason = Text(max_length=500, required=False, allow_blank=True, help_text=WHY)


class ChangesApplyIn(imports.ApplyIn):
    """The check to apply, and the reason for it."""

    reason = Text(max_length=500, required=False, allow_blank=True, help_text=WHY)


@endpoint(
    "Change devices with a file",
    may=MAY,
    takes=ChangesIn,
    query=ImportQuery,
    answers=ImportOut,
    status=201,
    example=EXAMPLE,
)
def device_changes_create(request: Any) -> Any:
    """Checks the file and applies it, all or nothing; `dry_run=true` only checks it. Large files become an operation.

    The request is refused (422, `missing_columns`) if the file lacks a required column; `ignored_columns` in the answer
    lists columns that are not known.
    Devices and columns that are not in the file stay as they are. A file that changes nothing is not applied.
    """
    data, query = request.body_data, request.query
    content, reading = imports.content_of(data), imports.reading_of(data)
    row = IMPORTER.receive(data["file_name"], [content], by=request.actor, reading=reading)
    imports.look_at_header(IMPORTER, row)
    IMPORTER.check(row, by=request.actor)
    imports.refuse_unread(row, RoundTripKind, is_trial=query["dry_run"])
    changes = row.checked_as and (row.summary["changed"] or row.summary["refused"])
    if changes and not query["dry_run"]:
        _apply(request, row, version=row.version, good_rows=query["good_rows"])
    row.refresh_from_db()
    return row


@endpoint("List device changes made with files", may=MAY, answers=ImportOut, is_list=True)
def device_changes_list(request: Any) -> Any:
    """Returns the newest files first, including those uploaded in the console."""
    return page(request.query, _rows(request), ImportOut)


@endpoint("See device changes made with a file", may=MAY, answers=ImportOut)
def device_changes_detail(request: Any, pk: int) -> Any:
    """Returns what the check of the file found, and what was changed."""
    return _one(request, pk)


@endpoint(
    "Apply device changes from a file",
    may=MAY,
    takes=ChangesApplyIn,
    answers=ImportOut,
    example={"version": 1, "reason": "Contract ended"},
)
def device_changes_apply(request: Any, pk: int) -> Any:
    """Applies the changes that the check accepted. `version` is that of the check you looked at."""
    data = request.body_data
    _apply(request, _one(request, pk), version=data["version"], good_rows=data["good_rows"])
    return _one(request, pk)


@endpoint("Download the refused rows of device changes", may=MAY, media=["text/csv"])
def device_changes_refused(request: Any, pk: int) -> HttpResponseBase:
    """Returns the refused rows as they were in the file, each with its reason."""
    return refused.answer(request._request, _one(request, pk), RoundTripKind)


def _apply(request: Any, row: RoundTrip, *, version: int, good_rows: bool) -> None:
    """Apply the file under the rules of the console's form. Raises Unfit without a reason if one is needed."""
    plan = actions.refuse_unfit(row, is_whole=not good_rows)
    data = {"version": version, "reason": request.body_data.get("reason", ""), "is_whole": not good_rows}
    form = checked(RoundTripApplyForm, data, row=row, plan=plan)
    actions.apply(row, by=request.actor, **form.cleaned_data)


def _one(request: Any, pk: int) -> RoundTrip:
    return get_object_or_404(_rows(request), pk=pk)


def _rows(request: Any) -> QuerySet[RoundTrip]:
    return RoundTrip.objects.visible_to(request.actor).select_related("organization", "operation")
