"""Comparison of checked rows with registered customers, thousands at once with two queries."""

from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from console import sql
from console.fields import fold
from console.imports import Notices, Row
from console.models import Organization
from customers.models import Customer

COMPARED = ("name", "kind", "reference", "email", "phone", "address", "notes")


class Known(NamedTuple):
    """One registered customer, with the fields that a row is compared with."""

    pk: int
    kind: str
    name: str
    name_key: str
    reference: str
    reference_key: str
    email: str
    phone: str
    address: str
    notes: str
    archived_at: datetime | None


class First(NamedTuple):
    """The first row found for a registered customer, and the keys that no other row may share."""

    number: int
    reference_key: str | None
    identity: str | None


class Comparison:
    """One batch of rows, compared with the customers that have their references and names.

    `mapped` are the fields for which the file has columns; an empty cell changes nothing. `stood_for` records, across
    all batches, which row belongs to which customer: no two rows may belong to the same one.
    """

    def __init__(
        self,
        rows: list[Row],
        fields: tuple[str, ...],
        mapped: set[str],
        organization: Organization,
        stood_for: dict[int, First],
    ) -> None:
        self.rows, self.mapped, self.stood_for = rows, mapped, stood_for
        self.place = {name: position for position, name in enumerate(fields)}
        # unscoped: limited to the organization of the file
        mine = Customer.objects.filter(organization=organization).order_by("pk")
        self.by_reference: dict[str, Known] = {}
        self.by_name: dict[str, list[Known]] = {}
        # The index covers non-empty references only, and the database uses it only if the condition says so.
        for known in self._known(mine.exclude(reference_key=""), "reference_key"):
            self.by_reference[known.reference_key] = known
        for known in self._known(mine, "name_key"):
            self.by_name.setdefault(known.name_key, []).append(known)

    def _known(self, customers: Any, key: str) -> list[Known]:
        position = self.place[key]
        values = sorted({row.values[position] for row in self.rows if row.values[position]})
        found = sql.having_ids(customers, key, values) if values else customers.none()
        return [Known(*each) for each in found.values_list(*Known._fields)]

    def judge(self, notices: Notices) -> None:
        """Set `target` and `changes` of rows that match a customer, and refuse those that cannot be applied."""
        for row in self.rows:
            known = self._find(row, notices)
            if known is None or row.reasons:
                continue
            if known.archived_at:
                row.reasons.append(_("This customer is archived. Restore it first, then check the file again."))
                continue
            mine = First(row.number, *(row.values[self.place[name]] for name in First._fields[1:]))
            first = self.stood_for.setdefault(known.pk, mine)
            if first is not mine:
                # Rows with the same reference, or the same name without one, are refused later, for the whole file.
                if not any(a and a == b for a, b in zip(mine[1:], first[1:], strict=True)):
                    row.reasons.append(_("Row %(row)s is already for this customer.") % {"row": first.number})
                continue
            self._settle(row, known, notices)

    def _find(self, row: Row, notices: Notices) -> Known | None:
        """Return the customer with the row's reference, else the one with its name and kind.

        The kind counts only if the row has one.
        """
        reference, name, kind = (row.values[self.place[n]] for n in ("reference_key", "name_key", "kind"))
        if reference and reference in self.by_reference:
            return self.by_reference[reference]
        named = [k for k in self.by_name.get(name, ()) if not kind or k.kind == kind]
        current = [k for k in named if not k.archived_at]
        bare = [k for k in current if not k.reference_key]
        if reference:
            # A customer without a reference may get this one; a customer with another reference is a different one.
            free = [k for k in bare if k.pk not in self.stood_for]
            if named and len(free) != 1:
                notices.add("same_name", row.number)
            return free[0] if len(free) == 1 else None
        fitting = bare if len(bare) == 1 else current
        if len(fitting) > 1:
            row.reasons.append(_("Several customers have this name. Add the reference of the right one."))
        return fitting[0] if fitting else named[0] if named else None

    def _settle(self, row: Row, known: Known, notices: Notices) -> None:
        values = {name: row.values[self.place[name]] for name in self.mapped}
        row.target = known.pk
        row.changes = differences(known, values) or None
        if any(_differs_in_letters(known, name, values.get(name)) for name in ("name", "reference")):
            notices.add("other_letters", row.number)


def differences(known: Known | Customer, values: dict[str, Any]) -> dict[str, list[Any]]:
    """Return `{field: [old, new]}` for the fields of a registered customer that a file's values would change.

    A name or reference that differs only in case, spacing or Unicode form stays as registered.
    """
    return {
        name: [getattr(known, name), values[name]]
        for name in COMPARED
        if values.get(name)
        and values[name] != getattr(known, name)
        and not (name in {"name", "reference"} and _differs_in_letters(known, name, values[name]))
    }


def _differs_in_letters(known: Known | Customer, name: str, value: str | None) -> bool:
    registered = getattr(known, name)
    return bool(value) and value != registered and fold(value or "") == fold(registered)
