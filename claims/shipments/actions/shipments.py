"""Packs and ships shipments. Packed devices are reserved, and *ship* assigns all of them at one instant."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from claims.models import Claim, Shipment, ShipmentLine, ShipmentScan, ShipmentState, ShipmentUnit
from claims.scanning import scans
from claims.scanning.answers import BAD, Answer
from claims.scanning.sentences import notes
from claims.shipments import events
from claims.shipments.actions import box_codes, mails
from claims.shipments.packing import Judge, added, already_here, choose, gathered
from console import edits, operations, sql
from console.access import Actor, Permission
from console.audit import changes, record
from console.errors import Refused
from console.models import Operation
from console.numbers import next_number
from console.operations import Outcome
from console.transactions import retrying
from customers.actions import customers, projects
from customers.models import Customer
from devices import causes, ledger
from devices import events as device_events
from devices.actions import ownership
from devices.log import record_devices
from devices.models import Device, DeviceStatus, Product

NAMED = 5
# The most devices claimed with one code: the claimant's page lists each of them.
MOST_CLAIMED = 500
# How long the ids of packed scans are kept.
SCANS_KEPT = timedelta(days=30)
NOT_OVER = (ShipmentState.OPEN, ShipmentState.SENT)
# In these states the devices are reserved, and the customer may claim each with its own code.
HOLDING = (*NOT_OVER, ShipmentState.SHIPPING)
Lines = dict[Product, int]


@retrying
def create(*, customer: Customer, lines: Lines, by: Actor, at: datetime | None = None, **fields: Any) -> Shipment:
    """Open a shipment for a customer. `lines` maps products to expected numbers of devices, and may be empty."""
    customers.hold(customer)
    shipment = Shipment(
        organization=by.organization,
        customer=customer,
        number=next_number(Shipment, by.organization.pk),
        created_at=at or timezone.now(),
        created_by=by.label[:200],
        **fields,
    )
    shipment.set_keys()
    shipment.save()
    _write_lines(shipment, lines)
    if shipment.is_claimed_by_code:
        box_codes.make(shipment, by=by, at=at)
    record(events.CREATED, shipment, by=by, about=customer, at=at)
    return shipment


@retrying
def edit(shipment: Shipment, *, by: Actor, lines: Lines | None = None, **fields: Any) -> Shipment:
    """Change only the given fields of an open shipment; `lines`, if given, replaces all lines.

    Raises Refused if the shipment is not open, or (422) if the customer changes while devices are packed.
    """
    _hold(shipment)
    before = {} if lines is None else {"expected": _said(shipment)}
    changed = edits.write(shipment, fields, keys={"order_number": "order_key"})
    if "customer" in changed and shipment.units.exists():
        raise Refused(
            "units_packed",
            _("Units are packed for %(customer)s. Take them out before you change the customer.")
            % {"customer": changed["customer"][0]},
            status=422,
        )
    if lines is not None:
        _write_lines(shipment, lines)
        changed |= changes(before, {"expected": _said(shipment)})
    if shipment.is_claimed_by_code and shipment.profile_id is None:
        box_codes.make(shipment, by=by)
    if changed:
        record(events.EDITED, shipment, by=by, about=shipment.customer, **changed)
    return shipment


def scan(shipment: Shipment, texts: list[str], *, by: Actor, at: datetime | None = None) -> list[Answer]:
    """Pack the scanned devices. Returns one answer for everything that was packed, then one for each refusal.

    Raises Refused if the shipment is no longer open.
    """
    answers = _scan_each(shipment, dict(enumerate(texts)), by=by, at=at or timezone.now())
    return gathered(answer for each in answers.values() for answer in each)


@retrying
def scan_once(shipment: Shipment, sent: dict[str, str], *, by: Actor, at: datetime | None = None) -> list[Answer]:
    """Pack scans that have ids from their bench, idempotently: repeating a successful scan changes nothing.

    A repeated scan that packed something gets its first answer again, even if the device or the shipment has changed
    since; a repeated scan that was refused is tried again. New scans of a closed shipment are refused one by one.
    """
    at = at or timezone.now()
    closed = None
    try:
        # The lock makes scans recorded by a concurrent request visible here.
        _hold(shipment)
    except Refused as refusal:
        closed = Answer(BAD, refusal.code, refusal.sentence, about=shipment)
    known = ShipmentScan.objects.filter(shipment=shipment, token__in=list(sent))
    answers = {row.token: [Answer(**each) for each in row.answers] for row in known}
    fresh = {token: text for token, text in sent.items() if token not in answers}
    if closed is not None:
        answers |= {token: [replace(closed, scanned=text)] for token, text in fresh.items()}
    elif fresh:
        said = _scan_each(shipment, fresh, by=by, at=at)
        ShipmentScan.objects.bulk_create(
            [
                ShipmentScan(
                    shipment=shipment,
                    token=token,
                    at=at,
                    answers=[
                        {"tone": each.tone, "code": each.code, "text": each.text, "scanned": each.scanned}
                        for each in told
                    ],
                )
                for token, told in said.items()
                if any(each.code == "added" for each in told)
            ],
            batch_size=500,
        )
        answers |= said
    return gathered(answer for token in sent for answer in answers[token])


def delete_old_scans() -> int:
    """Delete scan ids older than 30 days, which no browser sends again. Returns the number of deleted ids."""
    return ShipmentScan.objects.filter(at__lt=timezone.now() - SCANS_KEPT).delete()[0]


@retrying
def pack(shipment: Shipment, devices: Iterable[Device], *, by: Actor, at: datetime | None = None) -> list[Answer]:
    """Reserve devices for a shipment. Returns one answer for everything that was packed, then one for each refusal.

    Locks the shipment first and then the devices, so that two people who pack the same shipment wait a few
    milliseconds for each other and never exceed the order. Raises Refused if the shipment is no longer open.
    """
    return gathered(_pack_each(shipment, devices, by=by, at=at or timezone.now()).values())


@retrying
def _scan_each(shipment: Shipment, sent: dict[Any, str], *, by: Actor, at: datetime) -> dict[Any, list[Answer]]:
    """Pack the scanned devices and return the answers by scan: a line of a list may contain several devices."""
    lines = scans.split(by, list(sent.values()))
    read = [scan for line in lines for scan in line]
    chosen = choose(shipment, read)
    wanted = [each for each in chosen if isinstance(each, Device)]
    verdicts = _pack_each(shipment, wanted, by=by, at=at) if wanted else {}
    units = iter(chosen)
    answers: dict[Any, list[Answer]] = {}
    for (key, text), line in zip(sent.items(), lines, strict=True):
        answers[key] = []
        for part in line:
            each = next(units)
            answer = verdicts[each.pk] if isinstance(each, Device) else each
            answers[key].append(replace(answer, scanned=text if len(line) == 1 else part.text))
            if isinstance(each, Device) and answer.code == "added":
                verdicts[each.pk] = already_here(each)
        answers[key] += notes(line)
    return answers


def _pack_each(shipment: Shipment, devices: Iterable[Device], *, by: Actor, at: datetime) -> dict[int, Answer]:
    """Reserve the devices that may be packed and return an answer for each device."""
    wanted = {device.pk: device for device in devices}
    _hold(shipment)
    ledger.hold(sorted(wanted))
    rows = Device.objects.select_related("product", "customer")
    now = {device.pk: device for device in sql.having_ids(rows, "id", list(wanted))}
    judge = Judge(shipment, wanted)
    refused = {pk: judge.refusal(now[pk]) for pk in wanted}
    if fit := [pk for pk in wanted if refused[pk] is None]:
        _reserve(shipment, fit, by=by, at=at)
    return {pk: refusal or added([now[pk]]) for pk, refusal in refused.items()}


@retrying
def unpack(shipment: Shipment, device_ids: Iterable[int], *, by: Actor) -> list[int]:
    """Remove devices from the shipment and return them to stock. Returns the ids of those that were packed.

    Raises Refused if the shipment is no longer open.
    """
    _hold(shipment)
    units = sql.having_ids(shipment.units.filter(is_open=True), "device_id", sorted(set(device_ids)))
    ids = sorted(units.values_list("device_id", flat=True))
    if ids:
        _free(ids)
        sql.having_ids(shipment.units.all(), "device_id", ids).delete()
        _count(shipment, -len(ids))
        record_devices(events.DEVICE_UNPACKED, ids, by=by, about=shipment)
    return ids


def why_not_out(shipment: Shipment, device_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return code and sentence, by device id, for devices that can't be removed. Omits those that can."""
    ids = sorted(set(device_ids))
    units = {unit.device_id: unit for unit in sql.having_ids(shipment.units.all(), "device_id", ids)}
    refused = {}
    for device in sql.having_ids(Device.objects.all(), "id", ids):
        unit, cause = units.get(device.pk), causes.of(device)
        if unit is not None and unit.claim_id is not None:
            refused[device.pk] = "claimed", _("Its customer has claimed it already.")
        elif device.archived_at and cause:
            refused[device.pk] = cause
        elif unit is None or not unit.is_open:
            refused[device.pk] = "not_packed", _("It is not packed in this shipment.")
    return refused


