"""Returns of devices: requests by their owners, receipt into quarantine, and the queue of new labels."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from claims.models import ClaimCode, Return, ReturnState, Shipment, ShipmentUnit
from claims.profiles.actions import codes as claim_codes
from claims.returns import events, verdicts
from claims.returns.actions import mails
from console import operations, sql
from console.access import Actor, Permission
from console.audit import record
from console.audit.kinds import Kind
from console.errors import Refused
from console.models import Operation
from console.numbers import id_of, next_number
from console.operations import Outcome, RefusedRow, evidence_of
from console.reasons import stated
from console.transactions import retrying
from customers.models import Customer
from devices import causes, ledger
from devices.actions import named
from devices.actions.ownership import check_unclaim_limit, leave_profiles
from devices.acts import Act, BegunAct
from devices.ledger import Change
from devices.log import record_act, record_devices
from devices.models import Device, DeviceStatus, Ownership

UNDO = "claims:return_receive_undo"
BATCH = 500


@retrying
def request(
    device: Device, *, customer: Customer, reason: str, by: Actor, note: str = "", at: datetime | None = None
) -> Return:
    """Record that a customer wants to send back one of their devices.

    The device stays theirs until it is received. Raises Refused (409) if it is no longer the customer's, or is already
    on its way back.
    """
    at = at or timezone.now()
    ledger.lock([device.pk])
    if not Device.objects.filter(pk=device.pk, customer=customer).exists():
        raise Refused("not_owner", _("You no longer own this device."))
    if under_way := Return.objects.under_way().filter(device=device).first():
        raise Refused("under_way", _("It is already being returned as %(code)s.") % {"code": under_way.code})
    span = Ownership.objects.get(device=device, ended_at=None)
    made = Return.objects.create(
        organization_id=device.organization_id,
        number=next_number(Return, device.organization_id),
        device=device,
        customer=customer,
        shipment_id=shipments_of([span]).get(device.pk),
        state=ReturnState.REQUESTED,
        reason=reason[:80],
        customer_note=note[:1000],
        requested_at=at,
        requested_by=by.label[:200],
        created_at=at,
    )
    record(events.RETURN_REQUESTED, device, by=by, about=customer, at=at, note=reason, number=made.code)
    return made


@retrying
def cancel(returned: Return, *, by: Actor, at: datetime | None = None) -> None:
    """Cancel a requested return.

    Raises Refused (409) if it is no longer requested. A customer also cannot cancel the return of a swapped device,
    because that return is the organization's.
    """
    rows = Return.objects.filter(pk=returned.pk, state=ReturnState.REQUESTED)
    at = at or timezone.now()
    if by.kind == "customer":
        # The return of a swapped device belongs to the organization, so the customer can't cancel it.
        rows = rows.exclude(device__status=DeviceStatus.RETURNED)
    if not Return.objects.filter(pk__in=rows.values("pk"), state=ReturnState.REQUESTED).update(
        state=ReturnState.CANCELLED, closed_at=at, closed_by=by.label[:200]
    ):
        raise Refused("not_requested", _("It can no longer be cancelled."))
    record(events.RETURN_CANCELLED, returned.device, by=by, about=returned.customer, at=at, number=returned.code)


def begin_receive(
    device_ids: Iterable[int],
    *,
    reason: str,
    by: Actor,
    note: str = "",
    anyway: Iterable[int] = (),
    leaves_profiles: bool = False,
) -> Operation:
    """Start receiving devices as an operation that can be undone.

    Up to 200 are received at once, more by the worker. `anyway` are the devices to receive even though nobody owns
    them. Raises Refused (403) above 50 owned devices an hour if the actor may not unclaim many, and Refused (422)
    without devices or without a reason where one is needed.
    """
    ids = list(dict.fromkeys(device_ids))
    if not ids:
        raise Refused("nothing_selected", _("There is nothing to receive. Scan a device first."), status=422)
    check_unclaim_limit(_owned_count(ids, by), by=by)
    return operations.begin(
        run_receive,
        ids,
        by=by,
        return_url=reverse("claims:return_workbench"),
        reason=reason,
        note=note,
        anyway=sorted(set(anyway)),
        leaves_profiles=leaves_profiles,
    )


@operations.handler(
    "return.receive",
    title=ngettext_lazy("Receive %(n)d returned device", "Receive %(n)d returned devices", "n"),
    done=ngettext_lazy("%(n)d device received into quarantine.", "%(n)d devices received into quarantine.", "n"),
    permission=Permission.RETURN_RECEIVE,
    undo=UNDO,
)
def run_receive(operation: Operation, by: Actor) -> None:
    """Receive devices: payload {ids, reason, note, anyway, leaves_profiles}.

    A batch has {named_by, names, is_dry, also_unowned} instead of `anyway`, and reports the links that stop working.
    """
    plan = operation.payload
    leaves = plan.get("leaves_profiles", False)
    links = named.links(operation, by) if named.is_batch(operation) and not leaves else ""
    named.in_chunks(
        operation,
        lambda ids: receive(
            ids,
            reason=plan["reason"],
            note=plan["note"],
            by=by,
            anyway=ids if plan.get("also_unowned") else plan.get("anyway", ()),
            operation=operation,
            leaves_profiles=leaves,
        ),
    )
    operation.sentence = f"{operations.sentence_of(operation)} {links}".strip()


@retrying
def receive(
    device_ids: Iterable[int],
    *,
    by: Actor,
    reason: str = "",
    note: str = "",
    anyway: Iterable[int] = (),
    at: datetime | None = None,
    operation: Operation | None = None,
    tells_owner: bool = True,
    leaves_profiles: bool = False,
) -> Outcome:
    """Take devices from their owners into quarantine, invalidate their labels, and notify the owners.

    The links of claim profiles that list one of the devices stop working too, unless it `leaves_profiles`.

    A device that its owner asked to send back keeps that return and, without a `reason`, the reason given there. Each
    device is refused individually, but all of them if a reason is missing.
    """
    ids = sorted(set(device_ids))
    check_unclaim_limit(_owned_count(ids, by), by=by, at=at)
    act = ledger.begin(ids, Act(by, at=at, note=note.strip()))
    act = replace(act, evidence=evidence_of(operation) if operation else f"return:{act.id.hex[:16]}")
    devices, under_way = _lock(ids, by)
    outcome = Outcome(act=act.id)
    fit = _sort(outcome, ids, devices, under_way, frozenset(anyway))
    if not fit:
        return outcome
    if any(not under_way[d.pk].reason if d.pk in under_way else True for d in fit):
        stated(reason, sentence=_("Choose a reason."))
    arrival = _Arrival(fit, under_way, reason.strip()[:80], act, operation)
    arrival.write_returns()
    if leaves_profiles:
        leave_profiles([device.pk for device in fit], by=by, at=act.at)
    arrival.take()
    arrival.mark_labels()
    arrival.notify(tells_owner)
    outcome.done = sorted(device.pk for device in fit)
    return outcome


class _Arrival:
    """Devices that are received in this transaction, after all of them were found fit for it."""

    def __init__(
        self,
        devices: list[Device],
        under_way: dict[int, Return],
        reason: str,
        act: BegunAct,
        operation: Operation | None,
    ) -> None:
        self.devices, self.under_way, self.reason = devices, under_way, reason
        self.act, self.operation = act, operation
        self.ids = [device.pk for device in devices]
        self.owned = [device for device in devices if device.status == DeviceStatus.OWNED]

    def reason_of(self, device: Device) -> str:
        """Return the reason given now, otherwise the one that the customer gave."""
        known = self.under_way.get(device.pk)
        return self.reason or (known.reason if known else "")

    def note_with(self, reason: str) -> str:
        """Return the note, behind the reason if there is one."""
        return ": ".join(filter(None, [reason, self.act.note]))

    def write_returns(self) -> None:
        """Mark the requested returns as received, and create a return for every other device."""
        received = {
            "state": ReturnState.RECEIVED,
            "received_at": self.act.at,
            "received_by": self.act.by.label[:200],
            "operation": self.operation,
            "note": self.act.note,
        }
        for status in {device.status for device in self.devices}:
            asked = [d.pk for d in self.devices if d.pk in self.under_way and d.status == status]
            more = {"reason": self.reason} if self.reason else {}
            rows = Return.objects.filter(device__in=asked, state=ReturnState.REQUESTED)
            rows.update(**received, **more, status_before=status)
        new = [device for device in self.devices if device.pk not in self.under_way]
        if not new:
            return
        spans = Ownership.objects.filter(ended_at=None)
        shipments = shipments_of(sql.having_ids(spans, "device_id", [d.pk for d in new]))
        first = next_number(Return, new[0].organization_id)
        Return.objects.bulk_create(
            [
                Return(
                    organization_id=d.organization_id,
                    number=number,
                    device=d,
                    customer_id=d.customer_id,
                    shipment_id=shipments.get(d.pk),
                    reason=self.reason,
                    status_before=d.status,
                    created_at=self.act.at,
                    **received,
                )
                for number, d in enumerate(new, first)
            ],
            batch_size=BATCH,
        )

    def take(self) -> None:
        """End the spans of owned devices, and put the others into quarantine.

        The labels of both stop working.
        """
        for reason in sorted({self.reason_of(device) for device in self.owned}):
            ids = [device.pk for device in self.owned if self.reason_of(device) == reason]
            act = replace(self.act, note=self.note_with(reason))
            taken = ledger.release(ids, act, reason="return", status=DeviceStatus.RETURNED)
            _expect(len(taken.done), len(ids))
        loose = [device.pk for device in self.devices if device.status == DeviceStatus.IN_STOCK]
        if loose:
            moved = ledger.set_status(loose, frm=[DeviceStatus.IN_STOCK], to=DeviceStatus.RETURNED)
            _expect(len(moved), len(loose))
            claim_codes.replace_for_devices(loose, reason=self.reason, by=self.act.by)

    def mark_labels(self) -> None:
        """Queue the devices that have a code for a new label, because their old one no longer works.

        Older returns of the same devices leave the queue.
        """
        Return.objects.filter(pk__in=_needing(self.ids)).update(needs_label=False)
        coded = set(sql.having_ids(ClaimCode.objects.all(), "device_id", self.ids).values_list("device_id", flat=True))
        rows = Return.objects.filter(state=ReturnState.RECEIVED)
        rows = sql.having_ids(rows, "device_id", coded)
        Return.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(needs_label=True)

    def notify(self, tells_owner: bool) -> None:
        """Record the receipt in the log and, with `tells_owner`, notify the owners by email."""
        for customer, reason, devices in self._parties():
            kind = events.RETURNED if customer else events.QUARANTINED
            record_act(kind, [d.pk for d in devices], self.act, about=customer, note=self.note_with(reason))
            if customer is not None and tells_owner:
                mails.notify("customer_return_received", customer, devices, reason=reason)

    def _parties(self) -> list[tuple[Customer | None, str, list[Device]]]:
        found: dict[tuple[int | None, str], list[Device]] = {}
        for device in self.devices:
            found.setdefault((device.customer_id, self.reason_of(device)), []).append(device)
        return [(rows[0].customer, key[1], rows) for key, rows in found.items()]


@retrying
def labels_printed(
    device_ids: Iterable[int], *, by: Actor, kind: Kind = events.LABEL_PRINTED, at: datetime | None = None
) -> int:
    """Take devices out of the queue for new labels, and return how many were in it."""
    rows = Return.objects.select_for_update(of=("self",)).filter(needs_label=True).order_by("pk")
    rows = rows.filter(organization=by.organization)
    found = list(sql.having_ids(rows, "device_id", set(device_ids)).values_list("pk", "device_id"))
    Return.objects.filter(pk__in=[pk for pk, _device in found]).update(needs_label=False)
    touched = sorted({device for _pk, device in found})
    record_devices(kind, touched, by=by, at=at)
    return len(touched)


def why_no_label(device_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return why devices cannot leave the queue for new labels: code and sentence by device id."""
    ids = sorted(set(device_ids))
    queued = set(
        sql.having_ids(Return.objects.filter(needs_label=True), "device_id", ids).values_list("device_id", flat=True)
    )
    refused: dict[int, tuple[str, str]] = {}
    for device in sql.having_ids(Device.objects.all(), "id", ids):
        if (cause := causes.of(device)) and cause.code in {"archived", "scrapped"}:
            refused[device.pk] = cause
        elif device.pk not in queued:
            refused[device.pk] = "not_in_queue", _("It doesn't need a new label.")
    return refused


