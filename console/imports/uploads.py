"""The life of an uploaded file: received, checked as often as needed, applied once."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import F
from django.utils.translation import gettext as _

from console.access import Actor
from console.errors import Refused
from console.imports import checking, files
from console.imports.checking import Kind, Progress
from console.imports.staging import Staging, visible
from console.models import FileImport
from console.tabular import letters, open_table
from console.tabular.encodings import SHORT

Import = TypeVar("Import", bound=FileImport)

# Files up to this many rows are processed while the person waits; larger ones are handed to the worker.
CHECKED_IN_REQUEST, APPLIED_IN_REQUEST = 20_000, 2_000


def receive(
    model: type[Import],
    file_name: str,
    chunks: Iterable[bytes],
    *,
    kind: type[Kind],
    by: Actor,
    reading: dict[str, Any] | None = None,
    **fields: Any,
) -> Import:
    """Keep an uploaded file as a new import of `model`, to be checked as `kind`.

    `reading` is how it is to be read, as far as somebody chose. Raises Refused (422) if it is not a table; then nothing
    is kept.
    """
    reading = reading or {}
    stored = files.STORE.store(chunks, by.organization.pk)
    with files.STORE.kept_only_if_fine(stored.name):
        name = visible(file_name.strip() or _("file"), 200)
        table = open_table(
            files.STORE.path_of(stored.name),
            name,
            sheet=reading.get("sheet", ""),
            encoding=reading.get("encoding", ""),
            rank=checking.rank_of(kind),
        )
        return model.objects.create(  # type: ignore[return-value]  # of the very class that is handed over
            organization=by.organization,
            file_name=name,
            stored_as=stored.name,
            sha256=stored.sha256,
            size=stored.size,
            row_count=table.row_count or 0,
            by_label=by.label[:200],
            reading=reading,
            **fields,
        )


def begin_check(row: FileImport, reading: dict[str, Any]) -> None:
    """Discard the findings of the last check, and record how the file is to be read from now on.

    A check that is still running for another reading finds its version gone, and leaves nothing. Raises Refused
    if the file is already applied.
    """
    before = row.checked_as
    values = {"reading": reading, "summary": {}, "checked_as": "", "checked_at": None, "version": F("version") + 1}
    if not type(row).objects.filter(pk=row.pk, applied_at=None).update(**values):
        raise applied_already()
    files.STORE.discard(before)
    row.refresh_from_db()


def run_check(row: FileImport, kind: Kind, *, at: datetime, on_progress: Progress | None = None) -> None:
    """Check the file that `begin_check` prepared, and record the findings, unless its reading has changed by then."""
    name = files.STORE.new_name(row.organization_id)
    try:
        table = files.table_of(row, checking.rank_of(kind))
        summary = checking.check(table, kind, files.STORE.path_of(name), on_progress=on_progress)
        found = type(row).objects.filter(pk=row.pk, version=row.version, applied_at=None)
        if found.update(summary=summary, checked_as=name if "new" in summary else "", checked_at=at):
            row.refresh_from_db()
            return
    except BaseException:
        files.STORE.discard(name)
        raise
    files.STORE.discard(name)


def staging_of(row: FileImport, kind: type[Kind] | Kind) -> Staging:
    """Return the checked rows of an import."""
    return Staging(files.STORE.path_of(row.checked_as), kind.fields)


def refuse_guess(row: FileImport) -> None:
    """Refuse (422) a file whose encoding was guessed and may be another one, if no person has confirmed it."""
    found = row.summary.get("encoding")
    if not found or not found["is_unclear"]:
        return
    (one, cells), (other, others) = found["samples"][:2]
    index = next((n for n, pair in enumerate(zip(cells, others, strict=True)) if pair[0] != pair[1]), 0)
    sentence = _(
        "The file does not say its encoding: “%(text)s” if it is %(one)s, “%(other_text)s” if it is %(other)s. "
        "Choose the encoding."
    )
    told = {
        "one": SHORT[one],
        "other": SHORT[other],
        "text": (cells or [""])[index],
        "other_text": (others or [""])[index],
    }
    raise Refused("encoding_unclear", sentence % told, status=422, id=row.pk)


def refuse_twice(row: FileImport, kind: type[Kind]) -> None:
    """Refuse (422) a file in which two columns with the same meaning hold values."""
    for name, indexes in row.summary.get("twice", {}).items():
        label = next((column.label for column in kind.columns if column.name == name), name)
        places = ", ".join(letters(index) for index in indexes)
        sentence = _("The columns %(places)s are all read as %(label)s. Keep one of them and rename the others.")
        raise Refused("column_twice", sentence % {"places": places, "label": label}, status=422, id=row.pk)


def take(row: FileImport, *, version: int, at: datetime) -> None:
    """Mark an import as applied, in the transaction that applies it. Of two concurrent calls, one is refused.

    `version` is that of the preview that the decision was based on.
    """
    free = type(row).objects.filter(pk=row.pk, version=version, applied_at=None).exclude(checked_as="")
    if not free.update(applied_at=at):
        row.refresh_from_db()
        raise applied_already() if row.applied_at else outdated()


def note_outcome(row: FileImport, outcome: dict[str, Any], *, at: datetime) -> None:
    """Record what was done, in the same transaction."""
    type(row).objects.filter(pk=row.pk).update(outcome=outcome)
    row.applied_at, row.outcome = at, outcome


def hand_over(row: FileImport, *, version: int, operation: Any) -> None:
    """Record that the worker is applying it. Raises Refused if it already is."""
    free = type(row).objects.filter(pk=row.pk, version=version, applied_at=None, operation=row.operation_id)
    if row.is_running or not free.update(operation=operation):
        row.refresh_from_db()
        raise applied_already() if row.applied_at else outdated() if row.version != version else running()
    row.refresh_from_db()


def applied_already() -> Refused:
    """Return the refusal of applying an import twice."""
    return Refused("applied_already", _("This file was already imported. See its page for the results."))


def outdated() -> Refused:
    """Return the refusal of a decision on a preview that is not the latest one."""
    return Refused("preview_outdated", _("The file was checked again in the meantime. Check the new preview."))


def running() -> Refused:
    """Return the refusal of a second start."""
    return Refused("running", _("This file is already being processed. Wait until it is done."))
