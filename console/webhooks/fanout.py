"""Writes what happened as deliveries, one for each webhook that listens, in the transaction of what happened."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from console import sql
from console.models import DeliveryState, Webhook, WebhookDelivery
from console.webhooks import kinds

COLUMNS = [
    "organization",
    "webhook",
    "message_id",
    "payload",
    "label",
    "device_id",
    "at",
    "kind",
    "state",
    "attempts",
    "leased_by",
    "line",
    "next_at",
    "created_at",
]

_ENCODER = DjangoJSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Happening:
    """One thing that happened. `data` goes out as it is; the ids say which webhooks it concerns, `name` is a message's.

    `customer_id` is the owner at the moment `at`: no other customer's webhook is told. With `readers`, it is for the
    webhooks of these customers and nobody else.
    """

    data: dict[str, Any]
    at: datetime
    product_id: int | None = None
    customer_id: int | None = None
    device_id: int | None = None
    label: str = ""
    name: str = ""
    readers: frozenset[int] = frozenset()


def emit(
    organization_id: int,
    kind: str,
    payload: dict[str, Any],
    *,
    at: datetime,
    product_id: int | None = None,
    customer_id: int | None = None,
    device_id: int | None = None,
    label: str = "",
    name: str = "",
) -> int:
    """Tell the webhooks of one thing that happened, in this transaction. Gives how many are told."""
    return emit_all(organization_id, kind, [Happening(payload, at, product_id, customer_id, device_id, label, name)])


def emit_all(organization_id: int, kind: str, happenings: Iterable[Happening]) -> int:
    """Tell the webhooks of many things of one kind, in this transaction: one question where nobody listens.

    Gives how many deliveries are written.
    """
    hooks = _listening(Webhook.objects.filter(organization_id=organization_id), {kind})
    return write(hooks, kind, happenings) if hooks else 0


def follow(
    kind: str,
    subject_kind: str,
    organization: models.QuerySet | int,
    ids: list[int],
    *,
    about: models.Model | None,
    at: datetime,
    label: str = "",
    data: dict[str, Any],
) -> None:
    """Tell the webhooks what a line of the audit log tells, for each of its subjects. Called by `console.audit`."""
    told = kinds.FOLLOWED.get(kind)
    if told is None or not ids:
        return
    rows = (
        Webhook.objects.filter(organization__in=organization)
        if isinstance(organization, models.QuerySet)
        else Webhook.objects.filter(organization_id=organization)
    )
    wanted = {told, kinds.TRANSFERRED} if told == kinds.ASSIGNED else {told}
    hooks = _listening(rows, wanted)
    if not hooks:
        return
    customer = _named(about) if about is not None and kind not in kinds.SWAPS else None
    if subject_kind == "device":
        _follow_devices(hooks, kind, told, ids, customer, at)
    else:
        thing = {"id": ids[0], "code": label, "units": data.get("units")}
        write(
            hooks,
            told,
            [
                Happening(
                    {subject_kind: thing, "customer": customer},
                    at,
                    None,
                    customer["id"] if customer else None,
                    None,
                    label,
                )
            ],
        )


def _follow_devices(
    hooks: list[Webhook], kind: str, told: str, ids: list[int], customer: dict | None, at: datetime
) -> None:
    """One happening for each device; a new owner by transfer is told as a transfer too."""
    describe = import_string(settings.WEBHOOK_DEVICES)
    devices = describe(hooks[0].organization_id, ids, with_spans=told != kinds.REGISTERED)
    if told == kinds.REGISTERED:
        write(
            hooks,
            told,
            [
                Happening(
                    {"device": device.data, "customer": customer},
                    device.created_at,
                    device.product_id,
                    None,
                    device.pk,
                    device.label,
                )
                for device in devices
            ],
        )
        return
    write(hooks, told, [_of_hands(device, kind, told, customer, at) for device in devices])
    if kind == kinds.ASSIGNED:
        write(hooks, kinds.TRANSFERRED, [_of_transfer(device) for device in devices if device.is_by_transfer])


def _of_hands(device: Any, kind: str, told: str, customer: dict | None, at: datetime) -> Happening:
    """An ownership that begins or ends, at the instant that the ledger wrote; of another customer nothing is told."""
    side = device.begun if told in kinds.BEGINNINGS else device.ended
    span = side(customer["id"] if customer else None)
    owner = span.customer if span is not None and kind in kinds.SWAPS else customer
    data = {"device": device.data, "customer": owner, "ownership": span and span.pk, "reason": span and span.reason}
    moment = span.at if span is not None and kind not in kinds.REOPENINGS else at
    return Happening(data, moment, device.product_id, owner["id"] if owner else None, device.pk, device.label)


def _of_transfer(device: Any) -> Happening:
    """It names both owners, for the organization alone."""
    new, old = device.begun(None), device.ended(None)
    data = {
        "device": device.data,
        "customer": new.customer,
        "previous_customer": old and old.customer,
        "ownership": new.pk,
        "previous_ownership": old and old.pk,
        "reason": new.reason,
    }
    return Happening(data, new.at, device.product_id, None, device.pk, device.label)


def write(hooks: list[Webhook], kind: str, happenings: Iterable[Happening]) -> int:
    """Write a delivery for each of these webhooks that a happening concerns. Gives how many.

    What happened once has one id and one text, for whichever webhooks. For a webhook that is disabled it is kept.
    """
    rows: list[tuple] = []
    stamps: dict[datetime, Any] = {}
    now, shared = sql.prepared(WebhookDelivery, "created_at", timezone.now()), (0, "", 0)
    sent = (kind, DeliveryState.WAITING.value, *shared, now, now)
    kept = (kind, DeliveryState.KEPT.value, *shared, None, now)
    for happening in happenings:
        fitting = [hook for hook in hooks if _concerns(hook, kind, happening)]
        if fitting:
            if happening.at not in stamps:
                stamps[happening.at] = sql.prepared(WebhookDelivery, "at", happening.at)
            at = stamps[happening.at]
            told = (new_id(), text_of(kind, happening), happening.label[:200], happening.device_id, at)
            rows += [(hook.organization_id, hook.pk, *told, *(sent if hook.is_enabled else kept)) for hook in fitting]
    if rows:
        sql.insert_rows(WebhookDelivery, COLUMNS, rows)
    if rows and any(hook.is_enabled for hook in hooks):
        transaction.on_commit(_nudge)
    return len(rows)


def text_of(kind: str, happening: Happening) -> str:
    """The body of the call."""
    body = {"type": kind, "timestamp": stamp(happening.at), "data": happening.data}
    return _ENCODER.encode(body)


def new_id() -> str:
    """The id of one happening; receivers tell repeats by it."""
    return f"msg_{secrets.token_hex(14)}"


def stamp(at: datetime) -> str:
    """A moment as it stands in payloads: UTC, to the microsecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _listening(rows: models.QuerySet, wanted: set[str]) -> list[Webhook]:
    """Those in use that have one of the kinds. An organization has few webhooks, so that is seen here."""
    rows = rows.filter(archived_at=None) if settings.WEBHOOK_KEPT_DAYS else rows.filter(is_enabled=True)
    return [hook for hook in rows.order_by("pk") if wanted & set(hook.events)]


def _concerns(hook: Webhook, kind: str, happening: Happening) -> bool:
    if kind not in hook.events or hook.scope not in kinds.KINDS[kind].scopes:
        return False
    if kind == kinds.MESSAGE and hook.message_names and happening.name not in hook.message_names:
        return False
    if happening.readers:
        return hook.customer_id in happening.readers
    if hook.product_id is not None:
        return hook.product_id == happening.product_id
    return hook.customer_id is None or hook.customer_id == happening.customer_id


def _named(customer: models.Model) -> dict[str, Any]:
    return {"id": customer.pk, "name": str(customer)}


def _nudge() -> None:
    from console.tasks import nudge_webhooks

    nudge_webhooks()
