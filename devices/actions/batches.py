"""Assigns and unclaims very many devices that are named by id, serial number or device name, with a result for each.

The results keep the order of the request: what is not among the refused rows of the operation was done.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console import operations, sql
from console.access import Actor, Permission
from console.fields import fold
from console.models import Operation
from console.transactions import retrying
from customers.models import Customer
from devices import causes, link_slots
from devices.actions import ownership, undo
from devices.ledger import Outcome
from devices.models import Device

MOST = 100_000
# So many names are looked up in one statement.
LOOKED_UP = 2_000
# Of two units that share a serial number neither is meant.
AMBIGUOUS = -1


@retrying
def assign(
    named_by: str, names: list[str], *, customer: Customer, by: Actor, note: str = "", is_dry: bool = False
) -> Operation:
    """Begin to assign the devices of these names (`id`, `serial_number` or `device_name`) to a customer."""
    title = ngettext("Assign %(n)d device to %(customer)s", "Assign %(n)d devices to %(customer)s", len(names))
    return _start(
        "run_assign",
        title % {"n": len(names), "customer": customer},
        named_by,
        names,
        by=by,
        is_dry=is_dry,
        permission=Permission.DEVICE_ASSIGN,
        undo_route=undo.ASSIGN,
        customer=customer.pk,
        note=note,
    )


@retrying
def unclaim(
    named_by: str, names: list[str], *, reason: str, by: Actor, is_dry: bool = False, leaves_profiles: bool = False
) -> Operation:
    """Begin to unclaim the devices of these names; see `ownership.unclaim` for `leaves_profiles`.

    Raises Refused without a reason, and above 50 units an hour for who may not unclaim many; a trial too.
    """
    reason = ownership.stated(reason)
    ownership.check_unclaim_limit(len(names), by=by)
    title = ngettext("Unclaim %(n)d device", "Unclaim %(n)d devices", len(names)) % {"n": len(names)}
    return _start(
        "run_unclaim",
        title,
        named_by,
        names,
        by=by,
        is_dry=is_dry,
        permission=Permission.DEVICE_UNCLAIM,
        undo_route=undo.UNCLAIM,
        reason=reason,
        leaves_profiles=leaves_profiles,
    )


def run_assign(operation: Operation, by: Actor) -> None:
    """The handler of a batch that assigns: payload {named_by, names, ids, is_dry, customer, note}."""
    customer = Customer.objects.visible_to(by).get(pk=operation.payload["customer"])
    note, evidence = operation.payload["note"], ownership.evidence_of(operation)
    in_chunks(
        operation,
        lambda ids: ownership.assign(ids, customer=customer, by=by, note=note, evidence=evidence, reason="api"),
    )
    operation.sentence = said(
        operation, ngettext("%(n)d device assigned.", "%(n)d devices assigned.", ownership.succeeded(operation))
    )


def run_unclaim(operation: Operation, by: Actor) -> None:
    """The handler of a batch that unclaims: payload {named_by, names, ids, is_dry, reason, leaves_profiles}.

    Which links stop working is said first, for afterwards it can't be known any more.
    """
    reason, evidence = operation.payload["reason"], ownership.evidence_of(operation)
    leaves = operation.payload.get("leaves_profiles", False)
    concerned = "" if leaves else links(operation, by)
    in_chunks(
        operation, lambda ids: ownership.unclaim(ids, reason=reason, by=by, evidence=evidence, leaves_profiles=leaves)
    )
    done = said(
        operation, ngettext("%(n)d device unclaimed.", "%(n)d devices unclaimed.", ownership.succeeded(operation))
    )
    operation.sentence = f"{done} {concerned}".strip()


def resolve(named_by: str, names: list[str], *, by: Actor) -> list[int]:
    """The id of the device of each name, in order: 0 for none, AMBIGUOUS for several.

    Of devices that share a serial number the archived ones are meant only where there is no other.
    """
    rows = Device.objects.visible_to(by)
    if named_by == "id":
        ids = [int(name) if name.isascii() and name.isdecimal() and len(name) < 19 else 0 for name in names]
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


def _start(
    handler: str,
    title: str,
    named_by: str,
    names: list[str],
    *,
    by: Actor,
    is_dry: bool,
    permission: Permission,
    undo_route: str,
    **payload: Any,
) -> Operation:
    payload |= {"named_by": named_by, "names": names, "ids": resolve(named_by, names, by=by), "is_dry": is_dry}
    return operations.start(
        f"devices.actions.batches.{handler}",
        _("Trial: %(title)s") % {"title": title} if is_dry else title,
        by=by,
        permission=permission,
        total=len(names),
        payload=payload,
        undo_route="" if is_dry else undo_route,
    )


def in_chunks(operation: Operation, act: Callable[[list[int]], Outcome]) -> None:
    """Do `act` to the devices of the payload, chunk by chunk, each with its result; of a trial nothing is kept."""
    while operation.cursor < operation.total:
        _one_chunk(operation, act)


@operations.chunk
def _one_chunk(operation: Operation, act: Callable[[list[int]], Outcome]) -> None:
    """Do the next names in one transaction with their count; of a trial everything but the count is rolled back."""
    start, payload = operation.cursor, operation.payload
    names, ids = (payload[key][start : start + ownership.CHUNK] for key in ("names", "ids"))
    places: dict[int, int] = {}
    seen = set(payload["ids"][:start])
    refused: list[tuple[int, str, str, str]] = []
    for place, (name, pk) in enumerate(zip(names, ids, strict=True), start + 1):
        unfit_for = unfit(pk, pk in seen or pk in places)
        if unfit_for is None:
            places[pk] = place
        else:
            refused.append((place, name, *unfit_for))
    with transaction.atomic():
        outcome = act(sorted(places)) if places else Outcome()
        if payload["is_dry"]:
            transaction.set_rollback(True)
    refused += [
        (places[r.device_id], (names[places[r.device_id] - start - 1]), r.code, r.sentence) for r in outcome.refused
    ]
    operations.advance(operation, cursor=start + len(names), succeeded=len(outcome.done), refused=sorted(refused))


def unfit(pk: int, is_again: bool) -> tuple[str, str] | None:
    """Why a name that was looked up means no device to work on: code and sentence; None where it does."""
    if pk == AMBIGUOUS:
        return "ambiguous", _("Several devices have this serial number. Name it by id or device name.")
    if not pk:
        return causes.no_such_device()
    return ("duplicate", _("It stands in the list more than once.")) if is_again else None


def links(operation: Operation, by: Actor) -> str:
    """Which links stop working with the owners of the devices that still have one, in words."""
    owned = Device.objects.visible_to(by).filter(customer__isnull=False)
    ids = sql.having_ids(owned, "id", operation.payload["ids"]).values_list("pk", flat=True)
    return link_slots.in_words(list(ids), by=by)


def said(operation: Operation, sentence: str) -> str:
    """The sentence with the number of those done, and of a trial that nothing was changed."""
    done = sentence % {"n": ownership.succeeded(operation)}
    return _("%(said)s It was a trial: nothing is changed.") % {"said": done} if operation.payload["is_dry"] else done
