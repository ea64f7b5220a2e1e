"""Writes events as deliveries, one for each webhook that listens, in the same transaction.

The payload is defined in the declaration of the event, in its own room: this module only writes rows.
"""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils import timezone

from console import sql
from console.audit.kinds import Kind
from console.audit.public import Logged, Occurrence, PublicEvent
from console.models import DeliveryState, Webhook, WebhookDelivery
from console.slots import One

# Queues the sending of due deliveries. Called after the transaction that wrote them.
nudge: One[[], Any] = One("console.webhooks.fanout.nudge")

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


def emit(
    organization_id: int,
    event: PublicEvent,
    payload: dict[str, Any],
    *,
    at: datetime,
    product_id: int | None = None,
    customer_id: int | None = None,
    device_id: int | None = None,
    label: str = "",
    name: str = "",
) -> int:
    """Send one occurrence to webhooks, in this transaction. Returns how many deliveries are written."""
    return emit_all(organization_id, event, [Occurrence(payload, at, product_id, customer_id, device_id, label, name)])


def emit_all(organization_id: int, event: PublicEvent, occurrences: Iterable[Occurrence]) -> int:
    """Send many occurrences of one kind to webhooks, in this transaction. One query if no webhook listens.

    Returns how many deliveries are written.
    """
    hooks = _listening(Webhook.objects.filter(organization_id=organization_id), {event.name})
    return write(hooks, event, occurrences) if hooks else 0


def on_event(
    kind: Kind,
    organization: models.QuerySet[Any] | int,
    ids: list[int],
    *,
    about: models.Model | None,
    at: datetime,
    label: str = "",
    data: dict[str, Any],
) -> None:
    """Send webhooks what the kind declares for lines of the audit log, one for each id. Follows `console.audit`."""
    webhook = kind.webhook
    if webhook is None or not ids:
        return
    rows = (
        Webhook.objects.filter(organization__in=organization)
        if isinstance(organization, models.QuerySet)
        else Webhook.objects.filter(organization_id=organization)
    )
    hooks = _listening(rows, {event.name for event in webhook.events})
    if not hooks:
        return
    found = list(webhook.payload(Logged(hooks[0].organization_id, ids, about, at, label, data)))
    for event in webhook.events:
        write(hooks, event, [one for one in found if (one.event or webhook.event) is event])


def write(hooks: list[Webhook], event: PublicEvent, occurrences: Iterable[Occurrence]) -> int:
    """Write a delivery for each of these webhooks that an occurrence concerns. Returns how many.

    An occurrence has the same id and text for all webhooks. Deliveries to a disabled webhook are kept.
    """
    rows: list[tuple[Any, ...]] = []
    stamps: dict[datetime, Any] = {}
    now, shared = sql.prepared(WebhookDelivery, "created_at", timezone.now()), (0, "", 0)
    sent = (event.name, DeliveryState.WAITING.value, *shared, now, now)
    kept = (event.name, DeliveryState.KEPT.value, *shared, None, now)
    for occurrence in occurrences:
        fitting = [hook for hook in hooks if _concerns(hook, event, occurrence)]
        if fitting:
            if occurrence.at not in stamps:
                stamps[occurrence.at] = sql.prepared(WebhookDelivery, "at", occurrence.at)
            at = stamps[occurrence.at]
            described = (new_id(), text_of(event, occurrence), occurrence.label[:200], occurrence.device_id, at)
            rows += [
                (hook.organization_id, hook.pk, *described, *(sent if hook.is_enabled else kept)) for hook in fitting
            ]
    if rows:
        sql.insert_rows(WebhookDelivery, COLUMNS, rows)
    if rows and any(hook.is_enabled for hook in hooks):
        transaction.on_commit(nudge)
    return len(rows)


def text_of(event: PublicEvent, occurrence: Occurrence) -> str:
    """Return the body of the call."""
    body = {"type": event.name, "timestamp": stamp(occurrence.at), "data": occurrence.data}
    return _ENCODER.encode(body)


def new_id() -> str:
    """Return a new id for one occurrence, by which receivers recognise repeats."""
    return f"msg_{secrets.token_hex(14)}"


def stamp(at: datetime) -> str:
    """Return a moment as payloads spell it: UTC, to the microsecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _listening(rows: models.QuerySet[Any], wanted: set[str]) -> list[Webhook]:
    """Return the webhooks in use that have one of these kinds. An organization has few, so Python filters them."""
    rows = rows.filter(archived_at=None) if settings.WEBHOOK_KEPT_DAYS else rows.filter(is_enabled=True)
    return [hook for hook in rows.order_by("pk") if wanted & set(hook.events)]


def _concerns(hook: Webhook, event: PublicEvent, occurrence: Occurrence) -> bool:
    if event.name not in hook.events or hook.scope not in event.scopes:
        return False
    if event.has_names and hook.message_names and occurrence.name not in hook.message_names:
        return False
    if occurrence.readers:
        return hook.customer_id in occurrence.readers
    if hook.product_id is not None:
        return hook.product_id == occurrence.product_id
    return hook.customer_id is None or hook.customer_id == occurrence.customer_id
