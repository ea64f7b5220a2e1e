"""Hands shipments over to their customers: *ship* assigns all devices at one instant, a sent box waits for its code."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from claims.models import Claim, Shipment, ShipmentState, ShipmentUnit
from claims.shipments import events
from claims.shipments.actions import mails, states
from console import operations
from console.access import Actor, Permission
from console.audit import record
from console.errors import Refused
from console.models import Operation
from console.operations import Outcome
from console.transactions import retrying
from customers.directory import actions as customers
from customers.projects.actions import projects
from devices import events as device_events
from devices import ledger
from devices.actions import ownership
from devices.acts import Act
from devices.log import record_act
from devices.models import DeviceStatus

NAMED = 5
# The most devices claimed with one code: the claimant's page lists each of them.
MOST_CLAIMED = 500


@retrying
def ship(shipment: Shipment, *, by: Actor, at: datetime | None = None) -> Operation:
    """Assign all devices to the customer at one instant, all or none: up to 200 immediately, more in the worker.

    Devices that the customer claimed with their own codes are already theirs. A box that was sent is assigned without
    its code. Raises Refused if the shipment is empty, neither open nor sent, or has a device that can't be assigned.
    """
    states.move(shipment, frm=states.NOT_OVER, to=ShipmentState.SHIPPING, shipped_at=None)
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


@operations.chunk
def _assign_all(operation: Operation, shipment: Shipment, *, by: Actor, at: datetime | None = None) -> None:
    """Assign all devices and record the progress in one transaction, so that a killed worker ships all or nothing.

    Devices that the customer has claimed in the meantime are no longer open and stay unchanged.
    """
    customers.lock(shipment.customer)
    states.take_turn(shipment)
    ids = states.open_ids(shipment)
    act = ledger.begin(ids, Act(by, at=at, note=shipment.order_number, evidence=f"shipment:{shipment.pk}"))
    states.move(shipment, frm=[ShipmentState.SHIPPING], to=ShipmentState.SHIPPED, shipped_at=act.at)
    outcome = ledger.assign(
        ids,
        act,
        customer=shipment.customer,
        project=projects.default_of(shipment.customer),
        reason="shipment",
        frm=(DeviceStatus.RESERVED,),
    )
    if outcome.refused:
        named = ", ".join(f"{each.label}: {each.sentence}" for each in outcome.refused[:NAMED])
        raise Refused("not_shippable", _("Nothing was shipped. %(units)s") % {"units": named})
    shipment.units.update(is_open=False)
    record_act(device_events.ASSIGNED, ids, act, about=shipment.customer, note=act.note)
    record(events.SHIPPED, shipment, by=by, about=shipment.customer, at=act.at, units=shipment.unit_count)
    if shipment.tells_customer:
        mails.notify(shipment, sorted(shipment.units.values_list("device_id", flat=True)))
    operations.advance(operation, cursor=operation.total, succeeded=len(ids))


@retrying
def send(shipment: Shipment, *, by: Actor, at: datetime | None = None) -> int:
    """Send a box that the customer claims by code. Its devices stay reserved until then. Returns their number.

    Raises Refused if the box is empty, all claimed, no longer open, not claimed by code, or has more than 500 devices.
    """
    at, total = at or timezone.now(), shipment.units.filter(is_open=True).count()
    if not total and shipment.units.exists():
        raise Refused(
            "all_claimed",
            _("%(customer)s has already claimed all devices in this box. Ship it instead of sending it.")
            % {"customer": shipment.customer},
        )
    if not total:
        raise _empty()
    if total > MOST_CLAIMED:
        raise Refused(
            "too_many",
            _(
                "A box claimed with one code can hold up to %(n)d devices. Remove some, or edit the shipment to "
                "assign them when it is shipped."
            )
            % {"n": MOST_CLAIMED},
            status=422,
        )
    moved = Shipment.objects.filter(pk=shipment.pk, state=ShipmentState.OPEN, is_claimed_by_code=True)
    if not moved.update(state=ShipmentState.SENT, shipped_at=at):
        raise states.not_open(shipment)
    shipment.state, shipment.shipped_at = ShipmentState.SENT, at
    record(events.SENT, shipment, by=by, about=shipment.customer, at=at, units=total)
    if shipment.tells_customer:
        mails.notify(shipment, states.open_ids(shipment))
    return total


@retrying
def hand_over(shipment: Shipment, *, by: Actor, claim: Claim, at: datetime) -> Outcome:
    """Assign a sent box to the customer who claimed it: all devices that they have not claimed individually, or none.

    Raises Refused if the box is no longer waiting for its claim.
    """
    states.move(shipment, frm=[ShipmentState.SENT], to=ShipmentState.SHIPPED)
    ids = states.open_ids(shipment)
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
def take_claimed(device_ids: Iterable[int], *, claim: Claim, by: Actor) -> None:
    """Remove packed devices from their shipments because their customer claims them with their own codes.

    The caller then assigns them. A sent box with no devices left becomes shipped. Raises Refused if a device is no
    longer packed for the claim's customer.
    """
    customers.lock(claim.customer)
    ids = sorted(set(device_ids))
    mine = Shipment.objects.filter(customer=claim.customer, state__in=states.HOLDING)
    packed = ShipmentUnit.objects.filter(device__in=ids, is_open=True)
    wanted = sorted(set(packed.values_list("shipment", flat=True)))
    # The same lock order as for packing: first shipments by id, then devices.
    held = [pk for pk in wanted if mine.filter(pk=pk).update(unit_count=F("unit_count"))]
    if packed.filter(shipment__in=held).update(is_open=False, claim=claim) != len(ids):
        raise Refused("changed", _("This offer has just changed. Check it again before you claim it."))
    for shipment in mine.filter(pk__in=held, state=ShipmentState.SENT).exclude(units__is_open=True):
        states.move(shipment, frm=[ShipmentState.SENT], to=ShipmentState.SHIPPED)
        record(events.CLAIMED, shipment, by=by, about=claim.customer, at=claim.at, units=shipment.unit_count)


def _empty() -> Refused:
    return Refused("empty", _("Nothing is packed yet. Scan a device first."), status=422)
