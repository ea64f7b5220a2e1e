"""Calls to devices: created, delivered and answered. Every condition is part of the UPDATE."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from console import sql
from console.access import Actor, CustomerScope, Permission
from console.audit import record
from console.errors import Refused
from console.transactions import retrying
from devices import ledger
from devices.calls import events
from devices.ledger import Change
from devices.messages.actions import Publisher
from devices.messages.window import NAME, Unstorable, dumps
from devices.models import Call, CallKind, CallState, Device, DeviceStatus, Ownership
from devices.models.call import UNDER_WAY

MAX_ARGUMENT = 1024
MAX_RESULT = 16 * 1024
MAX_ERROR = 1000
TIMEOUTS = range(1, 301)
MOST_WAITING = 100
AT_ONCE = 10


@retrying
def ask(
    device: Device,
    *,
    kind: str,
    name: str,
    argument: str = "",
    timeout: int = 30,
    by: Actor,
    at: datetime | None = None,
) -> Call:
    """Ask a device for a variable, or to run a function; it has `timeout` seconds to answer.

    Members need the permission to call devices; customers' people may call devices that the customer owns now.
    Raises Refused otherwise.
    """
    _check(kind, name, argument, timeout)
    # From here until the call is written, the device can't change hands.
    ledger.lock([device.pk])
    found = _callable(device, by)
    at = ledger.stamp(found.pk, at)
    if Call.objects.under_way(at).filter(device=found).count() >= MOST_WAITING:
        raise Refused("too_many_calls", _("Too many calls are waiting for this device. Wait until they have ended."))
    call = Call(
        organization=found.organization,
        device=found,
        kind=kind,
        name=name,
        argument=argument,
        timeout=timeout,
        by_user=by.user,
        by_label=by.label[:200],
        customer_id=found.customer_id if by.kind == "customer" else None,
        asked_at=at,
        expires_at=at + timedelta(seconds=timeout),
    )
    call.save(force_insert=True)
    record(events.CALLED, found, by=by, at=at, call=f"{kind} {name}")
    return call


def may_ask(by: Actor, device: Device) -> bool:
    """Whether the actor may call the device, which they can see.

    Members may by their role; customers' people as admin or operator of its owner or of the project that it is in.
    """
    if by.kind != "customer":
        return by.may(Permission.DEVICE_CALL)
    if by.permissions:
        return device.customer_id in by.customers and by.may(CustomerScope.CALL)
    return Device.objects.operated_by(by).filter(pk=device.pk).exists()


@retrying
def deliver(*, by: Publisher, at: datetime | None = None) -> list[Call]:
    """Return the waiting calls of the device, oldest first, ten at most; each is delivered only once."""
    at = at or timezone.now()
    waiting = Call.objects.filter(device=by.device_id, state=CallState.WAITING, expires_at__gt=at)
    given = []
    for call in waiting.order_by("pk")[:AT_ONCE]:
        mine = Call.objects.filter(pk=call.pk, state=CallState.WAITING, expires_at__gt=at)
        if mine.update(state=CallState.DELIVERED, delivered_at=at):
            given.append(call)
    return given


def any_waiting(*, by: Publisher) -> bool:
    """Whether a call is waiting for the device; cheaper than trying to deliver."""
    return Call.objects.filter(device=by.device_id, state=CallState.WAITING).exists()


@retrying
def answer(
    call_id: int, *, by: Publisher, result: Any = None, error: str | None = None, at: datetime | None = None
) -> None:
    """Store the device's answer, or its error. Raises Refused for another device's call, and for one that is over."""
    # Waits while the device changes hands, so that an answer stamped after the change isn't read before it is
    # committed.
    ledger.lock([by.device_id])
    at = ledger.stamp(by.device_id, at)
    mine = Call.objects.filter(pk=call_id, device=by.device_id)
    try:
        text = None if error is not None else dumps(result, MAX_RESULT)
    except Unstorable as cause:
        raise Refused(cause.code, cause.sentence, status=422) from None
    outcome: dict[str, Any]
    if error is not None:
        state, outcome = CallState.FAILED, {"error": error.encode(errors="replace").decode()[:MAX_ERROR]}
    else:
        state, outcome = CallState.ANSWERED, {"result": text}
    open_now = mine.filter(state=CallState.DELIVERED, expires_at__gt=at)
    if open_now.update(state=state, ended_at=at, **outcome):
        return
    call = mine.first()
    if call is None:
        raise Refused("not_found", _("There is no such call. Request your calls again."), status=404)
    if call.state == CallState.WAITING and call.expires_at > at:
        raise Refused("not_delivered", _("This call has not been delivered yet. Request your calls, then answer it."))
    raise Refused("call_over", _("This call has ended. Request your calls again."))


@retrying
def expire(at: datetime | None = None) -> int:
    """Mark the calls that were not answered in time as timed out. Returns how many."""
    late = Call.objects.filter(state__in=UNDER_WAY, expires_at__lte=at or timezone.now())
    return late.update(state=CallState.TIMED_OUT, ended_at=F("expires_at"))


def follow_ledger(change: Change) -> None:
    """Cancel the open calls of owners whose ownership ended: they are neither delivered nor answered."""
    if change.kind in {"released", "retracted"}:
        asked = sql.having_ids(
            Call.objects.filter(customer__isnull=False, state__in=UNDER_WAY), "device_id", change.device_ids
        )
        found = list(asked.values_list("pk", flat=True))
        ends = Ownership.objects.filter(device=OuterRef("device"), ended_at__isnull=False).order_by("-ended_at")
        Call.objects.filter(pk__in=found, state__in=UNDER_WAY).update(
            state=CallState.CANCELLED, ended_at=Greatest(F("asked_at"), Subquery(ends.values("ended_at")[:1]))
        )


def _callable(device: Device, by: Actor) -> Device:
    """Return the current device. Raises Refused if the actor can't see it or may not call it, or it can't answer."""
    found = Device.objects.visible_to(by).select_related("organization").filter(pk=device.pk).first()
    if found is None:
        raise Refused("not_found", _("There is no such device. Check your list of devices."), status=404)
    if not may_ask(by, found):
        raise Refused(
            "not_allowed", _("You don't have permission to call this device. Ask an administrator."), status=403
        )
    _check_it_answers(found)
    return found


def _check_it_answers(device: Device) -> None:
    if device.archived_at is not None:
        raise Refused("archived", _("This device is archived. Restore it first."))
    if device.status == DeviceStatus.SCRAPPED:
        raise Refused("scrapped", _("This device has been scrapped and can no longer be called. Choose another one."))


def _check(kind: str, name: str, argument: str, timeout: int) -> None:
    if kind not in CallKind.values:
        raise Refused("bad_call", _("Choose to read a variable or to call a function."), status=422)
    if not NAME.match(name):
        raise Refused(
            "bad_call", _("The name must have 1 to 64 letters, digits or the characters _ . / -."), status=422
        )
    if len(argument.encode(errors="replace")) > MAX_ARGUMENT or "\0" in argument:
        raise Refused("bad_call", _("The argument must be text of at most 1 kB."), status=422)
    if timeout not in TIMEOUTS:
        raise Refused("bad_call", _("The timeout must be 1 to 300 seconds."), status=422)
