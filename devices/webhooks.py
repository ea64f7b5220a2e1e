"""What webhooks tell of devices, and whether they may still tell it. Named in the settings."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat

from console import sql
from console.access import Actor
from console.models import WebhookDelivery
from console.webhooks import fanout, kinds
from customers.models import Customer
from devices.messages.window import Draft
from devices.models import Device, Message, Ownership, SharedAccess, StartReason

# As a delivery names the message that it tells.
NAMED = '"message":{"id":'
# So many messages are described together.
AT_ONCE = 1_000


@dataclass(frozen=True)
class Held:
    """One side of an ownership: its beginning where it is open, else its end. `reason` is the ledger's word for why."""

    pk: int
    customer: dict[str, Any]
    is_open: bool
    at: datetime
    reason: str


@dataclass(frozen=True)
class Described:
    """A device as webhooks name it. The ownerships, the oldest first, are known where they were asked for."""

    pk: int
    product_id: int
    label: str
    created_at: datetime
    data: dict[str, Any]
    spans: tuple[Held, ...] = ()

    def begun(self, customer_id: int | None) -> Held | None:
        """The ownership that is open, if it is this customer's; None is any."""
        return self._newest(True, customer_id)

    def ended(self, customer_id: int | None) -> Held | None:
        """The last ownership of this customer that ended; None is any."""
        return self._newest(False, customer_id)

    def _newest(self, is_open: bool, customer_id: int | None) -> Held | None:
        fitting = (span for span in reversed(self.spans) if span.is_open is is_open)
        return next((span for span in fitting if customer_id in (None, span.customer["id"])), None)

    @property
    def is_by_transfer(self) -> bool:
        """Whether the owner got it from another one."""
        span = self.begun(None)
        return span is not None and span.reason == StartReason.TRANSFER


def describe(organization_id: int, ids: list[int], *, with_spans: bool) -> list[Described]:
    """The devices of this organization among `ids`, in their order, in one statement or, with their ownerships, two."""
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


def still_theirs(deliveries: QuerySet) -> QuerySet:
    """Of these deliveries of messages those that the webhook's customer may read; their devices are at rest."""
    wanted = Q()
    ids = set(deliveries.values_list("webhook__customer_id", flat=True))
    # unscoped: the webhooks' own customers
    for customer in Customer.objects.current().filter(pk__in=ids).values_list("pk", flat=True):
        reader = Actor(kind="customer", customers=frozenset({customer}))
        # unscoped: what the webhook's customer holds
        theirs = Message.objects.held_by(reader).filter(device=OuterRef("device_id"), at=OuterRef("at"))
        wanted |= Q(Exists(theirs), webhook__customer_id=customer)
    return deliveries.filter(wanted) if wanted else deliveries.none()


def at_rest(device_ids: set[int]) -> set[int]:
    """Those of the devices that no transaction is just changing. They stay so until this one ends.

    Who changes hands holds the devices before it chooses the instant, so that lies after whatever was published by now.
    """
    if connection.vendor != "postgresql":
        # Who writes has the only lock, so nothing else is under way.
        return device_ids
    with connection.cursor() as cursor:
        cursor.execute(  # unscoped: locks the rows given
            f"SELECT id FROM {sql.table(Device)} WHERE {sql.in_ids('id')} FOR SHARE SKIP LOCKED",  # noqa: S608
            [sql.id_list(device_ids)],
        )
        return {pk for (pk,) in cursor.fetchall()}


def follow_messages(by: Any, drafts: list[Draft], at: datetime) -> None:
    """Tell webhooks what a device published at the moment `at`; a customer's only what it may read."""
    fanout.emit_all(by.organization_id, kinds.MESSAGE, _happenings(by, drafts, at))


def tell_moved(ids: list[int]) -> None:
    """Tell the webhooks of customers of messages that the ledger gave them after they were published."""
    # Two can have come at one instant. Where a delivery names none, the instant alone tells.
    this = Concat(Value(NAMED), OuterRef("pk"), Value(","), output_field=TextField())
    told = WebhookDelivery.objects.filter(  # unscoped: whether it was sent already
        Q(payload__contains=this) | Q(payload__contains=f"{NAMED}null,") | ~Q(payload__contains=NAMED),
        kind=kinds.MESSAGE,
        webhook__customer_id=OuterRef("project__customer_id"),
        device_id=OuterRef("device_id"),
        at=OuterRef("at"),
    )
    # unscoped: each goes to the customer of its own project
    theirs = Message.objects.filter(~Exists(told), project__isnull=False)
    moved = sql.having_ids(theirs, "id", ids).order_by("pk")
    for organization in set(moved.values_list("organization_id", flat=True)) if ids else ():
        fanout.emit_all(organization, kinds.MESSAGE, _moved(moved.filter(organization=organization)))


def _happenings(by: Any, drafts: list[Draft], at: datetime) -> Iterable[fanout.Happening]:
    """Read only where a webhook listens. Who only shares the device does not learn whose it is."""
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


def _newest(device_id: int, at: datetime, number: int) -> list[tuple]:
    """What was just stored, in its order, in one statement: id, name, data, and the device's own time.

    A device can publish twice at one instant, so who asks compares. What is missing is None all over.
    """
    rows = Message.objects.filter(device=device_id, at=at).order_by("-pk")  # unscoped: what the device just published
    found = list(rows.values_list("pk", "name", "data", "device_at")[:number])
    return [*[(None, None, None, None)] * (number - len(found)), *reversed(found)]


def _moved(messages: QuerySet) -> Iterable[fanout.Happening]:
    source = messages.select_related("project__customer").iterator(chunk_size=AT_ONCE)
    while rows := list(islice(source, AT_ONCE)):
        ids = sorted({message.device_id for message in rows})
        devices = {device.pk: device for device in describe(rows[0].organization_id, ids, with_spans=False)}
        for message in rows:
            yield _given(message, devices[message.device_id])


def _given(message: Message, device: Described) -> fanout.Happening:
    owner = message.project.customer  # type: ignore[union-attr]  # all of these lie in one
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
) -> fanout.Happening:
    message = {
        "id": pk,
        "name": name,
        "data": sent,
        "at": fanout.stamp(at),
        "device_at": fanout.stamp(device_at) if device_at else None,
    }
    data = {"device": device.data, "customer": customer, "message": message}
    return fanout.Happening(
        data,
        at,
        device.product_id,
        customer["id"] if customer else None,
        device.pk,
        f"{device.label} · {name}",
        name,
        readers,
    )


def _spans(ids: list[int]) -> dict[int, list[Held]]:
    """The ownerships of each device, the oldest first."""
    rows: QuerySet = Ownership.objects.order_by("started_at")  # unscoped: of devices of the webhooks' organization
    found: dict[int, list[Held]] = {}
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
        found.setdefault(device, []).append(Held(pk, {"id": customer, "name": name}, *side))
    return found
