"""Devices named by id, serial number or device name: what a batch names, and a result for each name.

The results keep the order of the request: every name that is not among the operation's refused rows succeeded.
"""

from typing import Any

from django.utils.translation import gettext as _

from console import operations, sql
from console.access import Actor
from console.fields import fold
from console.models import Operation
from console.numbers import id_of
from devices import causes, link_slots
from devices.models import Device

# Number of names looked up in one statement.
LOOKED_UP = 2_000
# Marks a serial number that several devices share: the name does not say which of them is meant.
AMBIGUOUS = -1


def begin(
    handler: operations.Handler,
    named_by: str,
    names: list[str],
    *,
    by: Actor,
    is_dry: bool,
    in_background: bool | None = True,
    **terms: Any,
) -> Operation:
    """Begin a batch for the devices with these names, with a result for each: see `operations.begin`."""
    ids = resolve(named_by, names, by=by)
    batch: dict[str, Any] = {"named_by": named_by, "names": names, "is_dry": is_dry}
    return operations.begin(handler, ids, by=by, in_background=in_background, **batch, **terms)


def in_chunks(operation: Operation, act: operations.Work) -> None:
    """Apply `act` to the devices in chunks and record each result; a trial is rolled back.

    Without names, the devices are the ids that a person selected.
    """
    operations.in_chunks(operation, act, unfit=unfit if is_batch(operation) else None)


def is_batch(operation: Operation) -> bool:
    """Whether the devices were named in a call, not selected on a page."""
    return "names" in operation.payload


def resolve(named_by: str, names: list[str], *, by: Actor) -> list[int]:
    """Return the device id for each name, in order: 0 if there is none, AMBIGUOUS if there are several.

    If devices share a serial number, archived ones count only if no other device has it.
    """
    rows = Device.objects.visible_to(by)
    if named_by == "id":
        ids = [id_of(name) or 0 for name in names]
        known = set(sql.having_ids(rows, "id", ids).values_list("pk", flat=True))
        return [pk if pk in known else 0 for pk in ids]
    column = {"serial_number": "serial_key", "device_name": "name_key"}[named_by]
    keys = [fold(name) for name in names]
    found: dict[str, int] = {}
    archived: dict[str, int] = {}
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), LOOKED_UP):
        part = rows.filter(**{f"{column}__in": wanted[start : start + LOOKED_UP]})
        for key, pk, archived_at in part.order_by().values_list(column, "pk", "archived_at"):
            by_key = archived if archived_at else found
            by_key[key] = AMBIGUOUS if key in by_key else pk
    found = archived | found
    return [found.get(key, 0) for key in keys]


def unfit(pk: int, is_again: bool) -> tuple[str, str] | None:
    """Return why a looked-up name has no usable device, as (code, sentence); None if it has one."""
    if pk == AMBIGUOUS:
        return "ambiguous", _("Several devices have this serial number. Use the id or the device name instead.")
    if not pk:
        return causes.no_such_device()
    return ("duplicate", _("It is in the list more than once.")) if is_again else None


def links(operation: Operation, by: Actor) -> str:
    """Return a sentence naming the links that stop working when the devices lose their owners."""
    owned = Device.objects.visible_to(by).filter(customer__isnull=False)
    ids = sql.having_ids(owned, "id", operation.payload["ids"]).values_list("pk", flat=True)
    return link_slots.in_words(list(ids), by=by)
