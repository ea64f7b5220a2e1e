"""What webhooks tell of devices, and whether they may still tell it. Named in the settings."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from console import sql
from console.access import Actor
from console.models import WebhookDelivery
from console.webhooks import fanout, kinds
from customers.models import Customer
from devices.messages import Draft
from devices.models import Device, Message, Ownership, SharedAccess, StartReason

# So many messages are described together.
AT_ONCE = 1_000


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
    """Of these deliveries of messages those that the webhook's customer may read, by the one method of every exit."""
    wanted = Q()
    ids = set(deliveries.values_list("webhook__customer_id", flat=True))
    for customer in Customer.objects.current().filter(pk__in=ids).values_list("pk", flat=True):
        reader = Actor(kind="customer", customers=frozenset({customer}))
        theirs = Message.objects.visible_to(reader).filter(device=OuterRef("device_id"), at=OuterRef("at"))
        wanted |= Q(Exists(theirs), webhook__customer_id=customer)
    return deliveries.filter(wanted) if wanted else deliveries.none()


def at_rest(device_ids: set[int]) -> set[int]:
    """Those of the devices that no transaction is just changing. They stay so until this one ends."""
    if connection.vendor != "postgresql":
        # Who writes has the only lock, so nothing else is under way.
        return device_ids
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {sql.table(Device)} WHERE {sql.in_ids('id')} FOR SHARE SKIP LOCKED",  # noqa: S608
            [sql.id_list(device_ids)],
        )
        return {pk for (pk,) in cursor.fetchall()}


def follow_messages(by: Any, drafts: list[Draft], at: datetime) -> None:
    """Tell webhooks what a device published at the moment `at`; a customer's only what it may read."""
    fanout.emit_all(by.organization_id, kinds.MESSAGE, _happenings(by, drafts, at))


def tell_moved(ids: list[int]) -> None:
    """Tell the webhooks of customers of messages that the ledger gave them after they were published."""
    told = WebhookDelivery.objects.filter(
        kind=kinds.MESSAGE, webhook__customer_id=OuterRef("project__customer_id"), device_id=OuterRef("device_id"),
        at=OuterRef("at"),
    )  # fmt: skip
    theirs = Message.objects.filter(~Exists(told), project__isnull=False)
    moved = sql.having_ids(theirs, "id", ids).order_by("pk")
    for organization in set(moved.values_list("organization_id", flat=True)) if ids else ():
        fanout.emit_all(organization, kinds.MESSAGE, _moved(moved.filter(organization=organization)))


def _happenings(by: Any, drafts: list[Draft], at: datetime) -> Iterable[fanout.Happening]:
    """Read only where a webhook listens. Who only shares the device does not learn whose it is."""
    (device,) = describe(by.organization_id, [by.device_id], with_owners=False)
    owned, shared = (
        spans.objects.covering(at).filter(device=by.device_id) for spans in (Ownership, SharedAccess)
    )
    owner = owned.values("customer_id", "customer__name").first()
    customer = {"id": owner["customer_id"], "name": owner["customer__name"]} if owner else None
    sharers = set(shared.values_list("customer_id", flat=True)) - {customer and customer["id"]}
    for draft in drafts:
        sent = json.loads(str(draft.data))
        yield _published(device, customer, draft.name, sent, at, draft.device_at)
        if sharers:
            yield _published(device, None, draft.name, sent, at, draft.device_at, readers=frozenset(sharers))


def _moved(messages: QuerySet) -> Iterable[fanout.Happening]:
    source = messages.select_related("project__customer").iterator(chunk_size=AT_ONCE)
    while rows := list(islice(source, AT_ONCE)):
        ids = sorted({message.device_id for message in rows})
        devices = {device.pk: device for device in describe(rows[0].organization_id, ids, with_owners=False)}
        for message in rows:
            yield _given(message, devices[message.device_id])


def _given(message: Message, device: Described) -> fanout.Happening:
    owner = message.project.customer  # type: ignore[union-attr]  # all of these lie in one
    return _published(device, {"id": owner.pk, "name": owner.name}, message.name, message.data, message.at,
                         message.device_at, readers=frozenset({owner.pk}))  # fmt: skip


def _published(
    device: Described,
    customer: dict[str, Any] | None,
    name: str,
    sent: Any,
    at: datetime,
    device_at: datetime | None,
    readers: frozenset[int] = frozenset(),
) -> fanout.Happening:
    message = {"name": name, "data": sent, "at": fanout.stamp(at),
               "device_at": fanout.stamp(device_at) if device_at else None}  # fmt: skip
    data = {"device": device.data, "customer": customer, "message": message}
    return fanout.Happening(data, at, device.product_id, customer["id"] if customer else None, device.pk,
                            f"{device.label} · {name}", name, readers)  # fmt: skip


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
