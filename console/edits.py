"""Edits of one row: an edit writes the fields that it names, where they differ from what is there at that instant.

Whoever edits holds the row first. Two who edit different fields of it at once both get what they asked for; of two who
edit the same field the later one wins, and the log tells each what it replaced.
"""

from typing import Any, TypeVar, cast

from django.db.models import Model, QuerySet

from console.audit import changes

Row = TypeVar("Row", bound=Model)


def hold(row: Row) -> Row:
    """The row as it is now; nobody else edits it until this transaction ends.

    On SQLite the transaction itself has kept all writers out since it began. Raises DoesNotExist where the row is gone.
    """
    rows = cast("QuerySet[Row]", row._meta.model._base_manager.all())
    return rows.select_for_update(no_key=True).get(pk=row.pk)


def write(row: Row, fields: dict[str, Any], *, keys: dict[str, str] | None = None) -> dict[str, Any]:
    """Write those of the fields that differ from what is there now. Gives `{field: [old, new]}`, as the log has it.

    `keys` names the folded copy of a field, which `set_keys` of the row brings in step. `row` itself is brought up to
    date too. Within a transaction.
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
