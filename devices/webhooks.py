"""What webhooks tell of devices, and whether they may still tell it. Named in the settings."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from console import sql
from console.webhooks import fanout, kinds
from devices.messages import Draft
from devices.models import Device, Ownership, StartReason


@dataclass(frozen=True)
class Described:
    """A device as webhooks name it. The owners are known where they were asked for."""

    pk: int
    product_id: int
    label: str
    data: dict[str, Any]
    owner: dict[str, Any] | None = None
    last_owner: dict[str, Any] | None = None
    is_by_transfer: bool = False


def describe(organization_id: int, ids: list[int], *, with_owners: bool) -> list[Described]:
    """The devices of this organization among `ids`, in their order, in one statement or, with their owners, two."""
    rows = Device.objects.filter(organization_id=organization_id).order_by("pk")
    fields = ("pk", "serial_number", "device_name", "product_id", "product__slug", "product__name")
    now, before = _owners(ids) if with_owners else ({}, {})
    found = []
    for pk, serial, name, product_id, slug, product in sql.having_ids(rows, "id", ids).values_list(*fields):
        data = {"id": pk, "serial_number": serial, "device_name": name,
                "product": {"id": product_id, "slug": slug, "name": product}}  # fmt: skip
        owner, reason = now.get(pk, (None, ""))
        found.append(
            Described(pk, product_id, serial, data, owner, before.get(pk), reason == StartReason.TRANSFER)
        )
    return found


def still_theirs(deliveries: QuerySet) -> QuerySet:
    """Of these deliveries those whose moment lies within an ownership of the webhook's customer."""
    spans = Ownership.objects.covering(OuterRef("at"))
    return deliveries.filter(
        Exists(spans.filter(device=OuterRef("device_id"), customer=OuterRef("webhook__customer_id")))
    )


def follow_messages(by: Any, drafts: list[Draft], at: datetime) -> None:
    """Tell webhooks what a device published at the moment `at`; a customer's only what it published as its own."""
    fanout.emit_all(by.organization_id, kinds.MESSAGE, _happenings(by, drafts, at))


def _happenings(by: Any, drafts: list[Draft], at: datetime) -> Iterable[fanout.Happening]:
    """Read only where a webhook listens."""
    (device,) = describe(by.organization_id, [by.device_id], with_owners=False)
    spans = Ownership.objects.covering(at).filter(device=by.device_id)
    owner = spans.values("customer_id", "customer__name").first()
    customer = {"id": owner["customer_id"], "name": owner["customer__name"]} if owner else None
    for draft in drafts:
        message = {"name": draft.name, "data": json.loads(str(draft.data)), "at": fanout.stamp(at),
                   "device_at": fanout.stamp(draft.device_at) if draft.device_at else None}  # fmt: skip
        data = {"device": device.data, "customer": customer, "message": message}
        yield fanout.Happening(data, at, device.product_id, customer["id"] if customer else None, device.pk,
                               f"{device.label} · {draft.name}", draft.name)  # fmt: skip


def _owners(ids: list[int]) -> tuple[dict[int, tuple[dict, str]], dict[int, dict]]:
    """Who owns each device now and why, and who owned it last before that."""
    rows: QuerySet = Ownership.objects.order_by("started_at")
    now: dict[int, tuple[dict, str]] = {}
    before: dict[int, dict] = {}
    fields = ("device_id", "customer_id", "customer__name", "ended_at", "start_reason")
    for device, customer, name, ended_at, reason in sql.having_ids(rows, "device_id", ids).values_list(
        *fields
    ):
        owner = {"id": customer, "name": name}
        if ended_at is None:
            now[device] = (owner, reason)
        else:
            before[device] = owner
    return now, before
