"""What a code gives that is packed for a customer. Redemption asks here; the room that packs fills the slots."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from claims.models import Claim, ClaimProfile
from console.access import Actor
from console.slots import One
from devices.ledger import Outcome
from devices.models import Device


class Parcel(Protocol):
    """A box of devices that is packed for one customer, who alone may claim it or what is in it."""

    @property
    def pk(self) -> int:
        """The order in which boxes are locked."""

    @property
    def customer_id(self) -> int:
        """The customer for whom it is packed."""

    def contents(self) -> list[Device]:
        """Return the devices that are in it now, with their products."""

    def check(self) -> None:
        """Raise Refused, with what to do next, if it can't be claimed as a whole."""

    def lock(self) -> None:
        """Keep the box as it is until this transaction ends."""

    def hand_over(self, *, claim: Claim, by: Actor, at: datetime) -> Outcome:
        """Give the box to the customer who claimed it. Raises Refused if it no longer waits for a claim."""


@One.declare
def given_by(profile: ClaimProfile) -> Parcel | None:
    """Return the parcel that the one code of this profile gives, if any. The profile lists nothing itself."""


@One.declare
def packed_in(device_ids: list[int]) -> Mapping[int, Parcel]:  # type: ignore[empty-body]
    """Return the parcels in which reserved devices are packed, by device."""


@One.declare
def take_out(device_ids: Iterable[int], *, claim: Claim, by: Actor) -> None:
    """Take devices out of their parcels for the customer that claims them one by one.

    Raises Refused if one of them is no longer packed for that customer.
    """
