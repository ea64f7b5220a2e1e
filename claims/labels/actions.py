"""Actions that print labels: few at once, many in the background. Every export of codes is logged."""

from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any
from uuid import uuid4

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from claims.labels import drawing, events, files
from claims.labels.drawing import Options
from claims.labels.units import Gathered, gather
from claims.labels.writers import DRAWN, open_writer
from claims.models import LabelSheet, Return
from claims.returns import events as return_events
from claims.returns.actions import returns
from console import operations, sql
from console.access import Actor, Permission
from console.audit import record
from console.errors import Refused
from console.files import settle
from console.models import Operation
from console.operations import IN_REQUEST
from console.transactions import retrying
from devices.log import record_devices

# The most labels in one file. Viewers and printers have trouble with larger files.
MOST = 20_000
CHUNK = 250


@dataclass(frozen=True)
class Made:
    """Labels that were printed at once: the row that records them, the file, and the devices left out."""

    sheet: LabelSheet
    content: bytes
    refused: list[tuple[int, str, str, str]]


def make(device_ids: list[int], *, profile_id: int | None, form: str, options: Options, by: Actor) -> Made:
    """Print up to 200 labels immediately.

    Raises Refused (409) if more are requested, and Refused (422) if no label can be printed.
    """
    if len(device_ids) > IN_REQUEST:
        raise Refused("too_many", _("This many labels can only be printed in the background."))
    gathered = _gather(device_ids, profile_id, form, options, by)
    if not gathered.units:
        raise _nothing(gathered)
    file = BytesIO()
    writer = open_writer(form, file, options)
    for unit in gathered.units:
        writer.add(unit)
    writer.close()
    return Made(_note(gathered, form=form, options=options, by=by), file.getvalue(), gathered.refused)


@transaction.atomic
def start(
    device_ids: list[int],
    *,
    profile_id: int | None,
    form: str,
    options: Options,
    by: Actor,
    names: list[str] | None = None,
) -> LabelSheet:
    """Start printing many labels in the background; the returned sheet's page offers the file when it is done.

    `names` are the devices as an API call named them; if given, the operation has a result for each name, and the id of
    a name that identifies no device is one of the placeholders of `claims.labels.units`. Raises Refused (422) for more
    than 20,000 labels.
    """
    n = len(device_ids)
    check_number(n)
    sheet = LabelSheet.objects.create(
        organization=by.organization, stock=options.stock, form=form, count=n, created_by=by.label[:200]
    )
    named: dict[str, Any] = {} if names is None else {"names": names}
    sheet.operation = operations.begin(
        run_print,
        device_ids,
        by=by,
        words={"number": n, "n": grouped(n)},
        in_background=True,
        return_url=reverse("claims:label_sheet_detail", args=[sheet.pk]),
        sheet=sheet.pk,
        profile=profile_id,
        options=options.dump(),
        **named,
    )
    sheet.save(update_fields=["operation"])
    return sheet


def grouped(number: int) -> str:
    """Return a number with thousands separators."""
    return number_format(number, force_grouping=True)


def check_number(count: int) -> None:
    """Raise Refused (422) if there are more labels than one file may have."""
    if count > MOST:
        raise Refused(
            "too_many",
            _("You can print at most %(most)s labels at once. Filter the list to select fewer.")
            % {"most": grouped(MOST)},
            status=422,
        )


@operations.handler(
    "label.print",
    title=ngettext_lazy("Print %(n)s label", "Print %(n)s labels", "number"),
    done=ngettext_lazy("%(n)s label is ready to download.", "%(n)s labels are ready to download.", "number"),
    permission=Permission.CODE_VIEW,
)
def run_print(operation: Operation, by: Actor) -> None:
    """Print many labels: draw them chunk by chunk, and publish the file when it is complete.

    A worker that takes over from another draws all labels again, with the codes of that moment, but continues the other
    worker's count. A file without its last page is never visible.
    """
    sheet = LabelSheet.objects.visible_to(by).get(pk=operation.payload["sheet"])
    if not sheet.file_name:
        with files.STORE.new_file(sheet.organization_id) as (name, file):
            printed = _draw_all(operation, sheet, file, by)
            settle(file)
            hand_over(sheet, name, printed, by=by)
    sheet.refresh_from_db()
    operation.sentence = operations.sentence_of(operation, number=sheet.count, n=grouped(sheet.count))