def labels_replaced(device_ids: Iterable[int], *, by: Actor, at: datetime | None = None) -> int:
    """Record that devices carry a new label, wherever it was printed, and return how many were in the queue."""
    return labels_printed(device_ids, by=by, kind=events.LABEL_REPLACED, at=at)


def of_shipment(shipment: Shipment) -> QuerySet[Return]:
    """Return the returns of a shipment's devices, without the cancelled ones."""
    return Return.objects.filter(shipment=shipment).exclude(state=ReturnState.CANCELLED)


def follow_ledger(change: Change) -> None:
    """Cancel the requested returns of devices whose owner has just lost them."""
    if change.kind not in {"released", "retracted"}:
        return
    rows = Return.objects.filter(state=ReturnState.REQUESTED)
    ids = list(sql.having_ids(rows, "device_id", change.device_ids).values_list("pk", flat=True))
    if ids:
        Return.objects.filter(pk__in=ids, state=ReturnState.REQUESTED).update(
            state=ReturnState.CANCELLED, closed_at=change.act.at, closed_by=change.act.by.label[:200]
        )
        devices = sorted(Return.objects.filter(pk__in=ids).values_list("device_id", flat=True))
        record_act(events.RETURN_CANCELLED, devices, change.act)


def shipments_of(spans: Iterable[Ownership]) -> dict[int, int]:
    """Return, by device id, the shipment with which the owner of a span got the device.

    It was shipped to them, or they claimed it with its own code or the code of the box.
    """
    evidence = {span.device_id: span.start_evidence.partition(":") for span in spans}
    shipped = _ids(evidence, "shipment")
    claimed = _ids(evidence, "claim")
    known = set(Shipment.objects.filter(pk__in=set(shipped.values())).values_list("pk", flat=True))
    boxes = Shipment.objects.filter(profile__claims__in=set(claimed.values())).values_list("profile__claims", "pk")
    by_claim = dict(boxes) if claimed else {}
    units = sql.having_ids(ShipmentUnit.objects.all(), "claim_id", set(claimed.values())) if claimed else ()
    by_unit = {(unit.claim_id, unit.device_id): unit.shipment_id for unit in units}
    return {device: pk for device, pk in shipped.items() if pk in known} | {
        device: by_unit.get((claim, device), by_claim.get(claim, 0))
        for device, claim in claimed.items()
        if (claim, device) in by_unit or claim in by_claim
    }


