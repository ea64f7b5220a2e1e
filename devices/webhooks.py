"""Webhook events about devices: one function for each meaning that a line of the audit log can have.

Events without a more specific function use `happened`. Only lines that begin or end an ownership may carry one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from console import sql
from console.audit.public import STAFF, Logged, Occurrence, PublicEvent
from customers.models import Customer
from devices.models import Device, Ownership, StartReason

# An owner as payloads name it.
Named = dict[str, Any]
# It names both customers, so neither receives it: one receives an unclaim, the other an assignment.
TRANSFERRED = PublicEvent("device.transferred", _("Device transferred"), STAFF, place=50)


@dataclass(frozen=True)
class OwnershipSide:
    """One side of an ownership: its start if it is open, else its end. `reason` is the one that the ledger stored."""

    pk: int
    customer: dict[str, Any]
    is_open: bool
    at: datetime
    reason: str


@dataclass(frozen=True)
class Described:
    """A device as webhooks describe it. Ownerships, the oldest first, are present only if they were requested."""

    pk: int
    product_id: int
    label: str
    created_at: datetime
    data: dict[str, Any]
    spans: tuple[OwnershipSide, ...] = ()

    def begun(self, customer_id: int | None) -> OwnershipSide | None:
        """Return the open ownership if it is this customer's. None as `customer_id` means any customer."""
        return self._newest(True, customer_id)

    def ended(self, customer_id: int | None) -> OwnershipSide | None:
        """Return the last ended ownership of this customer. None as `customer_id` means any customer."""
        return self._newest(False, customer_id)

    def _newest(self, is_open: bool, customer_id: int | None) -> OwnershipSide | None:
        fitting = (span for span in reversed(self.spans) if span.is_open is is_open)
        return next((span for span in fitting if customer_id in (None, span.customer["id"])), None)


def describe(organization_id: int, ids: list[int], *, with_spans: bool) -> list[Described]:
    """Return the devices of this organization among `ids`, in order: one statement, or two with their ownerships."""
    # unscoped: the organization of the webhooks
    rows = Device.objects.filter(organization_id=organization_id).order_by("pk")
    fields = ("pk", "serial_number", "device_name", "created_at", "product_id", "product__slug", "product__name")
    spans = _spans(ids) if with_spans else {}
    found = []
    for pk, serial, name, created_at, product_id, slug, product in sql.having_ids(rows, "id", ids).values_list(*fields):
        data = {
            "id": pk,
            "serial_number": serial,
            "device_name": name,
            "product": {"id": product_id, "slug": slug, "name": product},
        }
        found.append(Described(pk, product_id, serial, created_at, data, tuple(spans.get(pk, ()))))
    return found


def happened(line: Logged) -> Iterator[Occurrence]:
    """Yield events about devices at the moment of the line. They carry no ownership."""
    customer = customer_of(line)
    for device in describe(line.organization_id, line.ids, with_spans=False):
        yield _occurrence(device, {"customer": customer}, line.at, customer)


def registered(line: Logged) -> Iterator[Occurrence]:
    """Yield registrations of devices, each at its own moment."""
    for device in describe(line.organization_id, line.ids, with_spans=False):
        yield _occurrence(device, {"customer": None}, device.created_at, None)


def began(line: Logged) -> Iterator[Occurrence]:
    """Yield ownerships that began, at the instant that the ledger stored. The line names the new owner."""
    customer = customer_of(line)
    for device in _with_spans(line):
        yield _of_hands(device, device.begun(_id(customer)), line.at, customer)


def ended(line: Logged) -> Iterator[Occurrence]:
    """Yield ownerships that ended, at the instant that the ledger stored. The line names the former owner."""
    customer = customer_of(line)
    for device in _with_spans(line):
        yield _of_hands(device, device.ended(_id(customer)), line.at, customer)


def assigned(line: Logged) -> Iterator[Occurrence]:
    """Yield ownerships that began, and for transfers also a transfer: it names both owners, for staff only."""
    customer, devices = customer_of(line), _with_spans(line)
    for device in devices:
        yield _of_hands(device, device.begun(_id(customer)), line.at, customer)
    for device in devices:
        if (new := device.begun(None)) is not None and new.reason == StartReason.TRANSFER:
            yield _of_transfer(device, new, device.ended(None))


def reopened(line: Logged) -> Iterator[Occurrence]:
    """Yield ownerships that continue as if they had never ended, at the moment of the line, not when they began."""
    customer = customer_of(line)
    for device in _with_spans(line):
        span = device.begun(_id(customer))
        yield replace(_of_hands(device, span, line.at, customer), at=line.at)


def swapped_in(line: Logged) -> Iterator[Occurrence]:
    """Yield ownerships that began by a swap. The line names the other device, so the owner is read from the ledger."""
    for device in _with_spans(line):
        span = device.begun(None)
        yield _of_hands(device, span, line.at, span.customer if span else None)


def swapped_out(line: Logged) -> Iterator[Occurrence]:
    """Yield ownerships that ended by a swap."""
    for device in _with_spans(line):
        span = device.ended(None)
        yield _of_hands(device, span, line.at, span.customer if span else None)


def _with_spans(line: Logged) -> list[Described]:
    return describe(line.organization_id, line.ids, with_spans=True)


def customer_of(line: Logged) -> Named | None:
    """Return the customer that is the other party of a line, as payloads name it."""
    return {"id": line.about.pk, "name": str(line.about)} if isinstance(line.about, Customer) else None


def _of_hands(device: Described, span: OwnershipSide | None, at: datetime, owner: Named | None) -> Occurrence:
    """Return one side of an ownership. If the ledger has none of this customer, uses the line's moment and no id."""
    data = {"customer": owner, "ownership": span and span.pk, "reason": span and span.reason}
    return _occurrence(device, data, span.at if span else at, owner)


def _of_transfer(device: Described, new: OwnershipSide, old: OwnershipSide | None) -> Occurrence:
    data = {
        "customer": new.customer,
        "previous_customer": old and old.customer,
        "ownership": new.pk,
        "previous_ownership": old and old.pk,
        "reason": new.reason,
    }
    return replace(_occurrence(device, data, new.at, None), event=TRANSFERRED)


def _occurrence(device: Described, data: dict[str, Any], at: datetime, owner: Named | None) -> Occurrence:
    return Occurrence({"device": device.data, **data}, at, device.product_id, _id(owner), device.pk, device.label)


def _id(customer: Named | None) -> int | None:
    return customer["id"] if customer else None


def _spans(ids: list[int]) -> dict[int, list[OwnershipSide]]:
    """Return the ownerships of each device, the oldest first."""
    rows: QuerySet[Any] = Ownership.objects.order_by("started_at")  # unscoped: of devices of the webhooks' organization
    found: dict[int, list[OwnershipSide]] = {}
    fields = (
        "pk",
        "device_id",
        "customer_id",
        "customer__name",
        "started_at",
        "ended_at",
        "start_reason",
        "end_reason",
    )
    for pk, device, customer, name, begun, ended, why, why_over in sql.having_ids(rows, "device_id", ids).values_list(
        *fields
    ):
        side = (True, begun, why) if ended is None else (False, ended, why_over)
        found.setdefault(device, []).append(OwnershipSide(pk, {"id": customer, "name": name}, *side))
    return found
