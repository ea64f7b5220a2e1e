"""Imports of customer files: received, checked, and applied once as a whole."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.access import Actor, Permission
from console.audit import record
from console.imports import Staging
from console.imports.lifecycle import Importer
from customers import events
from customers.imports import CustomerFileKind
from customers.imports.writing import insert_new, update_changed
from customers.models import CustomerImport


class CustomerImporter(Importer):
    """The importer of customer files."""

    model = CustomerImport
    kind = CustomerFileKind
    permission = Permission.CUSTOMER_IMPORT
    name = "customer_import"
    related = ("organization", "operation")

    def kind_of(self, row: Any) -> CustomerFileKind:
        return CustomerFileKind(row.organization, row.reading)

    def title(self, row: Any) -> str:
        return _("Importing customers from %(file)s") % {"file": row}

    def made(self, count: int) -> str:
        return ngettext("%(n)d customer created", "%(n)d customers created", count) % {"n": count}

    def write(self, row: Any, staging: Staging, *, by: Actor, at: datetime, act: UUID) -> dict[str, int]:
        counts = {name: row.summary[name] for name in ("new", "changed", "unchanged", "refused")}
        if seen := counts["changed"]:
            counts["changed"] = update_changed(row, staging, by=by, at=at, act=act)
            counts["unchanged"] += seen - counts["changed"]
        if counts["new"]:
            insert_new(row, staging, by=by, at=at, act=act)
        record(events.CUSTOMER_FILE_APPLIED, row, by=by, act=act, at=at, **counts)
        return counts


IMPORTER = CustomerImporter()
