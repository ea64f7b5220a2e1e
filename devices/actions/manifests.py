"""Takes factory manifests in: received, checked, and applied once and whole."""

import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import get_language, ngettext, override
from django.utils.translation import gettext as _

from console import operations
from console.access import Actor, Permission
from console.audit import record, record_set
from console.errors import Refused
from console.imports import uploads
from console.models import Operation
from devices.actions import devices
from devices.manifest import ManifestKind
from devices.manifest.writing import Outdated, insert_new, tag_new, update_changed
from devices.models import Device, ManifestImport, Product

TRIES = 3


def receive(product: Product, file_name: str, chunks: Iterable[bytes], *, by: Actor) -> ManifestImport:
    """Keep a manifest that was uploaded for a product. Raises Refused (422) where the file is no table."""
    return uploads.receive(ManifestImport, file_name, chunks, by=by, product=product)


def check(manifest: ManifestImport, *, by: Actor, reading: dict[str, Any] | None = None) -> None:
    """Check the file, anew where it was checked before: at once or, above 20,000 rows, by the worker.

    `reading` is how it is to be read from now on, else as before. Raises Refused where the file is applied or
    gone.
    """
    if manifest.is_running:
        raise uploads.running()
    if manifest.row_count <= uploads.CHECKED_IN_REQUEST:
        check_now(manifest, reading=reading)
        return
    _begin(manifest, reading)
    title = _("Checking %(file)s") % {"file": manifest}
    _hand_over(
        manifest, "devices.actions.manifests.run_check", title, by=by, payload={"version": manifest.version}
    )


def check_now(
    manifest: ManifestImport, *, reading: dict[str, Any] | None = None, at: datetime | None = None
) -> None:
    """The same, however many rows there are, before it returns."""
    _begin(manifest, reading)
    kind = ManifestKind(manifest.product, manifest.reading)
    uploads.run_check(manifest, kind, at=at or timezone.now())


def run_check(operation: Operation, by: Actor) -> None:
    """The handler of a long check: payload {import, version, language}."""
    manifest = _manifest_of(operation, by)
    if manifest.version != operation.payload["version"] or manifest.checked_as:
        return
    mine = Operation.objects.filter(pk=operation.pk, attempt=operation.attempt)
    with override(operation.payload["language"]):
        uploads.run_check(
            manifest, ManifestKind(manifest.product, manifest.reading), at=timezone.now(),
            on_progress=lambda done: mine.update(succeeded=done),
        )  # fmt: skip
        mine.update(succeeded=operation.total)
        operation.sentence = _("The file is checked.")


def apply(
    manifest: ManifestImport, *, version: int, by: Actor, good_rows: bool = False, at: datetime | None = None
) -> None:
    """Apply the checked file, all of it or nothing; with `good_rows`, without the refused rows.

    `version` is that of the preview on which it was decided. It is done at once or, above 2,000 rows, by the
    worker, in one transaction either way. Raises Refused where rows are refused, where the preview is not the
    last one, and where the file is applied already.
    """
    _refuse_unfit(manifest, good_rows)
    if manifest.row_count <= uploads.APPLIED_IN_REQUEST:
        import_rows(manifest, version=version, by=by, good_rows=good_rows, at=at)
        return
    title = _("Importing %(file)s into %(product)s") % {"file": manifest, "product": manifest.product}
    _hand_over(manifest, "devices.actions.manifests.run_apply", title, by=by,
               payload={"version": version, "good_rows": good_rows})  # fmt: skip


def run_apply(operation: Operation, by: Actor) -> None:
    """The handler of a long import: payload {import, version, good_rows, language}.

    It is one transaction with its progress, so a killed worker has done all of it or nothing.
    """
    payload, manifest = operation.payload, _manifest_of(operation, by)
    with override(payload["language"]):
        if not operation.cursor:
            import_rows(
                manifest,
                version=payload["version"],
                by=by,
                good_rows=payload["good_rows"],
                operation=operation,
            )
        operation.sentence = said(manifest.outcome)


def said(outcome: dict[str, Any]) -> str:
    """What an import did, in one sentence."""
    parts = [
        ngettext("%(n)d device registered", "%(n)d devices registered", outcome["new"])
        % {"n": outcome["new"]}
    ]
    if outcome["changed"]:
        parts.append(
            ngettext("%(n)d changed", "%(n)d changed", outcome["changed"]) % {"n": outcome["changed"]}
        )
    if outcome["unchanged"]:
        parts.append(ngettext("%(n)d was as in the file", "%(n)d were as in the file", outcome["unchanged"])
                     % {"n": outcome["unchanged"]})  # fmt: skip
    if outcome["refused"]:
        parts.append(
            ngettext("%(n)d row left out", "%(n)d rows left out", outcome["refused"])
            % {"n": outcome["refused"]}
        )
    return ", ".join(parts) + "."