def _ids(evidence: dict[int, tuple[str, str, str]], kind: str) -> dict[int, int]:
    found = {d: id_of(number) for d, (word, _colon, number) in evidence.items() if word == kind}
    return {d: pk for d, pk in found.items() if pk is not None}


def _lock(ids: list[int], by: Actor) -> tuple[dict[int, Device], dict[int, Return]]:
    """Lock the devices and their returns until this transaction ends. Returns both by device id."""
    ledger.lock(ids)
    rows = Device.objects.visible_to(by).select_related("customer__organization")
    devices = {device.pk: device for device in sql.having_ids(rows, "id", ids)}
    open_rows = Return.objects.select_for_update(of=("self",)).under_way().order_by("pk")
    return devices, {row.device_id: row for row in sql.having_ids(open_rows, "device_id", ids)}


def _sort(
    outcome: Outcome, ids: list[int], devices: dict[int, Device], under_way: dict[int, Return], anyway: frozenset[int]
) -> list[Device]:
    """Return the devices that can be received; the others are refused in the outcome."""
    fit = []
    for pk in ids:
        device = devices.get(pk)
        verdict = verdicts.of(device, under_way.get(pk)) if device else verdicts.unknown()
        if device is not None and (verdict.is_fit or (verdict.can_anyway and pk in anyway)):
            fit.append(device)
        else:
            outcome.refused.append(RefusedRow(pk, verdicts.label(device), verdict.code, verdict.sentence))
    return fit


def _owned_count(ids: list[int], by: Actor) -> int:
    owned = Device.objects.visible_to(by).filter(customer__isnull=False)
    return sql.having_ids(owned, "id", ids).count()


def _needing(device_ids: list[int]) -> list[int]:
    rows = Return.objects.filter(needs_label=True)
    return list(sql.having_ids(rows, "device_id", device_ids).values_list("pk", flat=True))


def _expect(found: int, wanted: int) -> None:
    """Raise Refused (409) if the numbers differ.

    The devices are locked, so none can be missing; if one is, nothing is changed.
    """
    if found != wanted:
        raise Refused("busy", _("Someone else changed this at the same time. Check it again and retry."))
