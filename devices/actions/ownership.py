"""Changes of ownership that people ask for: assign, unclaim, and end shared access."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from console import clock, operations, sql, throttle
from console.access import Actor, Permission
from console.audit.kinds import names_of
from console.errors import Refused
from console.models import Event, Operation
from console.operations import Outcome
from console.reasons import stated
from console.transactions import retrying
from customers.directory import actions as customers
from customers.models import Customer
from customers.projects.actions import projects
from devices import events, ledger, link_slots
from devices.actions import named
from devices.acts import Act
from devices.log import record_act, record_devices
from devices.models import Device, SharedAccess

UNCLAIMS_AN_HOUR = 50
# The customer stands in the call.
BATCH_DONE = ngettext_lazy("%(n)d device assigned.", "%(n)d devices assigned.", "n")
ASSIGN_UNDO, UNCLAIM_UNDO = "devices:device_assign_undo", "devices:device_unclaim_undo"


@retrying
def assign(
    device_ids: Iterable[int],
    *,
    customer: Customer,
    by: Actor,
    project: Any = None,
    at: datetime | None = None,
    note: str = "",
    reason: str = "assignment",
    evidence: str = "",
    frm: Iterable[str] = ledger.ASSIGNABLE,
) -> Outcome:
    """Assign unowned devices to a customer, who does not have to do anything.

    Raises Refused for an archived customer. Devices that can't be assigned are refused one by one: only those with a
    status in `frm` can be.
    """
    customers.lock(customer)
    ids = sorted(set(device_ids))
    act = ledger.begin(ids, Act(by, at=at, note=note, evidence=evidence))
    project = project or projects.default_of(customer)
    outcome = ledger.assign(ids, act, customer=customer, project=project, reason=reason, frm=frm)
    kind = events.CLAIMED if reason == "claim" else events.ASSIGNED
    record_act(kind, outcome.done, act, about=customer, note=note)
    return outcome


@retrying
def unclaim(
    device_ids: Iterable[int],
    *,
    reason: str,
    by: Actor,
    at: datetime | None = None,
    evidence: str = "",
    leaves_profiles: bool = False,
) -> Outcome:
    """Take owned devices back while they are offline: they stay in their product, and their printed codes stop working.

    Links of claim profiles that list one of them stop working too, unless `leaves_profiles` is true: then the devices
    are removed from the profiles, and the links keep working for the rest. Raises Refused without a reason, and above
    50 devices an hour if the actor may not unclaim many.
    """
    reason, ids = stated(reason), sorted(set(device_ids))
    check_unclaim_limit(len(ids), by=by, at=at)
    act = ledger.begin(ids, Act(by, at=at, note=reason, evidence=evidence))
    owners = _owners(ids)
    if leaves_profiles:
        leave_profiles(ids, by=by, at=act.at)
    outcome = ledger.release(ids, act, reason="unclaim")
    done = set(outcome.done)
    for customer, owned in owners.items():
        record_act(events.UNCLAIMED, [i for i in owned if i in done], act, about=customer, note=reason)
    return outcome


@retrying
def end_shares(share_ids: Iterable[int], *, reason: str, by: Actor) -> int:
    """End shared accesses, one span at a time. Returns how many ended."""
    shares = list(SharedAccess.objects.filter(pk__in=list(share_ids), ended_at=None).select_related("customer"))
    count = ledger.end_share([share.pk for share in shares], Act(by, note=reason), reason="ended")
    for share in shares:
        record_devices(events.ACCESS_ENDED, [share.device_id], by=by, about=share.customer, note=reason)
    return count


@transaction.atomic
def leave_profiles(device_ids: Iterable[int], *, by: Actor, at: datetime) -> None:
    """Remove owned devices from the offers whose links would stop working when the devices lose their owner."""
    ids = sorted(set(device_ids))
    ledger.lock(ids)
    owned = sql.having_ids(Device.objects.filter(customer__isnull=False), "id", ids)
    link_slots.leave(list(owned.values_list("pk", flat=True)), by=by, at=at)


def end_share(share: SharedAccess, *, by: Actor, reason: str = "") -> None:
    """End one shared access. Raises Refused if it has already ended."""
    if not end_shares([share.pk], reason=reason, by=by):
        raise Refused("not_shared", _("This access has already ended. Reload the page to see the current list."))


@operations.handler(
    "device.assign",
    title=ngettext_lazy("Assign %(n)d device to %(customer)s", "Assign %(n)d devices to %(customer)s", "n"),
    done=ngettext_lazy("%(n)d device assigned to %(customer)s.", "%(n)d devices assigned to %(customer)s.", "n"),
    permission=Permission.DEVICE_ASSIGN,
    undo=ASSIGN_UNDO,
)
def run_assign(operation: Operation, by: Actor) -> None:
    """Assign in bulk: payload {ids, customer, note}, and for a batch {named_by, names, is_dry}."""
    customer = Customer.objects.visible_to(by).get(pk=operation.payload["customer"])
    note, evidence = operation.payload.get("note", ""), operations.evidence_of(operation)
    is_batch = named.is_batch(operation)
    reason = "api" if is_batch else "assignment"
    named.in_chunks(
        operation, lambda ids: assign(ids, customer=customer, by=by, note=note, evidence=evidence, reason=reason)
    )
    operation.sentence = operations.sentence_of(operation, done=BATCH_DONE if is_batch else None, customer=customer)


@operations.handler(
    "device.unclaim",
    title=ngettext_lazy("Unclaim %(n)d device", "Unclaim %(n)d devices", "n"),
    done=ngettext_lazy("%(n)d device unclaimed.", "%(n)d devices unclaimed.", "n"),
    permission=Permission.DEVICE_UNCLAIM,
    undo=UNCLAIM_UNDO,
)
def run_unclaim(operation: Operation, by: Actor) -> None:
    """Unclaim in bulk: payload {ids, reason, leaves_profiles}, and for a batch {named_by, names, is_dry}.

    A batch reports the links that stop working; a page showed them before. They can't be determined afterwards.
    """
    reason, evidence = operation.payload["reason"], operations.evidence_of(operation)
    leaves = operation.payload.get("leaves_profiles", False)
    links = named.links(operation, by) if named.is_batch(operation) and not leaves else ""
    named.in_chunks(
        operation, lambda ids: unclaim(ids, reason=reason, by=by, evidence=evidence, leaves_profiles=leaves)
    )
    operation.sentence = f"{operations.sentence_of(operation)} {links}".strip()


@transaction.atomic
def check_unclaim_limit(count: int, *, by: Actor, at: datetime | None = None) -> None:
    """Raise Refused if unclaiming this many devices would exceed the actor's hourly limit."""
    if by.may(Permission.DEVICE_UNCLAIM_MANY):
        return
    # Locking the row serializes the unclaims of one person, so that the count below can't be bypassed.
    throttle.take_turn("unclaim", str(by.user_id))
    if sentence := over_unclaim_limit(count, by=by, at=at):
        raise Refused("unclaim_limit", sentence, status=403)


