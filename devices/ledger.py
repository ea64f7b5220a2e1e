"""The ledger: the only code that writes Ownership, SharedAccess, `Device.customer` and `Device.status`.

Every function works on a set of devices in one transaction, with a fixed number of statements. The UPDATE of the device
rows contains the condition, so the second of two concurrent changes finds nothing to change; the constraints of the
tables are a safety net. `devices.actions` decides who may do what, and what follows. The SQL of spans is in
`devices.spans`, which nothing else imports.

The instant of a change of ownership comes from `begin`, whatever the clocks say: it is later than all that the devices
have published by then, and than all that anybody has read of them. Every function that changes ownership begins the act
that it is given, unless its caller has done so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from console import clock, sql
from console.audit.kinds import Kind
from console.errors import Refused
from console.operations import Outcome, RefusedRow
from console.slots import Slot
from customers.models import Customer, Project
from devices import causes, events, horizon, spans
from devices.acts import Act, BegunAct
from devices.log import record_act
from devices.models import Call, Device, DeviceStatus, EndReason, Message, Ownership, SharedAccess

# A returned device is in quarantine until it has been inspected.
ASSIGNABLE = (DeviceStatus.IN_STOCK,)
TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Change:
    """A change as followers receive it. `kind` is registered, assigned, released; for an undo retracted, reopened."""

    kind: str
    device_ids: list[int]
    act: BegunAct


# Called in the same transaction for every change of ownership and every new device.
followers: Slot[[Change], None] = Slot("devices.ledger.followers")


def begin(device_ids: Iterable[int], act: Act) -> BegunAct:
    """Begin to change the owner of these devices, all of one organization, at the returned act's instant.

    The handover is first announced to all readers. Then the devices are locked until this transaction ends, and only
    then the clock is read. So nobody has read, or can read before the commit, what is published at that instant or
    later. An act that has its instant is returned as it is.
    """
    return act.begun(act.at or _instant(device_ids))


@transaction.atomic
def _instant(device_ids: Iterable[int]) -> datetime:
    ids = sorted(set(device_ids))
    if ids:
        horizon.announce(ids[0])
        lock(ids)
    return clock.now()


@transaction.atomic
def assign(
    device_ids: Iterable[int],
    act: Act,
    *,
    customer: Customer,
    project: Project,
    reason: str,
    frm: Iterable[str] = ASSIGNABLE,
    is_next: bool = False,
) -> Outcome:
    """Open a span of `customer` for each unowned device, at the act's instant or after its last span and message.

    Shares of the devices end, because the new owner has not granted them. A requested wipe stays requested until the
    device has confirmed it, whoever owns it by then. With `is_next`, the span begins where the last one ended, so that
    nothing is published between them. Only devices with one of the statuses `frm` are assigned: owned, reserved,
    quarantined, scrapped and archived devices are refused, each with its reason.
    """
    ids = sorted(set(device_ids))
    act = begin(ids, act)
    outcome = Outcome(act=act.id)
    outcome.done = _guarded_update(
        ids,
        "customer_id = %s, status = %s",
        [customer.pk, DeviceStatus.OWNED.value],
        f"customer_id IS NULL AND archived_at IS NULL AND status IN ({_marks(frm)}) AND organization_id = %s",
        [*map(str, frm), customer.organization_id],
    )
    outcome.refused = _why_not_assignable(set(ids) - set(outcome.done))
    if outcome.done:
        _end_shares(outcome.done, _handover(act), "handover")
        spans.open_each(Ownership, outcome.done, customer, project, act, reason, is_next=is_next)
        notify(Change("assigned", outcome.done, act))
    return outcome


@transaction.atomic
def release(
    device_ids: Iterable[int],
    act: Act,
    *,
    reason: str,
    status: str = DeviceStatus.IN_STOCK,
    expect: Customer | None = None,
) -> Outcome:
    """Close the span of each owned device at the act's instant, or after its last message if later. Requests a wipe.

    The shares of the devices end. If the device has not confirmed an older wipe request, `wipe_since` keeps its date,
    and only a confirmation of the newest request counts. The device keeps its product and gets `status`. With `expect`,
    only devices that this customer owns are released. Devices without an owner are refused.
    """
    ids = sorted(set(device_ids))
    act = begin(ids, act)
    outcome = Outcome(act=act.id)
    condition, parameters = "customer_id IS NOT NULL", []
    if expect is not None:
        condition, parameters = "customer_id = %s", [expect.pk]
    end = spans.end_of_open()
    outcome.done = _guarded_update(
        ids,
        f"customer_id = NULL, status = %s, wipe_asked_at = {end}, wipe_since = COALESCE(wipe_since, {end}), "
        "wipe_confirmed_at = NULL",
        [str(status), spans.time(act.at), spans.time(act.at)],
        condition,
        parameters,
    )
    outcome.refused = _why_not_releasable(set(ids) - set(outcome.done))
    if outcome.done:
        spans.close(Ownership, "device_id", outcome.done, act, reason)
        spans.ask_by_the_end(outcome.done)
        _end_shares(outcome.done, act, reason)
        notify(Change("released", outcome.done, act))
    return outcome


@transaction.atomic
def transfer(device_ids: Iterable[int], act: Act, *, source: Customer, customer: Customer, project: Project) -> Outcome:
    """Release from `source` and assign to `customer` in one step, at one instant for each device."""
    ids = sorted(set(device_ids))
    act = begin(ids, act)
    released = release(ids, act, reason="transfer", expect=source)
    outcome = assign(released.done, act, customer=customer, project=project, reason="transfer", is_next=True)
    outcome.refused = released.refused + outcome.refused
    return outcome


@transaction.atomic
def share(
    device_ids: Iterable[int],
    act: Act,
    *,
    customer: Customer,
    project: Project,
    reason: str,
    only_kept: bool = False,
) -> list[int]:
    """Let a project see the devices from now on. Returns the ids of those that it did not see before.

    With `only_kept`, raises Refused (409) if one of them is owned by anybody but the organization. Waits for devices
    whose owner is just changing.
    """
    ids = sorted(set(device_ids))
    act = begin(ids, act)
    lock(ids)
    if only_kept and sql.having_ids(Device.objects.given_away(), "id", ids).exists():
        raise Refused("not_kept", _("It now has an owner, and only the owner can share it. Ask them."), status=409)
    seen = SharedAccess.objects.filter(device__in=ids, project=project, ended_at=None)
    new = sorted(set(ids) - set(seen.values_list("device_id", flat=True)))
    if new:
        spans.open_each(SharedAccess, new, customer, project, act, reason)
    return new


@transaction.atomic
def end_share(share_ids: Iterable[int], act: Act, *, reason: str) -> int:
    """End single shares, by their own ids. Returns how many were open."""
    rows, ids = SharedAccess.objects.filter(ended_at=None), sorted(set(share_ids))
    act = begin(sql.having_ids(rows, "id", ids).values_list("device_id", flat=True), act)
    return spans.close(SharedAccess, "id", ids, act, reason)


@transaction.atomic
def retract(device_ids: Iterable[int], act: Act, *, began: str) -> Outcome:
    """Close the open spans with the evidence `began`, as a correction. The devices are in stock again, as before.

    The shares that ended with the assignment are opened again now, as new spans, because what the device published
    in between belonged to its owner. Wipes requested for earlier owners stay requested. Returns what was done; callers
    explain why the rest was not.
    """
    ids = sorted(set(device_ids))
    act = begin(ids, act)
    outcome = Outcome(act=act.id)
    lock(ids)
    owned, devices = sql.table(Ownership), sql.table(Device)
    outcome.done = _guarded_update(
        ids,
        "customer_id = NULL, status = %s",
        [DeviceStatus.IN_STOCK.value],
        f"customer_id IS NOT NULL AND EXISTS (SELECT 1 FROM {owned} AS span WHERE span.device_id = {devices}.id "  # noqa: S608
        "AND span.ended_at IS NULL AND span.start_evidence = %s)",
        [began],
    )
    if outcome.done:
        spans.close(Ownership, "device_id", outcome.done, act, "correction")
        _share_again(outcome.done, began, act)
        notify(Change("retracted", outcome.done, act))
    return outcome


@transaction.atomic
def reopen(
    device_ids: Iterable[int],
    act: Act,
    *,
    ended: str,
    customer_ids: Iterable[int],
    frm: Iterable[str] = (DeviceStatus.IN_STOCK,),
) -> Outcome:
    """Reopen the spans that were closed with the evidence `ended`, and the shares that ended with them.

    Shares granted since, while nobody owned the devices, end. Only devices with one of the statuses `frm` that nobody
    has owned since, and whose owner is one of `customer_ids`, are reopened. The span is as if it had never ended: the
    wipe request made by its end is withdrawn, and an older one that the device has not confirmed remains. Returns what
    was done; callers explain why the rest was not.
    """
    ids = sorted(set(device_ids))
    act = begin(ids, act)
    outcome = Outcome(act=act.id)
    lock(ids)
    last = _last_span()
    outcome.done = _guarded_update(
        ids,
        f"customer_id = (SELECT span.customer_id {last}), status = %s, wipe_asked_at = {_older_wipe()}, "
        "wipe_since = CASE WHEN wipe_since < wipe_asked_at THEN wipe_since END, wipe_confirmed_at = NULL",
        [ended, DeviceStatus.OWNED.value],
        f"customer_id IS NULL AND archived_at IS NULL AND status IN ({_marks(frm)}) AND EXISTS (SELECT 1 {last} "
        f"AND span.{sql.in_ids('customer_id')})",
        [*map(str, frm), ended, sql.id_list(customer_ids)],
    )
    if outcome.done:
        _end_shares(outcome.done, _handover(act), "handover")
        spans.open_again(Ownership, outcome.done, ended)
        _record_shares(events.ACCESS_GIVEN, spans.open_again(SharedAccess, outcome.done, ended), act)
        notify(Change("reopened", outcome.done, act))
    return outcome


def lock(ids: list[int]) -> None:
    """Lock the devices until this transaction ends.

    Without the lock, a condition over their spans would be evaluated on outdated ones. On SQLite the transaction holds
    the only lock. Rows are locked in the order of their ids, so that overlapping sets never deadlock.
    """
    if ids and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM (SELECT 1 FROM {sql.table(Device)} WHERE {sql.in_ids('id')} ORDER BY id "  # noqa: S608
                "FOR NO KEY UPDATE) AS locked",
                [sql.id_list(ids)],
            )


def stamp(device_id: int, at: datetime | None = None) -> datetime:
    """Return the time for a message or call of a locked device now: not before its last handover or share change."""
    held = (model.objects.filter(device=device_id) for model in (Ownership, SharedAccess))
    edges = [rows.aggregate(last=Max(Coalesce("ended_at", "started_at")))["last"] for rows in held]
    return max([at or clock.now(), *filter(None, edges)])


def after_last_activity_in(project: Project, at: datetime) -> datetime:
    """Return `at`, or a tick after the last message or call of the project, if that is later.

    A clock may have run ahead, and a person who joins the project now must not read what came before.
    """
    messages = Message.objects.of_project(project).filter(at__gte=at).aggregate(last=Max("at"))
    devices = Ownership.objects.open().filter(project=project).values("device")
    calls = Call.objects.filter(device__in=devices, asked_at__gte=at).aggregate(last=Max("asked_at"))
    later = [latest["last"] + TICK for latest in (messages, calls) if latest["last"]]
    return max([at, *later])


@transaction.atomic
def set_status(device_ids: Iterable[int], *, frm: Iterable[str], to: str) -> list[int]:
    """Move unowned devices from one of the statuses `frm` to `to`. Returns the ids that moved."""
    frm = [str(status) for status in frm]
    return _guarded_update(
        sorted(set(device_ids)), "status = %s", [str(to)], f"customer_id IS NULL AND status IN ({_marks(frm)})", frm
    )


def notify(change: Change) -> None:
    """Notify the followers, within this transaction."""
    followers.call(change)


def _guarded_update(
    ids: list[int], assignments: str, values: list[Any], condition: str, parameters: list[Any]
) -> list[int]:
    """Run UPDATE … WHERE condition RETURNING id. Rows are locked in the order of their ids, to avoid deadlocks."""
    if not ids:
        return []
    if len(ids) > 1:
        lock(ids)
    done = sql.update_returning(
        f"UPDATE {sql.table(Device)} SET {assignments} WHERE {sql.in_ids('id')} AND {condition} RETURNING id",  # noqa: S608
        [*values, sql.id_list(ids), *parameters],
    )
    return sorted(done)


def _last_span() -> str:
    """Return the FROM clause, with the evidence as its parameter, of a device's last span if it ended with that."""
    owned, devices = sql.table(Ownership), sql.table(Device)
    return (
        f"FROM {owned} AS span WHERE span.device_id = {devices}.id AND span.end_evidence = %s AND NOT EXISTS "  # noqa: S608
        f"(SELECT 1 FROM {owned} AS later WHERE later.device_id = {devices}.id AND later.started_at > span.started_at)"
    )


