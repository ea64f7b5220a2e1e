"""Slots for codes that give packed devices. Redemption calls them; the package that packs fills them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from claims.models import Claim, ClaimProfile
from console.access import Actor
from console.operations import Outcome
from console.slots import One
from devices.models import Device


class Parcel(Protocol):
    """A box of devices packed for one customer. Only that customer may claim it or the devices in it."""

    @property
    def pk(self) -> int:
        """The key that sets the order in which boxes are locked."""

    @property
    def customer_id(self) -> int:
        """The customer for whom it is packed."""

    def contents(self) -> list[Device]:
        """Return the devices that are in the box now, with their products."""

    def check(self) -> None:
        """Raise Refused, with what to do next, if the box can't be claimed as a whole."""

    def lock(self) -> None:
        """Lock the box until this transaction ends."""

    def hand_over(self, *, claim: Claim, by: Actor, at: datetime) -> Outcome:
        """Give the box to the customer who claimed it. Raises Refused if it no longer waits for a claim."""


@One.declare
def given_by(profile: ClaimProfile) -> Parcel | None:
    """Return the parcel that this profile's only code gives, or None. Such a profile lists nothing itself."""


@One.declare
def packed_in(device_ids: list[int]) -> Mapping[int, Parcel]:  # type: ignore[empty-body]
    """Return the parcels in which reserved devices are packed, by device id."""


@One.declare
def take_out(device_ids: Iterable[int], *, claim: Claim, by: Actor) -> None:
    """Take devices out of their parcels for a customer who claims them one by one.

    Raises Refused if one of them is no longer packed for that customer.
    """
