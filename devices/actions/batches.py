"""Bulk assignment and unclaiming of devices named by id, serial number or device name, with a result for each.

The results keep the order of the request: every name that is not among the operation's refused rows succeeded.
"""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from console import operations, sql
from console.access import Actor
from console.fields import fold
from console.models import Operation
from console.numbers import id_of
from console.reasons import stated
from console.transactions import retrying
from customers.models import Customer
from devices import causes, link_slots
from devices.actions import ownership
from devices.models import Device

MOST = 100_000
# Number of names looked up in one statement.
LOOKED_UP = 2_000
# Marks a serial number that several devices share: the name does not say which of them is meant.
AMBIGUOUS = -1


@retrying
def assign(
    named_by: str, names: list[str], *, customer: Customer, by: Actor, note: str = "", is_dry: bool = False
) -> Operation:
    """Begin to assign the devices with these names (`id`, `serial_number` or `device_name`) to a customer."""
    words = {"customer": customer}
    return begin(run_assign, named_by, names, by=by, is_dry=is_dry, words=words, customer=customer.pk, note=note)


@retrying
def unclaim(
    named_by: str, names: list[str], *, reason: str, by: Actor, is_dry: bool = False, leaves_profiles: bool = False
) -> Operation:
    """Begin to unclaim the devices with these names; see `ownership.unclaim` for `leaves_profiles`.

    Raises Refused without a reason, and above 50 devices an hour if the actor may not unclaim many; a trial too.
    """
    reason = stated(reason)
    ownership.check_unclaim_limit(len(names), by=by)
    return begin(run_unclaim, named_by, names, by=by, is_dry=is_dry, reason=reason, leaves_profiles=leaves_profiles)


@operations.handler(
    "device.assign_named",
    like=ownership.run_assign,
    done=ngettext_lazy("%(n)d device assigned.", "%(n)d devices assigned.", "n"),
)
def run_assign(operation: Operation, by: Actor) -> None:
    """Assign a batch: payload {named_by, names, ids, is_dry, customer, note}."""
    customer = Customer.objects.visible_to(by).get(pk=operation.payload["customer"])
    note, evidence = operation.payload["note"], operations.evidence_of(operation)
    in_chunks(
        operation,
        lambda ids: ownership.assign(ids, customer=customer, by=by, note=note, evidence=evidence, reason="api"),
    )
    operation.sentence = operations.sentence_of(operation)


@operations.handler("device.unclaim_named", like=ownership.run_unclaim)
def run_unclaim(operation: Operation, by: Actor) -> None:
    """Unclaim a batch: payload {named_by, names, ids, is_dry, reason, leaves_profiles}.

    The links that stop working are collected first, because they can't be determined afterwards.
    """
    reason, evidence = operation.payload["reason"], operations.evidence_of(operation)
    leaves = operation.payload.get("leaves_profiles", False)
    concerned = "" if leaves else links(operation, by)
    in_chunks(
        operation, lambda ids: ownership.unclaim(ids, reason=reason, by=by, evidence=evidence, leaves_profiles=leaves)
    )
    operation.sentence = f"{operations.sentence_of(operation)} {concerned}".strip()


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


def in_chunks(operation: Operation, act: operations.Act) -> None:
    """Apply `act` to the named devices in chunks and record each result; a trial is rolled back."""
    operations.in_chunks(operation, act, unfit=unfit)


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
        return "ambiguous", _("Several devices have this serial number. Name it by id or device name.")
    if not pk:
        return causes.no_such_device()
    return ("duplicate", _("It stands in the list more than once.")) if is_again else None


def links(operation: Operation, by: Actor) -> str:
    """Return a sentence naming the links that stop working when the devices lose their owners."""
    owned = Device.objects.visible_to(by).filter(customer__isnull=False)
    ids = sql.having_ids(owned, "id", operation.payload["ids"]).values_list("pk", flat=True)
    return link_slots.in_words(list(ids), by=by)
