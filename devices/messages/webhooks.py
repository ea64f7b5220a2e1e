"""What webhooks receive of messages: what a device published, and what the ledger assigned to a customer afterwards."""

import json
from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat

from console import sql
from console.audit.public import Occurrence
from console.models import WebhookDelivery
from console.webhooks import fanout
from devices.messages.events import PUBLISHED
from devices.messages.window import Draft
from devices.models import Message, Ownership, SharedAccess
from devices.webhooks import Described, describe

# How a delivery names its message.
NAMED = '"message":{"id":'
# Number of messages described together.
AT_ONCE = 1_000


def on_messages(by: Any, drafts: list[Draft], at: datetime) -> None:
    """Send webhooks what a device published at the moment `at`; those of customers only what they may read."""
    fanout.emit_all(by.organization_id, PUBLISHED, _occurrences(by, drafts, at))


def on_moved(ids: list[int]) -> None:
    """Send customers' webhooks the messages that the ledger assigned to them after they were published."""
    # Two messages can have the same instant. Only if a delivery names no message, the instant alone decides.
    this = Concat(Value(NAMED), OuterRef("pk"), Value(","), output_field=TextField())
    sent = WebhookDelivery.objects.filter(  # unscoped: only checks what was already sent
        Q(payload__contains=this) | Q(payload__contains=f"{NAMED}null,") | ~Q(payload__contains=NAMED),
        kind=PUBLISHED.name,
        webhook__customer_id=OuterRef("project__customer_id"),
        device_id=OuterRef("device_id"),
        at=OuterRef("at"),
    )
    # unscoped: each message goes to the customer of its own project
    theirs = Message.objects.filter(~Exists(sent), project__isnull=False)
    moved = sql.having_ids(theirs, "id", ids).order_by("pk")
    for organization in set(moved.values_list("organization_id", flat=True)) if ids else ():
        fanout.emit_all(organization, PUBLISHED, _moved(moved.filter(organization=organization)))


def _occurrences(by: Any, drafts: list[Draft], at: datetime) -> Iterable[Occurrence]:
    """Describe the drafts, only if a webhook listens. Customers who only share the device don't learn who owns it."""
    (device,) = describe(by.organization_id, [by.device_id], with_spans=False)
    # unscoped: decides who may read the message
    owned, shared = (spans.objects.covering(at).filter(device=by.device_id) for spans in (Ownership, SharedAccess))
    owner = owned.values("customer_id", "customer__name").first()
    customer = {"id": owner["customer_id"], "name": owner["customer__name"]} if owner else None
    sharers = set(shared.values_list("customer_id", flat=True)) - {customer and customer["id"]}
    for draft, stored in zip(drafts, _newest(by.device_id, at, len(drafts)), strict=True):
        sent = json.loads(str(draft.data))
        pk = stored[0] if stored[1:] == (draft.name, sent, draft.device_at) else None
        yield _published(device, customer, pk, draft.name, sent, at, draft.device_at)
        if sharers:
            yield _published(device, None, pk, draft.name, sent, at, draft.device_at, readers=frozenset(sharers))


def _newest(device_id: int, at: datetime, number: int) -> list[tuple[Any, ...]]:
    """Return what was just stored, in order, in one statement: id, name, data, and the device's own time.

    A device can publish twice at the same instant, so the caller compares. Missing rows consist of None.
    """
    rows = Message.objects.filter(device=device_id, at=at).order_by("-pk")  # unscoped: what the device just published
    found = list(rows.values_list("pk", "name", "data", "device_at")[:number])
    return [*[(None, None, None, None)] * (number - len(found)), *reversed(found)]


def _moved(messages: QuerySet[Any]) -> Iterable[Occurrence]:
    source = messages.select_related("project__customer").iterator(chunk_size=AT_ONCE)
    while rows := list(islice(source, AT_ONCE)):
        ids = sorted({message.device_id for message in rows})
        devices = {device.pk: device for device in describe(rows[0].organization_id, ids, with_spans=False)}
        for message in rows:
            yield _given(message, devices[message.device_id])


def _given(message: Message, device: Described) -> Occurrence:
    owner = message.project.customer  # type: ignore[union-attr]  # all of these are in a project
    return _published(
        device,
        {"id": owner.pk, "name": owner.name},
        message.pk,
        message.name,
        message.data,
        message.at,
        message.device_at,
        readers=frozenset({owner.pk}),
    )


def _published(
    device: Described,
    customer: dict[str, Any] | None,
    pk: int | None,
    name: str,
    sent: Any,
    at: datetime,
    device_at: datetime | None,
    readers: frozenset[int] = frozenset(),
) -> Occurrence:
    message = {
        "id": pk,
        "name": name,
        "data": sent,
        "at": fanout.stamp(at),
        "device_at": fanout.stamp(device_at) if device_at else None,
    }
    data = {"device": device.data, "customer": customer, "message": message}
    return Occurrence(
        data,
        at,
        device.product_id,
        customer["id"] if customer else None,
        device.pk,
        f"{device.label} · {name}",
        name,
        readers,
    )
