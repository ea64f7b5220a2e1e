"""Replaces a customer's device with another one, at a single instant."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from claims.models import ClaimCode, Return, ReturnState
from claims.returns import events
from claims.returns.actions import mails, returns
from console.access import Actor
from console.audit import record
from console.errors import Refused
from console.numbers import next_number
from console.transactions import retrying
from customers.directory import actions as customers
from customers.models import Customer
from devices import events as device_events
from devices import ledger
from devices.actions import devices as device_actions
from devices.actions.ownership import check_unclaim_limit, leave_profiles
from devices.models import Device, DeviceStatus, Ownership


@retrying
def swap(
    old: Device,
    new: Device,
    *,
    reason: str,
    by: Actor,
    note: str = "",
    is_here: bool = True,
    at: datetime | None = None,
    leaves_profiles: bool = False,
) -> Return:
    """Replace `old` with `new`, which takes over its owner, its project and its tags from the same instant on.

    The old device is in quarantine from then on. Its return is received, or only requested if `is_here` is false; the
    history of each device names the other. The links of claim profiles that list the old device stop working, unless it
    `leaves_profiles`.

    Raises Refused if the old device has no owner or the new one is not in stock, and Refused (403) above 50 owned
    devices an hour if the actor may not unclaim many.
    """
    check_unclaim_limit(1, by=by, at=at)
    customer = _owner(old)
    customers.hold(customer)
    at = at or ledger.begin([old.pk, new.pk])
    ledger.hold(sorted([old.pk, new.pk]))
    span = Ownership.objects.select_related("project").filter(device=old, ended_at=None).first()
    if span is None or span.customer_id != customer.pk:
        raise Refused("changed", _("It was changed by somebody else at the same moment. Try again."))
    if leaves_profiles:
        leave_profiles([old.pk], by=by, at=at)
    returned = _return(old, span, {"reason": reason[:80], "note": note[:1000]}, by, at)
    evidence = f"swap:{returned.pk}"
    words = _("Replaced by %(serial)s") % {"serial": new.serial_number}
    released = ledger.release(
        [old.pk],
        by=by,
        reason="return",
        at=at,
        evidence=evidence,
        status=DeviceStatus.RETURNED,
        note=": ".join(filter(None, [reason, note, words])),
        expect=customer,
    )
    if not is_here:
        _await(returned, by, at)
    # The old span ends later if it began, or the device sent something, at this instant; the new span starts then.
    at = Ownership.objects.values_list("ended_at", flat=True).get(pk=span.pk) or at
    assigned = ledger.assign(
        [new.pk],
        customer=customer,
        project=span.project,
        by=by,
        reason="assignment",
        at=at,
        evidence=evidence,
        act=released.act,
        note=_("In place of %(serial)s") % {"serial": old.serial_number},
    )
    if not assigned.done:
        raise Refused(assigned.refused[0].code, f"{new.serial_number}: {assigned.refused[0].sentence}", status=422)
    _inherit_tags(old, new, by=by, at=at)
    told: dict[str, Any] = {"by": by, "act": released.act, "at": at}
    record(events.SWAPPED_OUT, old, about=new, note=": ".join(filter(None, [reason, note])), **told)
    record(events.SWAPPED_IN, new, about=old, **told)
    mails.tell("customer_device_swapped", customer, [old, new], old=old, new=new)
    return returned


def _owner(old: Device) -> Customer:
    owner = Device.objects.select_related("customer__organization").get(pk=old.pk).customer
    if owner is None:
        raise Refused("not_owned", _("It has no owner, so there is nobody to give another one to."))
    return owner


def _return(old: Device, span: Ownership, values: dict[str, Any], by: Actor, at: datetime) -> Return:
    """Mark the old device's return as received and return it: the one that its owner requested, or a new one."""
    values = {
        **values,
        "state": ReturnState.RECEIVED,
        "status_before": DeviceStatus.OWNED,
        "needs_label": ClaimCode.objects.filter(device=old).exists(),
    }
    Return.objects.filter(device=old, needs_label=True).update(needs_label=False)
    asked = Return.objects.filter(device=old, state=ReturnState.REQUESTED).first()
    if asked is not None:
        Return.objects.filter(pk=asked.pk).update(received_at=at, received_by=by.label[:200], **values)
        asked.refresh_from_db()
        return asked
    return Return.objects.create(
        organization_id=old.organization_id,
        number=next_number(Return, old.organization_id),
        device=old,
        customer_id=span.customer_id,
        shipment_id=returns.shipments_of([span]).get(old.pk),
        created_at=at,
        received_at=at,
        received_by=by.label[:200],
        **values,
    )


def _await(returned: Return, by: Actor, at: datetime) -> None:
    """Set the return back to requested, because the old device is still with the customer.

    It counts as requested by the actor, unless the customer requested it before.
    """
    asked = {} if returned.requested_at else {"requested_at": at, "requested_by": by.label[:200]}
    Return.objects.filter(pk=returned.pk).update(state=ReturnState.REQUESTED, received_at=None, received_by="", **asked)
    returned.refresh_from_db()


def _inherit_tags(old: Device, new: Device, *, by: Actor, at: datetime) -> None:
    """Add the tags of the old device to those of the new one."""
    before = sorted(new.device_tags.values_list("tag__name", flat=True))
    after = sorted({*before, *old.device_tags.values_list("tag__name", flat=True)})
    if after != before:
        device_actions.set_tags([new.pk], after, by=by)
        record(device_events.EDITED, new, by=by, at=at, tags=[", ".join(before), ", ".join(after)])