def _older_wipe() -> str:
    """Return the SQL of the newest wipe request before the last one; NULL if the last one is the oldest."""
    owned, devices = sql.table(Ownership), sql.table(Device)
    return (
        f"CASE WHEN wipe_since < wipe_asked_at THEN (SELECT MAX(past.ended_at) FROM {owned} AS past "  # noqa: S608
        f"WHERE past.device_id = {devices}.id AND past.end_reason <> '{EndReason.CORRECTION.value}' "
        "AND past.ended_at < wipe_asked_at) END"
    )


def _handover(act: BegunAct) -> BegunAct:
    """Return the act as shares that end with it keep it: its note is not about them, its evidence finds them again."""
    return replace(act, note="", evidence=act.evidence or f"act:{act.id}")


def _end_shares(ids: list[int], act: BegunAct, reason: str) -> None:
    """End all shares of the devices that change owner."""
    ended = list(sql.having_ids(SharedAccess.objects.open(), "device_id", ids).values_list("pk", flat=True))
    if ended:
        spans.close(SharedAccess, "device_id", ids, act, reason)
        _record_shares(events.ACCESS_ENDED, ended, act)


def _share_again(device_ids: list[int], ended: str, act: BegunAct) -> None:
    """Open the shares again that ended with the assignment on this evidence, as if it had not happened."""
    again = SharedAccess.objects.open().filter(device=OuterRef("device"), project=OuterRef("project"))
    rows = SharedAccess.objects.filter(~Exists(again), end_evidence=ended, end_reason="handover")
    ids = list(sql.having_ids(rows, "device_id", device_ids).values_list("pk", flat=True))
    if not ids:
        return
    spans.share_again(ids, act.at)
    _record_shares(events.ACCESS_GIVEN, ids, act)