@retrying
def undo_last(shipment: Shipment, *, by: Actor) -> Device | None:
    """Remove the device that this person packed last. Returns it, or None if they packed none."""
    _hold(shipment)
    mine = shipment.units.filter(is_open=True, packed_by_user=by.user_id).select_related("device")
    last = mine.order_by("-pk").first()
    if last is None:
        return None
    unpack(shipment, [last.device_id], by=by)
    return last.device


@retrying
def cancel(shipment: Shipment, *, by: Actor, at: datetime | None = None) -> int:
    """Cancel the shipment and return its devices to stock, also for a sent box that came back unclaimed.

    Returns the number of devices. Raises Refused if the shipment is neither open nor sent.
    """
    at = at or timezone.now()
    _move(shipment, frm=NOT_OVER, to=ShipmentState.CANCELLED, shipped_at=None, cancelled_at=at)
    ids = _open_ids(shipment)
    _free(ids)
    shipment.units.update(is_open=False)
    record_devices(events.DEVICE_UNPACKED, ids, by=by, about=shipment, at=at)
    record(events.CANCELLED, shipment, by=by, about=shipment.customer, at=at, units=len(ids))
    return len(ids)


@retrying
def ship(shipment: Shipment, *, by: Actor, at: datetime | None = None) -> Operation:
    """Assign all devices to the customer at one instant, all or none: up to 200 immediately, more in the worker.

    Devices that the customer claimed with their own codes are already theirs. A box that was sent is assigned without
    its code. Raises Refused if the shipment is empty, neither open nor sent, or has a device that can't be assigned.
    """
    _move(shipment, frm=NOT_OVER, to=ShipmentState.SHIPPING, shipped_at=None)
    total = shipment.units.filter(is_open=True).count()
    if not total and not shipment.units.exists():
        raise _empty()
    operation = operations.begin(
        run_ship,
        by=by,
        total=total,
        words={"code": shipment.code, "n": shipment.units.count()},
        return_url=shipment.get_absolute_url(),
        shipment=shipment.pk,
        at=at.isoformat() if at else "",
    )
    Shipment.objects.filter(pk=shipment.pk).update(operation=operation)
    return operation


