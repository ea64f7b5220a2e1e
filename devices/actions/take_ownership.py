"""Customers taking and releasing devices by the serial number and device name printed on them."""

from dataclasses import replace
from datetime import datetime

from django.utils.translation import gettext as _

from console.access import Actor
from console.errors import Refused
from console.fields import fold
from console.operations import RefusedRow
from console.reasons import stated
from console.slots import One
from console.transactions import retrying
from customers.models import Customer
from devices import events, ledger
from devices.actions import ownership
from devices.acts import Act
from devices.log import record_act
from devices.models import Device, Ownership, SharedAccess

# Attempts, right or wrong, that one address and one customer have in ten minutes.
TRIES, WINDOW = 60, 10 * 60
# Whether a printed label of the device with this id was replaced.
has_replaced_label: One[[int], bool] = One("devices.actions.take_ownership.has_replaced_label")


@retrying
def take(*, serial_number: str, device_name: str, by: Actor, at: datetime | None = None) -> Ownership:
    """Make the actor's customer the owner. Returns the new ownership span, or the one the customer already has.

    Raises Refused: `may_not_take` (403) if the customer may not take any device; `unknown_device` (404) alike for a
    wrong pair, for an unknown serial number, and for a device that can't be taken: its product does not allow it, or it
    is reserved, quarantined, scrapped or archived, or its code was replaced; `already_owned` if another customer owns
    it, without saying which; `taken_back` if the customer had it before and did not give it back itself.
    """
    customer = Customer.objects.visible_to(by).current().filter(organization=by.organization).get()
    if not customer.may_take:
        raise Refused(
            "may_not_take",
            _(
                "Your account can't take devices by name. Claim them with their codes, or ask your supplier "
                "to allow it."
            ),
            status=403,
        )
    device = Device.objects.filter(
        organization=by.organization,
        name_key=fold(device_name),
        serial_key=fold(serial_number),
        archived_at=None,
        product__customers_may_take=True,
    ).first()
    if device is None:
        raise _unknown()
    if device.customer_id != customer.pk:
        gave_back = _gave_back(device, customer)
        # A customer that gave the device back knows its names from owning it, not from a label that no longer works.
        if not gave_back and device.customer_id is None and has_replaced_label(device.pk):
            raise _unknown()
        outcome = ownership.assign([device.pk], customer=customer, by=by, at=at, reason="api")
        if outcome.refused and not Device.objects.filter(pk=device.pk, customer=customer).exists():
            raise _for_strangers(outcome.refused[0])
    return Ownership.objects.open().select_related("device").get(device=device, customer=customer)


@retrying
def release(span: Ownership, *, by: Actor, reason: str = "", at: datetime | None = None) -> Ownership:
    """End an open ownership span and return it. Raises Refused if it has already ended.

    A customer gives the device back, and may take it again. Any other actor unclaims it, which needs a reason and
    counts towards the unclaim limit.
    """
    gives_back, act = by.kind == "customer", ledger.begin([span.device_id], Act(by, at=at))
    if not gives_back:
        reason = stated(reason)
        ownership.check_unclaim_limit(1, by=by, at=act.at)
    act = replace(act, note=reason)
    outcome = ledger.release([span.device_id], act, reason="api" if gives_back else "unclaim", expect=span.customer)
    if outcome.refused or Ownership.objects.filter(pk=span.pk, ended_at=None).exists():
        raise Refused("not_owner", _("This ownership has already ended."))
    kind = events.RELEASED if gives_back else events.UNCLAIMED
    record_act(kind, outcome.done, act, about=span.customer, note=reason)
    return Ownership.objects.select_related("device").get(pk=span.pk)


def _gave_back(device: Device, customer: Customer) -> bool:
    """Whether the customer gave the device back itself and nobody has owned it since; it may then take it again.

    Raises Refused if the customer knows both names from an earlier access that ended another way: unlike a label, they
    never change. A device that was taken back, or only shared with the customer, must be assigned by the organization.
    """
    last = Ownership.objects.filter(device=device, customer=customer).order_by("-started_at").first()
    was_shared = SharedAccess.objects.filter(device=device, customer=customer).exists()
    if (last is not None and last.end_reason != "api") or (last is None and was_shared):
        raise Refused("taken_back", _("You had this device before. Ask your supplier to assign it to you again."))
    return last is not None and not Ownership.objects.filter(device=device, started_at__gt=last.started_at).exists()


def _unknown() -> Refused:
    return Refused("unknown_device", _("No device has this combination of serial number and device name."), status=404)


def _for_strangers(refused: RefusedRow) -> Refused:
    """Return why the device can't be taken, without revealing its owner or its state inside the organization."""
    if refused.code == "already_owned":
        return Refused(
            "already_owned", _("This device already has an owner. Ask the owner or your supplier to release it.")
        )
    return Refused(refused.code, refused.sentence) if refused.code == "changed" else _unknown()
