"""Replaces a customer's device with another one, at a single instant."""

from dataclasses import replace
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
from devices.acts import Act, BegunAct
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
    customer = _lock_owner(old)
    act = ledger.begin([old.pk, new.pk], Act(by, at=at))
    ledger.lock(sorted([old.pk, new.pk]))
    span = _open_span(old, customer)
    if leaves_profiles:
        leave_profiles([old.pk], by=by, at=act.at)
    returned = _return(old, span, {"reason": reason[:80], "note": note[:1000]}, act)
    act, reason_text = replace(act, evidence=f"swap:{returned.pk}"), ": ".join(filter(None, [reason, note]))
    _take_back(old, new, customer, act, reason_text)
    if not is_here:
        _await(returned, act)
    # The old span ends later if it began, or the device sent something, at this instant; the new span starts then.
    ended_at = Ownership.objects.values_list("ended_at", flat=True).get(pk=span.pk) or act.at
    act = replace(act, at=ended_at)
    _give_instead(new, old, span, act)
    _inherit_tags(old, new, act)
    _log(old, new, customer, act, reason_text)
    return returned


def _lock_owner(old: Device) -> Customer:
    """Return the device's owner, locked until this transaction ends. Raises Refused if it has none."""
    owner = Device.objects.select_related("customer__organization").get(pk=old.pk).customer
    if owner is None:
        raise Refused("not_owned", _("It has no owner, so it can't be swapped."))
    customers.lock(owner)
    return owner


def _open_span(old: Device, customer: Customer) -> Ownership:
    """Return the span by which the customer owns the locked device. Raises Refused if it has just changed owner."""
    span = Ownership.objects.select_related("project").filter(device=old, ended_at=None).first()
    if span is None or span.customer_id != customer.pk:
        raise Refused("changed", _("Someone else changed it at the same time. Try again."))
    span.customer = customer
    return span


def _take_back(old: Device, new: Device, customer: Customer, act: BegunAct, reason_text: str) -> None:
    """Take the old device from its owner into quarantine."""
    words = _("Replaced by %(serial)s") % {"serial": new.serial_number}
    act = replace(act, note=": ".join(filter(None, [reason_text, words])))
    ledger.release([old.pk], act, reason="return", status=DeviceStatus.RETURNED, expect=customer)


def _give_instead(new: Device, old: Device, span: Ownership, act: BegunAct) -> None:
    """Give the new device to the owner of the old one, in the same project. Raises Refused if it can't be assigned."""
    act = replace(act, note=_("Replaces %(serial)s") % {"serial": old.serial_number})
    assigned = ledger.assign([new.pk], act, customer=span.customer, project=span.project, reason="assignment")
    if not assigned.done:
        raise Refused(assigned.refused[0].code, f"{new.serial_number}: {assigned.refused[0].sentence}", status=422)


def _log(old: Device, new: Device, customer: Customer, act: BegunAct, reason_text: str) -> None:
    """Record the swap in the history of both devices, and notify the owner by email."""
    record(events.SWAPPED_OUT, old, by=act.by, about=new, act=act.id, at=act.at, note=reason_text)
    record(events.SWAPPED_IN, new, by=act.by, about=old, act=act.id, at=act.at)
    mails.notify("customer_device_swapped", customer, [old, new], old=old, new=new)


def _return(old: Device, span: Ownership, values: dict[str, Any], act: BegunAct) -> Return:
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
        Return.objects.filter(pk=asked.pk).update(received_at=act.at, received_by=act.by.label[:200], **values)
        asked.refresh_from_db()
        return asked
    return Return.objects.create(
        organization_id=old.organization_id,
        number=next_number(Return, old.organization_id),
        device=old,
        customer_id=span.customer_id,
        shipment_id=returns.shipments_of([span]).get(old.pk),
        created_at=act.at,
        received_at=act.at,
        received_by=act.by.label[:200],
        **values,
    )


def _await(returned: Return, act: BegunAct) -> None:
    """Set the return back to requested, because the old device is still with the customer.

    It counts as requested by the actor, unless the customer requested it before.
    """
    asked = {} if returned.requested_at else {"requested_at": act.at, "requested_by": act.by.label[:200]}
    Return.objects.filter(pk=returned.pk).update(state=ReturnState.REQUESTED, received_at=None, received_by="", **asked)
    returned.refresh_from_db()


def _inherit_tags(old: Device, new: Device, act: BegunAct) -> None:
    """Add the tags of the old device to those of the new one."""
    before = sorted(new.device_tags.values_list("tag__name", flat=True))
    after = sorted({*before, *old.device_tags.values_list("tag__name", flat=True)})
    if after != before:
        device_actions.set_tags([new.pk], after, by=act.by)
        record(device_events.EDITED, new, by=act.by, at=act.at, tags=[", ".join(before), ", ".join(after)])
