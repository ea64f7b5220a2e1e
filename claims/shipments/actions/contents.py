"""Packs devices into a shipment and takes them out: a packed device is reserved."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from claims.models import Shipment, ShipmentScan, ShipmentUnit
from claims.scanning import scans
from claims.scanning.answers import BAD, Answer
from claims.scanning.sentences import notes
from claims.shipments import events
from claims.shipments.actions import states
from claims.shipments.packing import Judge, added, already_here, choose, gathered
from console import sql
from console.access import Actor
from console.errors import Refused
from console.transactions import retrying
from devices import causes, ledger
from devices.log import record_devices
from devices.models import Device, DeviceStatus

# How long the ids of packed scans are kept.
SCANS_KEPT = timedelta(days=30)


def scan(shipment: Shipment, texts: list[str], *, by: Actor, at: datetime | None = None) -> list[Answer]:
    """Pack the scanned devices. Returns one answer for everything that was packed, then one for each refusal.

    Raises Refused if the shipment is no longer open.
    """
    answers = _scan_each(shipment, dict(enumerate(texts)), by=by, at=at or timezone.now())
    return gathered(answer for each in answers.values() for answer in each)


@retrying
def scan_once(shipment: Shipment, sent: dict[str, str], *, by: Actor, at: datetime | None = None) -> list[Answer]:
    """Pack scans that have ids from their workbench, idempotently: repeating a successful scan changes nothing.

    A repeated scan that packed something gets its first answer again, even if the device or the shipment has changed
    since; a repeated scan that was refused is tried again. New scans of a closed shipment are refused one by one.
    """
    at = at or timezone.now()
    closed = None
    try:
        # The lock makes scans recorded by a concurrent request visible here.
        states.lock(shipment)
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
    states.lock(shipment)
    ledger.lock(sorted(wanted))
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
    states.lock(shipment)
    units = sql.having_ids(shipment.units.filter(is_open=True), "device_id", sorted(set(device_ids)))
    ids = sorted(units.values_list("device_id", flat=True))
    if ids:
        states.free(ids)
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
            refused[device.pk] = "claimed", _("The customer has already claimed it.")
        elif device.archived_at and cause:
            refused[device.pk] = cause
        elif unit is None or not unit.is_open:
            refused[device.pk] = "not_packed", _("It isn't packed in this shipment.")
    return refused


@retrying
def undo_last(shipment: Shipment, *, by: Actor) -> Device | None:
    """Remove the device that this person packed last. Returns it, or None if they packed none."""
    states.lock(shipment)
    mine = shipment.units.filter(is_open=True, packed_by_user=by.user_id).select_related("device")
    last = mine.order_by("-pk").first()
    if last is None:
        return None
    unpack(shipment, [last.device_id], by=by)
    return last.device


def _reserve(shipment: Shipment, ids: list[int], *, by: Actor, at: datetime) -> None:
    moved = ledger.set_status(ids, frm=[DeviceStatus.IN_STOCK], to=DeviceStatus.RESERVED)
    if len(moved) != len(ids):
        raise Refused("busy", _("Someone else changed this at the same time. Check it again and retry."))
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


def _count(shipment: Shipment, more: int) -> None:
    Shipment.objects.filter(pk=shipment.pk).update(unit_count=F("unit_count") + more)


def changed() -> tuple[str, str]:
    """Return code and sentence for a device that was changed by somebody else at the same moment."""
    return "changed", _("Someone else changed it at the same time. Try again.")