@operations.handler(
    "shipment.ship",
    title=ngettext_lazy("Ship %(code)s with %(n)d device", "Ship %(code)s with %(n)d devices", "n"),
    done=ngettext_lazy("%(n)d device shipped to %(customer)s.", "%(n)d devices shipped to %(customer)s.", "n"),
    permission=Permission.SHIPMENT_EDIT,
)
def run_ship(operation: Operation, by: Actor) -> None:
    """Run the operation that ships a shipment. Its payload is {shipment, at}; an empty `at` means when it runs.

    A refusal other than `busy` leaves the shipment open, with all its devices.
    """
    shipment = Shipment.objects.visible_to(by).select_related("customer").get(pk=operation.payload["shipment"])
    if shipment.state == ShipmentState.SHIPPING:
        try:
            at = operation.payload["at"]
            _assign_all(operation, shipment, by=by, at=datetime.fromisoformat(at) if at else None)
        except Refused as refusal:
            if refusal.code != "busy":
                Shipment.objects.filter(pk=shipment.pk, state=ShipmentState.SHIPPING).update(state=ShipmentState.OPEN)
            raise
    operation.sentence = operations.sentence_of(operation, n=shipment.unit_count, customer=shipment.customer)


@retrying
def send(shipment: Shipment, *, by: Actor, at: datetime | None = None) -> int:
    """Send a box that the customer claims by code. Its devices stay reserved until then. Returns their number.

    Raises Refused if the box is empty, all claimed, no longer open, not claimed by code, or has more than 500 devices.
    """
    at, total = at or timezone.now(), shipment.units.filter(is_open=True).count()
    if not total and shipment.units.exists():
        raise Refused(
            "all_claimed",
            _("%(customer)s has claimed all its devices already. Ship it.") % {"customer": shipment.customer},
        )
    if not total:
        raise _empty()
    if total > MOST_CLAIMED:
        raise Refused(
            "too_many",
            _(
                "A box that is claimed with one code holds up to %(n)d devices. Take some out, or edit "
                "the shipment to assign them when it is shipped."
            )
            % {"n": MOST_CLAIMED},
            status=422,
        )
    moved = Shipment.objects.filter(pk=shipment.pk, state=ShipmentState.OPEN, is_claimed_by_code=True)
    if not moved.update(state=ShipmentState.SENT, shipped_at=at):
        raise _not_open(shipment)
    shipment.state, shipment.shipped_at = ShipmentState.SENT, at
    record(events.SENT, shipment, by=by, about=shipment.customer, at=at, units=total)
    if shipment.tells_customer:
        mails.tell(shipment, _open_ids(shipment))
    return total