def over_unclaim_limit(count: int, *, by: Actor, at: datetime | None = None) -> str:
    """Return why the actor can't unclaim this many devices now, or an empty string.

    Locks nothing, so it can only warn early; `check_unclaim_limit` enforces the limit.
    """
    if by.may(Permission.DEVICE_UNCLAIM_MANY):
        return ""
    at = at or clock.now()
    past = Event.objects.filter(
        organization=by.organization,
        kind__in=names_of(events.TAKING),
        actor_id=by.user_id,
        at__gt=at - timedelta(hours=1),
    ).count()
    left = max(0, UNCLAIMS_AN_HOUR - past)
    if count <= left:
        return ""
    words = {"limit": UNCLAIMS_AN_HOUR, "left": left, "count": number_format(count, force_grouping=True)}
    if not left:
        sentence = _(
            "You have reached your limit of %(limit)d unclaimed devices an hour. Try again later, or ask an "
            "administrator."
        )
    else:
        sentence = ngettext(
            "You can unclaim %(left)d more device this hour; %(count)s are selected. Select fewer, or ask an "
            "administrator.",
            "You can unclaim %(left)d more devices this hour; %(count)s are selected. Select fewer, or ask an "
            "administrator.",
            left,
        )
    return sentence % words


def _owners(ids: list[int]) -> dict[Customer, list[int]]:
    found: dict[int, list[int]] = {}

    for device_id, customer_id in sql.having_ids(Device.objects.filter(customer__isnull=False), "id", ids).values_list(
        "id", "customer_id"
    ):
        found.setdefault(customer_id, []).append(device_id)
    return {customer: found[customer.pk] for customer in Customer.objects.filter(pk__in=found)}
