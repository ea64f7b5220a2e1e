"""Applies a checked file of any kind, once and as a whole, in the request or in the worker."""

import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import get_language, ngettext, override
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later

from console import operations
from console.access import Actor, Permission
from console.errors import Refused
from console.imports import checking, files, uploads
from console.imports.checking import Kind
from console.imports.staging import Staging
from console.models import FileImport, Operation

TRIES = 3


class Outdated(Exception):
    """A row that a file changes no longer has the state that the check saw."""


class Importer:
    """How one kind of file is imported. An app creates one instance, which registers the handlers of its operations.

    `name` is the prefix of their names; `related` is loaded along with an import. `is_applied_here` is whether `apply`
    and its handler are those of this class.
    """

    name: str

    model: type[FileImport]
    kind: type[Kind]
    permission: Permission
    related: tuple[str, ...] = ()
    is_applied_here = True

    def __init__(self) -> None:
        checking = operations.handler(
            f"{self.name}.check", title=_later("Checking %(file)s"), permission=self.permission
        )
        self.checking = checking(self.run_check)
        if self.is_applied_here:
            self.applying = operations.handler(f"{self.name}.apply", title="%(title)s", permission=self.permission)(
                self.run_apply
            )

    def kind_of(self, row: FileImport) -> Kind:
        """Return the kind that checks this import's rows, a new instance for each check."""
        raise NotImplementedError

    def title(self, row: FileImport) -> str:
        """Return the title of the operation that applies the import."""
        raise NotImplementedError

    def write(self, row: FileImport, staging: Staging, *, by: Actor, at: datetime, act: UUID) -> dict[str, int]:
        """Create and change what the checked rows say, and record it. Returns the four counts of what was done.

        Raises Outdated or IntegrityError if the check is no longer valid; then the file is checked again.
        """
        raise NotImplementedError

    def made(self, count: int) -> str:
        """Return how many were created, in words."""
        raise NotImplementedError

    def receive(self, file_name: str, chunks: Iterable[bytes], *, by: Actor, **fields: Any) -> Any:
        """Keep an uploaded file. Raises Refused (422) if it is not a table."""
        return uploads.receive(self.model, file_name, chunks, kind=self.kind, by=by, **fields)

    def receive_form(self, form: Any, *, by: Actor) -> Any:
        """Keep the file of an upload form, with the form's other fields. Raises Refused (422) if it is not a table."""
        chosen = {name: value for name, value in form.cleaned_data.items() if name != "file"}
        file = form.cleaned_data["file"]
        return self.receive(file.name, file.chunks(), by=by, **chosen)

    def visible_to(self, actor: Actor) -> QuerySet[Any]:
        """Return the imports that the actor may see, with their related objects."""
        return self.model.objects.visible_to(actor).select_related(*self.related)

    def heading(self, row: FileImport) -> dict[str, Any]:
        """Return what the header of a file says, before any row is checked: as `console.imports.checking.summarise`."""
        kind = self.kind_of(row)
        table = files.table_of(row, checking.rank_of(kind))
        return checking.summarise(table, checking.header_of(table, kind), kind)

    def check(self, row: FileImport, *, by: Actor, reading: dict[str, Any] | None = None) -> None:
        """Check the file, again if it was checked before; above 20,000 rows the worker does it.

        `reading` is how it is to be read from now on; without it, as before. Raises Refused if the file is already
        applied or gone.
        """
        if row.is_running:
            raise uploads.running()
        if row.row_count <= uploads.CHECKED_IN_REQUEST:
            self.check_now(row, reading=reading)
            return
        self._begin(row, reading)
        self._hand_over(row, self.checking, by=by, words={"file": row}, version=row.version)

    def check_now(self, row: FileImport, *, reading: dict[str, Any] | None = None, at: datetime | None = None) -> None:
        """Check the file like `check`, but always before this returns, however many rows there are."""
        self._begin(row, reading)
        uploads.run_check(row, self.kind_of(row), at=at or timezone.now())

    def run_check(self, operation: Operation, by: Actor) -> None:
        """Check a large file in the background: payload {import, version, language}."""
        row = self._import_of(operation, by)
        if row.version != operation.payload["version"] or row.checked_as:
            return
        mine = Operation.objects.filter(pk=operation.pk, attempt=operation.attempt)
        with override(operation.payload["language"]):
            uploads.run_check(
                row, self.kind_of(row), at=timezone.now(), on_progress=lambda done: mine.update(succeeded=done)
            )
            mine.update(succeeded=operation.total)
            operation.sentence = _("File checked.")

    def apply(
        self, row: FileImport, *, version: int, by: Actor, good_rows: bool = False, at: datetime | None = None
    ) -> None:
        """Apply the checked file, all of it or nothing; with `good_rows`, without the refused rows.

        `version` is that of the preview that the decision was based on. It is done at once or, above 2,000 rows, by
        the worker, in one transaction either way. Raises Refused if rows are refused, if the preview is not the latest
        one, and if the file is already applied.
        """
        self._refuse_unfit(row, good_rows)
        if row.row_count <= uploads.APPLIED_IN_REQUEST:
            self.apply_now(row, version=version, by=by, good_rows=good_rows, at=at)
            return
        words = {"title": self.title(row)}
        self._hand_over(row, self.applying, by=by, words=words, version=version, good_rows=good_rows)

    def run_apply(self, operation: Operation, by: Actor) -> None:
        """Apply a large file in the background: payload {import, version, good_rows, language}.

        It is one transaction with its progress, so a killed worker has done all of it or nothing.
        """
        payload, row = operation.payload, self._import_of(operation, by)
        with override(payload["language"]):
            if not operation.cursor:
                self.apply_now(
                    row, version=payload["version"], by=by, good_rows=payload["good_rows"], operation=operation
                )
            operation.sentence = self.said(row.outcome)

    def apply_now(
        self,
        row: FileImport,
        *,
        version: int,
        by: Actor,
        good_rows: bool = False,
        operation: Operation | None = None,
        at: datetime | None = None,
    ) -> None:
        """Do what `apply` decides, however many rows there are, before it returns.

        If somebody changed what the check saw, the file is checked again, and the rows that are still good are
        imported.
        """
        for attempt in range(TRIES):
            self._refuse_unfit(row, good_rows)
            try:
                self._apply_once(row, version=version, by=by, operation=operation, at=at or timezone.now())
                return
            except OperationalError:
                # A deadlock, or a lock that took too long.
                time.sleep(0.05 * attempt)
            except (IntegrityError, Outdated):
                self.check_now(row, at=at)
                version = row.version
        raise Refused("busy", _("Someone else is changing the same rows. Wait a moment and try again."))

    def said(self, outcome: dict[str, Any]) -> str:
        """Return what an import did, in one sentence."""
        changed, unchanged, refused = outcome["changed"], outcome["unchanged"], outcome["refused"]
        parts = [self.made(outcome["new"])]
        if changed:
            parts.append(ngettext("%(n)d changed", "%(n)d changed", changed) % {"n": changed})
        if unchanged:
            sentence = ngettext("%(n)d was as in the file", "%(n)d were as in the file", unchanged)
            parts.append(sentence % {"n": unchanged})
        if refused:
            parts.append(ngettext("%(n)d row skipped", "%(n)d rows skipped", refused) % {"n": refused})
        return ", ".join(parts) + "."

    @transaction.atomic
    def _apply_once(
        self, row: FileImport, *, version: int, by: Actor, operation: Operation | None, at: datetime
    ) -> None:
        uploads.take(row, version=version, at=at)
        staging = uploads.staging_of(row, self.kind_of(row))
        outcome = self.write(row, staging, by=by, at=at, act=uuid4())
        if operation is not None:
            # All of it is one chunk; counts from an earlier try were rolled back.
            operation.cursor = 0
            good = outcome["new"] + outcome["changed"] + outcome["unchanged"]
            operations.advance(operation, cursor=row.summary["rows"], succeeded=good)
        uploads.note_outcome(row, outcome | {"by": by.label}, at=at)

    def _begin(self, row: FileImport, reading: dict[str, Any] | None) -> None:
        uploads.begin_check(row, row.reading if reading is None else reading)

    def _refuse_unfit(self, row: FileImport, good_rows: bool) -> None:
        summary = row.summary
        if not row.checked_as:
            raise Refused("not_checked", _("This file has not been checked yet. Look at the preview first."))
        if summary["refused"] and not good_rows:
            sentence = ngettext(
                "%(n)d row is refused, so nothing is imported. Correct the file, or import only the valid rows.",
                "%(n)d rows are refused, so nothing is imported. Correct the file, or import only the valid rows.",
                summary["refused"],
            )
            raise Refused("rows_refused", sentence % {"n": summary["refused"]}, id=row.pk)
        if not summary["new"] + summary["changed"] + summary["unchanged"]:
            raise Refused(
                "nothing_to_apply", _("No row of this file can be imported. Correct the file and upload it again.")
            )

    def _hand_over(
        self,
        row: FileImport,
        handler: operations.Handler,
        *,
        by: Actor,
        words: dict[str, Any],
        version: int,
        **payload: Any,
    ) -> None:
        operations.begin(
            handler,
            by=by,
            # Until the header is found, one row is assumed to be it.
            total=row.summary.get("rows", row.row_count - 1),
            words=words,
            in_background=True,
            handed_over=lambda operation: uploads.hand_over(row, version=version, operation=operation),
            return_url=row.get_absolute_url(),  # type: ignore[attr-defined]
            language=get_language() or "en",
            version=version,
            **{"import": row.pk, **payload},
        )

    def _import_of(self, operation: Operation, by: Actor) -> Any:
        return self.visible_to(by).get(pk=operation.payload["import"])
