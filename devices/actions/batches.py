"""Begins to assign or unclaim many devices that a program names, with a result for each."""

from console.access import Actor
from console.models import Operation
from console.reasons import stated
from console.transactions import retrying
from customers.models import Customer
from devices.actions import named, ownership

MOST = 100_000


@retrying
def assign(
    named_by: str, names: list[str], *, customer: Customer, by: Actor, note: str = "", is_dry: bool = False
) -> Operation:
    """Begin to assign the devices with these names (`id`, `serial_number` or `device_name`) to a customer."""
    words = {"customer": customer}
    handler = ownership.run_assign
    return named.begin(handler, named_by, names, by=by, is_dry=is_dry, words=words, customer=customer.pk, note=note)


@retrying
def unclaim(
    named_by: str, names: list[str], *, reason: str, by: Actor, is_dry: bool = False, leaves_profiles: bool = False
) -> Operation:
    """Begin to unclaim the devices with these names; see `ownership.unclaim` for `leaves_profiles`.

    Raises Refused without a reason, and above 50 devices an hour if the actor may not unclaim many; a trial too.
    """
    reason, terms = stated(reason), {"is_dry": is_dry, "leaves_profiles": leaves_profiles}
    ownership.check_unclaim_limit(len(names), by=by)
    return named.begin(ownership.run_unclaim, named_by, names, by=by, reason=reason, **terms)
