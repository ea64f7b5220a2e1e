"""Shipments as parcels for redemption: boxes that their customer claims."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from claims.models import Claim, ClaimProfile, Shipment, ShipmentState, ShipmentUnit
from claims.shipments.actions import shipping, states
from console.access import Actor
from console.errors import Refused
from console.operations import Outcome
from devices.models import Device


@dataclass(frozen=True)
class ShipmentParcel:
    """A shipment that implements redemption's `Parcel` protocol."""

    shipment: Shipment
    brand: str = ""

    @property
    def pk(self) -> int:
        """Return the id of the shipment."""
        return self.shipment.pk

    @property
    def customer_id(self) -> int:
        """Return the id of the customer for whom the shipment is packed."""
        return self.shipment.customer_id

    def contents(self) -> list[Device]:
        """Return the devices that are currently packed, in packing order."""
        # unscoped: the claim code grants access to these devices
        rest = Device.objects.filter(shipment_units__shipment=self.shipment, shipment_units__is_open=True)
        return list(rest.select_related("product").order_by("shipment_units__pk"))

    def check(self) -> None:
        """Check that the shipment was sent and can be claimed. Raises Refused, saying what to do next, if not."""
        sentences = {
            ShipmentState.OPEN: _("%(brand)s hasn't sent this shipment yet. Try again when you have the box."),
            ShipmentState.SHIPPED: _("This shipment has already been handed over. Check your devices."),
            ShipmentState.CANCELLED: _("This shipment was cancelled. Contact %(brand)s."),
            ShipmentState.SHIPPING: _(
                "%(brand)s is handing over this shipment right now. Check your devices in a moment."
            ),
        }
        if sentence := sentences.get(ShipmentState(self.shipment.state)):
            raise Refused(f"shipment_{self.shipment.state}", sentence % {"brand": self.brand})

    def lock(self) -> None:
        """Lock the shipment until the end of the transaction."""
        states.take_turn(self.shipment)

    def hand_over(self, *, claim: Claim, by: Actor, at: datetime) -> Outcome:
        """Assign the devices of the sent box to the customer who claimed it."""
        return shipping.hand_over(self.shipment, claim=claim, by=by, at=at)


def given_by(profile: ClaimProfile) -> ShipmentParcel | None:
    """Return the shipment that is claimed with the profile's code, or None."""
    shipment = getattr(profile, "shipment", None)
    return ShipmentParcel(shipment, profile.organization.brand) if shipment is not None else None


def packed_in(device_ids: list[int]) -> dict[int, ShipmentParcel]:
    """Return the shipments in which the devices are packed, by device id."""
    # unscoped: devices that the claim code grants access to
    units = ShipmentUnit.objects.filter(device__in=device_ids, is_open=True).select_related("shipment")
    return {unit.device_id: ShipmentParcel(unit.shipment) for unit in units}


def take_out(device_ids: Iterable[int], *, claim: Claim, by: Actor) -> None:
    """Remove packed devices from their shipments because their customer claims them individually."""
    shipping.take_claimed(device_ids, claim=claim, by=by)