@transaction.atomic
def note_download(sheet: LabelSheet, *, by: Actor) -> None:
    """Log that the actor downloaded the file."""
    record(events.SHEET_DOWNLOADED, sheet, by=by, labels=sheet.count)


@retrying
def hand_over(sheet: LabelSheet, name: str, printed: list[int], *, by: Actor) -> None:
    """Publish the finished file, and log it. Raises Superseded if another worker has already done so."""
    mine = LabelSheet.objects.filter(pk=sheet.pk, file_name="")
    if not mine.update(file_name=name, count=len(printed)):
        raise operations.Superseded
    sheet.count = len(printed)
    _log(sheet, printed, by=by)


def _draw_all(operation: Operation, sheet: LabelSheet, file: IO[bytes], by: Actor) -> list[int]:
    """Draw all labels into the file. Returns the ids of the printed devices."""
    payload, printed, gathered = operation.payload, [], Gathered()
    ids, options = payload["ids"], drawing.load(payload["options"])
    # Closed even if it is interrupted: an unclosed ZIP raises when it is garbage-collected.
    with closing(open_writer(sheet.form, file, options)) as writer:
        for first in range(0, len(ids), CHUNK):
            chunk = ids[first : first + CHUNK]
            gathered = _gather(chunk, payload["profile"], sheet.form, options, by, first)
            for unit in gathered.units:
                writer.add(unit)
                printed.append(unit.device_id)
            _count(operation, first + len(chunk), gathered)
        if not printed:
            raise _nothing(gathered)
    return printed


@operations.chunk
def _count(operation: Operation, cursor: int, gathered: Gathered) -> None:
    """Count a chunk, unless an earlier worker already did."""
    if cursor > operation.cursor:
        operations.advance(operation, cursor=cursor, succeeded=len(gathered.units), refused=gathered.refused)


def _gather(ids: list[int], profile_id: int | None, form: str, options: Options, by: Actor, first: int = 0) -> Gathered:
    stock = options.sheet if form in DRAWN else None
    sets_serial = form in DRAWN and "serial" in options.fields
    return gather(ids, profile_id=profile_id, by=by, stock=stock, sets_serial=sets_serial, first=first)


def _nothing(gathered: Gathered) -> Refused:
    """Return the Refused (422) for a print without any labels, with the reason why the first device was left out."""
    _position, label, code, sentence = gathered.refused[0]
    return Refused(code, _("Nothing to print. %(name)s: %(why)s") % {"name": label, "why": sentence}, status=422)


@retrying
def _note(gathered: Gathered, *, form: str, options: Options, by: Actor) -> LabelSheet:
    sheet = LabelSheet.objects.create(
        organization=by.organization,
        stock=options.stock,
        form=form,
        count=len(gathered.units),
        created_by=by.label[:200],
    )
    _log(sheet, [unit.device_id for unit in gathered.units], by=by)
    return sheet


def _log(sheet: LabelSheet, device_ids: list[int], *, by: Actor) -> None:
    """Log the sheet and each of its devices, and remove the devices from the queue of those that need a new label."""
    # The returns log the devices in the queue themselves.
    waiting = Return.objects.filter(organization=by.organization, needs_label=True).order_by("pk")
    queued = sql.having_ids(waiting.select_for_update(of=("self",)), "device_id", device_ids)
    rest = sorted(set(device_ids) - set(queued.values_list("device_id", flat=True)))
    returns.labels_printed(device_ids, by=by)
    act, at = uuid4(), timezone.now()
    record_devices(return_events.LABEL_PRINTED, rest, by=by, act=act, at=at)
    # Recorded last, so that the log shows it above the lines of its devices.
    record(events.SHEET_CREATED, sheet, by=by, act=act, at=at, labels=len(device_ids), form=sheet.form)
