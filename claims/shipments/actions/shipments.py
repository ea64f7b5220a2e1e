"""Packs shipments and ships them: what is packed is reserved, and *ship* assigns all of it at one instant."""

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
# More units are not given by one code: the claimant's page names each of them.
MOST_CLAIMED = 500
# So long the id of a packed scan is kept.
SCANS_KEPT = timedelta(days=30)
NOT_OVER = (ShipmentState.OPEN, ShipmentState.SENT)
# In these its units are reserved, and its customer may claim each by its own code.
HOLDING = (*NOT_OVER, ShipmentState.SHIPPING)
Lines = dict[Product, int]


@retrying
def create(*, customer: Customer, lines: Lines, by: Actor, at: datetime | None = None, **fields: Any) -> Shipment:
    """Open a shipment for a customer; `lines` say how many units of each product are expected, and may be empty."""
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
    """Change the given fields of an open shipment and no others; `lines`, where given, replace all lines.

    The customer stays as long as units are packed. Raises Refused where the shipment is not open.
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
    """Pack what was scanned: one text or a list of them. Gives an answer for each refusal and one for all that went in.

    Raises Refused where the shipment is not open any more.
    """
    answers = _scan_each(shipment, dict(enumerate(texts)), by=by, at=at or timezone.now())
    return gathered(answer for each in answers.values() for answer in each)


@retrying
def scan_once(shipment: Shipment, sent: dict[str, str], *, by: Actor, at: datetime | None = None) -> list[Answer]:
    """Pack what was scanned, each scan under the id that its bench gave it: sent again, it changes nothing.

    A scan that packed something is answered as it was the first time, whatever became of the unit and the shipment
    since; one that was refused is looked at again. What comes too late for the shipment is refused one by one.
    """
    at = at or timezone.now()
    closed = None
    try:
        # Whoever sends the same scan at the same moment has written it down when this turn comes.
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
    """Delete the ids of scans that were packed more than 30 days ago: no browser sends them again. Returns how many."""
    return ShipmentScan.objects.filter(at__lt=timezone.now() - SCANS_KEPT).delete()[0]


@retrying
def pack(shipment: Shipment, devices: Iterable[Device], *, by: Actor, at: datetime | None = None) -> list[Answer]:
    """Reserve units for a shipment, each by itself. Gives the refusals, after one answer for all that went in.

    Who packs holds the shipment first and then the units, so two packers of one shipment take turns of a few
    milliseconds, and none of them packs more than was ordered. Raises Refused where it is not open any more.
    """
    return gathered(_pack_each(shipment, devices, by=by, at=at or timezone.now()).values())


@retrying
def _scan_each(shipment: Shipment, sent: dict[Any, str], *, by: Actor, at: datetime) -> dict[Any, list[Answer]]:
    """Pack what was scanned, with the answers to each scan: a line of a list may hold several units."""
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
    """Reserve the units that can be, with an answer for each of them."""
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
    """Take units out again; they are in stock. Gives the ids of those that were in.

    Raises Refused where the shipment is not open any more.
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
    """Why devices can't be taken out of the shipment: code and sentence by device; nothing of those that can."""
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
    """Take the unit out that this person packed last. Gives it, or None where he packed none."""
    _hold(shipment)
    mine = shipment.units.filter(is_open=True, packed_by_user=by.user_id).select_related("device")
    last = mine.order_by("-pk").first()
    if last is None:
        return None
    unpack(shipment, [last.device_id], by=by)
    return last.device


@retrying
def cancel(shipment: Shipment, *, by: Actor, at: datetime | None = None) -> int:
    """Give the shipment up and free its units, also those of a box that was sent and came back unclaimed.

    Returns how many. Raises Refused where it is over already.
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
    """Assign all units to the customer at one instant, all of them or none: up to 200 at once, above by the worker.

    Those that the customer claimed by their own codes are his already. A box that was sent is assigned without its
    code. Raises Refused where the shipment is empty or over already, and where a unit can't be assigned.
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
    """Ship: payload {shipment, at}; without a time it is that of the act.

    What fails leaves the shipment open, with all units in it.
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
    """Let a box leave that the customer claims with its code: its units stay reserved until then. Returns how many.

    Raises Refused where it is empty, not open any more, not claimed by code, or where it holds too many for one claim.
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
    """Keep the shipment as it is until this transaction ends; who takes its units too does so afterwards."""
    Shipment.objects.filter(pk=shipment.pk).update(state=F("state"))


@retrying
def take_claimed(device_ids: Iterable[int], *, claim: Claim, by: Actor) -> None:
    """Take packed units out of their shipments for the customer that claims them by their own codes; it gets them next.

    A sent box whose last unit it was is over. Raises Refused where one of them is no longer packed for it.
    """
    customers.hold(claim.customer)
    ids = sorted(set(device_ids))
    mine = Shipment.objects.filter(customer=claim.customer, state__in=HOLDING)
    packed = ShipmentUnit.objects.filter(device__in=ids, is_open=True)
    wanted = sorted(set(packed.values_list("shipment", flat=True)))
    # As for who packs: first the shipments, in the order of their ids, then the units.
    held = [pk for pk in wanted if mine.filter(pk=pk).update(unit_count=F("unit_count"))]
    if packed.filter(shipment__in=held).update(is_open=False, claim=claim) != len(ids):
        raise Refused("changed", _("This offer was changed at this moment. Look at it again, then claim it."))
    for shipment in mine.filter(pk__in=held, state=ShipmentState.SENT).exclude(units__is_open=True):
        _move(shipment, frm=[ShipmentState.SENT], to=ShipmentState.SHIPPED)
        record(events.CLAIMED, shipment, by=by, about=claim.customer, at=claim.at, units=shipment.unit_count)


@retrying
def hand_over(shipment: Shipment, *, by: Actor, claim: Claim, at: datetime) -> Outcome:
    """Give a sent box to its customer, who claimed it: all of its units that it has not claimed singly, or none.

    Raises Refused where it does not wait for its claim any more.
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
    """Let a shipment be packed again whose shipping was given up. Raises Refused while it is under way."""
    operation = Operation.objects.filter(pk=shipment.operation_id).first()  # type: ignore[misc]  # None is the key of no row
    if operation is not None and not operation.is_over:
        raise Refused("under_way", _("It is being shipped at this moment. Wait until that is over."))
    _move(shipment, frm=[ShipmentState.SHIPPING], to=ShipmentState.OPEN)
    record(events.REOPENED, shipment, by=by, about=shipment.customer)


@operations.chunk
def _assign_all(operation: Operation, shipment: Shipment, *, by: Actor, at: datetime | None = None) -> None:
    """One transaction with its progress, so that a killed worker has shipped all or nothing.

    What the customer claimed meanwhile is not among the open units, and stays as the claim left it.
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
    # What was claimed and came back has its line in this shipment already.
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
    """Take a turn at the open shipment until this transaction ends. Raises Refused where it is not open any more."""
    if not Shipment.objects.filter(pk=shipment.pk, state=ShipmentState.OPEN).update(unit_count=F("unit_count")):
        raise _not_open(shipment)


def _move(shipment: Shipment, *, frm: Iterable[str], to: str, **fields: Any) -> None:
    if not Shipment.objects.filter(pk=shipment.pk, state__in=frm).update(state=to, **fields):
        raise _not_open(shipment)


def changed() -> tuple[str, str]:
    """Why a unit was left as it was that could be changed a moment before."""
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
    """How many are expected of what, in words."""
    return ", ".join(str(line) for line in shipment.lines.select_related("product").order_by("product__name_key"))