def take_turn(shipment: Shipment) -> None:
    """Lock the shipment until the end of the transaction. Devices must be locked after it."""
    Shipment.objects.filter(pk=shipment.pk).update(state=F("state"))


@retrying
def take_claimed(device_ids: Iterable[int], *, claim: Claim, by: Actor) -> None:
    """Remove packed devices from their shipments because their customer claims them with their own codes.

    The caller then assigns them. A sent box with no devices left becomes shipped. Raises Refused if a device is no
    longer packed for the claim's customer.
    """
    customers.hold(claim.customer)
    ids = sorted(set(device_ids))
    mine = Shipment.objects.filter(customer=claim.customer, state__in=HOLDING)
    packed = ShipmentUnit.objects.filter(device__in=ids, is_open=True)
    wanted = sorted(set(packed.values_list("shipment", flat=True)))
    # The same lock order as for packing: first shipments by id, then devices.
    held = [pk for pk in wanted if mine.filter(pk=pk).update(unit_count=F("unit_count"))]
    if packed.filter(shipment__in=held).update(is_open=False, claim=claim) != len(ids):
        raise Refused("changed", _("This offer was changed at this moment. Look at it again, then claim it."))
    for shipment in mine.filter(pk__in=held, state=ShipmentState.SENT).exclude(units__is_open=True):
        _move(shipment, frm=[ShipmentState.SENT], to=ShipmentState.SHIPPED)
        record(events.CLAIMED, shipment, by=by, about=claim.customer, at=claim.at, units=shipment.unit_count)


@retrying
def hand_over(shipment: Shipment, *, by: Actor, claim: Claim, at: datetime) -> Outcome:
    """Assign a sent box to the customer who claimed it: all devices that they have not claimed individually, or none.

    Raises Refused if the box is no longer waiting for its claim.
    """
    _move(shipment, frm=[ShipmentState.SENT], to=ShipmentState.SHIPPED)
    ids = _open_ids(shipment)
    outcome = ownership.assign(
        ids,
        customer=shipment.customer,
        by=by,
        at=at,
        reason="claim",
        evidence=f"claim:{claim.pk}",
        note=shipment.order_number,
        frm=(DeviceStatus.RESERVED,),
    )
    shipment.units.filter(is_open=True).update(is_open=False, claim=claim)
    record(events.CLAIMED, shipment, by=by, about=shipment.customer, at=at, units=len(outcome.done))
    return outcome


@retrying
def reopen(shipment: Shipment, *, by: Actor) -> None:
    """Reopen a shipment after shipping it failed. Raises Refused while it is still being shipped."""
    operation = Operation.objects.filter(pk=shipment.operation_id).first()  # type: ignore[misc]  # None matches no row
    if operation is not None and not operation.is_over:
        raise Refused("under_way", _("It is being shipped at this moment. Wait until that is over."))
    _move(shipment, frm=[ShipmentState.SHIPPING], to=ShipmentState.OPEN)
    record(events.REOPENED, shipment, by=by, about=shipment.customer)