def _record_shares(kind: Kind, share_ids: list[int], act: BegunAct) -> None:
    """Record one line for each device and each customer who gains or loses access to it."""
    parties: dict[Customer, list[int]] = {}
    rows = sql.having_ids(SharedAccess.objects.select_related("customer"), "id", share_ids)
    for share in rows.order_by("device_id").only("device_id", "customer__name"):
        parties.setdefault(share.customer, []).append(share.device_id)
    details = {"note": act.note} if act.note else {}
    for customer, ids in parties.items():
        record_act(kind, ids, act, about=customer, **details)


def _why_not_assignable(ids: set[int]) -> list[RefusedRow]:
    unknown = causes.Cause("changed", _("Someone else changed it at the same time. Try again."))
    return [RefusedRow(d.pk, d.serial_number, *(causes.of(d) or unknown)) for d in _rows(ids)]


def _why_not_releasable(ids: set[int]) -> list[RefusedRow]:
    reason = ("not_owned", _("It has no owner, so there is nothing to unclaim."))
    other = ("not_owner", _("It now belongs to someone else."))
    return [
        RefusedRow(d.pk, d.serial_number, *(other if d.customer_id else (d.archived_at and causes.of(d)) or reason))
        for d in _rows(ids)
    ]


def _rows(ids: set[int]) -> Iterable[Device]:
    rows = Device.objects.only("pk", "serial_number", "status", "archived_at", "customer_id").order_by("pk")
    return sql.having_ids(rows, "id", ids) if ids else ()


def _marks(values: Iterable[Any]) -> str:
    return ", ".join("%s" for _value in values)