def import_rows(
    manifest: ManifestImport,
    *,
    version: int,
    by: Actor,
    good_rows: bool = False,
    operation: Operation | None = None,
    at: datetime | None = None,
) -> None:
    """Do now what `apply` decides. Where somebody registered or changed a unit since the check, the file is
    checked anew, and what is still good by then is imported.
    """
    for attempt in range(TRIES):
        _refuse_unfit(manifest, good_rows)
        try:
            _import_once(manifest, version=version, by=by, operation=operation, at=at or timezone.now())
            return
        except OperationalError:
            # A deadlock, or a lock that was waited for too long.
            time.sleep(0.05 * attempt)
        except (IntegrityError, Outdated):
            check_now(manifest, at=at)
            version = manifest.version
    raise Refused(
        "busy", _("Somebody else changes these devices at the same moment. Wait a little and try again.")
    )


@transaction.atomic
def _import_once(
    manifest: ManifestImport, *, version: int, by: Actor, operation: Operation | None, at: datetime
) -> None:
    product, act, summary = manifest.product, uuid4(), manifest.summary
    outcome = {name: summary[name] for name in ("new", "changed", "unchanged", "refused")}
    uploads.take(manifest, version=version, at=at)
    if not Product.objects.filter(pk=product.pk, archived_at=None).exists():
        raise Refused(
            "product_archived", _("%(product)s is archived. Restore it first.") % {"product": product}
        )
    staging = uploads.staging_of(manifest, ManifestKind)
    if outcome["changed"]:
        outcome["changed"] = update_changed(product, staging, by=by, at=at, act=act)
        outcome["unchanged"] += summary["changed"] - outcome["changed"]
    if outcome["new"]:
        ids = insert_new(product, staging, count=outcome["new"], at=at)
        record_set(
            "device.registered", Device, ids, label="serial_number", by=by, about=product, act=act, at=at
        )
        if "tags" in summary["header"]["mapping"].values():
            tag_new(product, staging, ids)
        devices.welcome(product, ids, by=by, at=at)
    record("manifest.applied", product, by=by, about=manifest, act=act, at=at, **outcome)
    if operation is not None:
        good = outcome["new"] + outcome["changed"] + outcome["unchanged"]
        operations.advance(operation, cursor=summary["rows"], succeeded=good)
    uploads.note_outcome(manifest, outcome | {"by": by.label}, at=at)


def _begin(manifest: ManifestImport, reading: dict[str, Any] | None) -> None:
    uploads.begin_check(manifest, manifest.reading if reading is None else reading)


def _refuse_unfit(manifest: ManifestImport, good_rows: bool) -> None:
    summary = manifest.summary
    if not manifest.checked_as:
        raise Refused("not_checked", _("This file is not checked yet. Look at the preview first."))
    if summary["refused"] and not good_rows:
        sentence = ngettext(
            "%(n)d row is refused, so nothing is imported. Correct the file, or apply the good rows.",
            "%(n)d rows are refused, so nothing is imported. Correct the file, or apply the good rows.",
            summary["refused"],
        )
        raise Refused("rows_refused", sentence % {"n": summary["refused"]})
    if not summary["new"] + summary["changed"] + summary["unchanged"]:
        raise Refused(
            "nothing_to_apply",
            _("No row of this file can be imported. Correct the file and upload it again."),
        )


@transaction.atomic
def _hand_over(
    manifest: ManifestImport, handler: str, title: str, *, by: Actor, payload: dict[str, Any]
) -> None:
    operation = operations.start(
        handler, title, by=by, permission=Permission.DEVICE_IMPORT,
        # Until the header is found, one row is taken for it.
        total=manifest.summary.get("rows", manifest.row_count - 1),
        payload={"import": manifest.pk, "language": get_language() or "en", **payload},
        return_url=manifest.get_absolute_url(),
    )  # fmt: skip
    uploads.hand_over(manifest, version=payload["version"], operation=operation)


def _manifest_of(operation: Operation, by: Actor) -> ManifestImport:
    return ManifestImport.objects.visible_to(by).select_related("product").get(pk=operation.payload["import"])