@operations.chunk
def _assign_all(operation: Operation, shipment: Shipment, *, by: Actor, at: datetime | None = None) -> None:
    """Assign all devices and record the progress in one transaction, so that a killed worker ships all or nothing.

    Devices that the customer has claimed in the meantime are no longer open and stay unchanged.
    """
    customers.hold(shipment.customer)
    take_turn(shipment)
    ids = _open_ids(shipment)
    at = at or ledger.begin(ids)
    _move(shipment, frm=[ShipmentState.SHIPPING], to=ShipmentState.SHIPPED, shipped_at=at)
    outcome = ledger.assign(
        ids,
        customer=shipment.customer,
        project=projects.default_of(shipment.customer),
        by=by,
        reason="shipment",
        evidence=f"shipment:{shipment.pk}",
        note=shipment.order_number,
        at=at,
        frm=(DeviceStatus.RESERVED,),
    )
    if outcome.refused:
        named = ", ".join(f"{each.label}: {each.sentence}" for each in outcome.refused[:NAMED])
        raise Refused("not_shippable", _("Nothing was shipped. %(units)s") % {"units": named})
    shipment.units.update(is_open=False)
    record_devices(
        device_events.ASSIGNED,
        ids,
        by=by,
        about=shipment.customer,
        act=outcome.act,
        at=at,
        note=shipment.order_number,
    )
    record(events.SHIPPED, shipment, by=by, about=shipment.customer, at=at, units=shipment.unit_count)
    if shipment.tells_customer:
        mails.tell(shipment, sorted(shipment.units.values_list("device_id", flat=True)))
    operations.advance(operation, cursor=operation.total, succeeded=len(ids))


def _reserve(shipment: Shipment, ids: list[int], *, by: Actor, at: datetime) -> None:
    moved = ledger.set_status(ids, frm=[DeviceStatus.IN_STOCK], to=DeviceStatus.RESERVED)
    if len(moved) != len(ids):
        raise Refused("busy", _("Somebody else changed this at the same moment. Look at it again and retry."))
    packing = {"packed_at": at, "packed_by": by.label[:200], "packed_by_user": by.user}
    # Devices that were claimed and came back already have a row in this shipment.
    again = sql.having_ids(shipment.units.all(), "device_id", ids)
    known = set(again.values_list("device_id", flat=True))
    if known:
        again.update(is_open=True, claim=None, **packing)
    new = [pk for pk in ids if pk not in known]
    ShipmentUnit.objects.bulk_create(
        [ShipmentUnit(shipment=shipment, device_id=pk, **packing) for pk in new], batch_size=500
    )
    _count(shipment, len(new))
    record_devices(events.DEVICE_PACKED, ids, by=by, about=shipment, at=at)


def _free(ids: list[int]) -> None:
    ledger.set_status(ids, frm=[DeviceStatus.RESERVED], to=DeviceStatus.IN_STOCK)


def _open_ids(shipment: Shipment) -> list[int]:
    return list(shipment.units.filter(is_open=True).order_by("device").values_list("device_id", flat=True))


def _hold(shipment: Shipment) -> None:
    """Lock the open shipment until the end of the transaction. Raises Refused if it is no longer open."""
    if not Shipment.objects.filter(pk=shipment.pk, state=ShipmentState.OPEN).update(unit_count=F("unit_count")):
        raise _not_open(shipment)


def _move(shipment: Shipment, *, frm: Iterable[str], to: str, **fields: Any) -> None:
    if not Shipment.objects.filter(pk=shipment.pk, state__in=frm).update(state=to, **fields):
        raise _not_open(shipment)


def changed() -> tuple[str, str]:
    """Return code and sentence for a device that was changed by somebody else at the same moment."""
    return "changed", _("It was changed by somebody else at the same moment. Try again.")


def _empty() -> Refused:
    return Refused("empty", _("Nothing is packed yet. Scan a unit first."), status=422)


def _not_open(shipment: Shipment) -> Refused:
    state = Shipment.objects.values_list("state", flat=True).get(pk=shipment.pk)
    words = {"code": shipment.code, "state": ShipmentState(state).label.lower()}
    return Refused("not_open", _("%(code)s is %(state)s, so this can't be done any more.") % words)


def _count(shipment: Shipment, more: int) -> None:
    Shipment.objects.filter(pk=shipment.pk).update(unit_count=F("unit_count") + more)


def _write_lines(shipment: Shipment, lines: Lines) -> None:
    shipment.lines.all().delete()
    ShipmentLine.objects.bulk_create(
        [ShipmentLine(shipment=shipment, product=product, expected=number) for product, number in lines.items()]
    )


def _said(shipment: Shipment) -> str:
    """Return the lines of a shipment in words, for the log."""
    return ", ".join(str(line) for line in shipment.lines.select_related("product").order_by("product__name_key"))
