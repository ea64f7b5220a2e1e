"""Edits of one row: an edit writes the fields that it names, where they differ from their current values.

The row is locked before it is edited. If two people edit different fields of it at once, both get what they asked for;
if they edit the same field, the later one wins, and the log records for each what it replaced.
"""

from typing import Any, TypeVar, cast

from django.db.models import Model, QuerySet

from console.audit import changes

Row = TypeVar("Row", bound=Model)


def hold(row: Row) -> Row:
    """Return the current row, locked: nobody else can edit it until this transaction ends.

    On SQLite the transaction itself has kept out all other writers since it began. Raises DoesNotExist if the row is
    gone.
    """
    rows = cast("QuerySet[Row]", row._meta.model._base_manager.all())
    return rows.select_for_update(no_key=True).get(pk=row.pk)


def write(row: Row, fields: dict[str, Any], *, keys: dict[str, str] | None = None) -> dict[str, Any]:
    """Write the fields that differ from their current values. Returns `{field: [old, new]}`, in the format of the log.

    `keys` names the folded copy of a field, which the row's `set_keys` updates. `row` itself is updated too. Call it
    within a transaction.
    """
    now = hold(row)
    changed = changes({name: getattr(now, name) for name in fields}, fields)
    for name in changed:
        setattr(now, name, fields[name])
    copies = [copy for name, copy in (keys or {}).items() if name in changed]
    if copies:
        now.set_keys()  # type: ignore[attr-defined]  # a model with keys has it
    if changed:
        now.save(update_fields=[*changed, *copies])
    for field in now._meta.concrete_fields:
        setattr(row, field.attname, getattr(now, field.attname))
    return changed
