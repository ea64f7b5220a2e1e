"""Factory manifests: received, checked, and applied once as a whole."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.access import Actor, Permission
from console.audit import record
from console.errors import Refused
from console.imports import Staging
from console.imports.lifecycle import Importer
from devices import events as device_events
from devices.actions import devices
from devices.log import record_devices
from devices.manifest import ManifestKind, events
from devices.manifest.writing import insert_new, tag_new, update_changed
from devices.models import ManifestImport, Product


class ManifestImporter(Importer):
    """The import of a manifest into its product."""

    model = ManifestImport
    kind = ManifestKind
    permission = Permission.DEVICE_IMPORT
    name = "manifest"
    related = ("product", "operation")

    def kind_of(self, row: Any) -> ManifestKind:
        return ManifestKind(row.product, row.reading)

    def title(self, row: Any) -> str:
        return _("Importing %(file)s into %(product)s") % {"file": row, "product": row.product}

    def made(self, count: int) -> str:
        return ngettext("%(n)d device registered", "%(n)d devices registered", count) % {"n": count}

    def write(self, row: Any, staging: Staging, *, by: Actor, at: datetime, act: UUID) -> dict[str, int]:
        product, summary = row.product, row.summary
        outcome = {name: summary[name] for name in ("new", "changed", "unchanged", "refused")}
        if not Product.objects.filter(pk=product.pk, archived_at=None).exists():
            raise Refused("product_archived", _("%(product)s is archived. Restore it first.") % {"product": product})
        if outcome["changed"]:
            outcome["changed"] = update_changed(product, staging, by=by, at=at, act=act)
            outcome["unchanged"] += summary["changed"] - outcome["changed"]
        if outcome["new"]:
            ids = insert_new(product, staging, count=outcome["new"], at=at)
            record_devices(device_events.REGISTERED, ids, by=by, act=act, at=at)
            if "tags" in summary["header"]["mapping"].values():
                tag_new(product, staging, ids)
            devices.after_registration(product, ids, by=by, at=at)
        record(events.APPLIED, product, by=by, about=row, act=act, at=at, **outcome)
        return outcome


IMPORTER = ManifestImporter()
