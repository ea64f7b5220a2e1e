"""Events that happen while a webhook is disabled: kept for some days, until a person sends or discards them."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, IntegerField, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from console import sql
from console.models import DeliveryState, Webhook, WebhookAttempt, WebhookDelivery
from console.tenancy import TenantQuerySet

# Only this many events are kept for each webhook, the newest.
MOST = 10_000


def of(hook: Webhook) -> TenantQuerySet[WebhookDelivery]:
    """Return the events that are kept for this webhook."""
    return WebhookDelivery.objects.filter(webhook=hook.pk, state=DeliveryState.KEPT)


def counted(hooks: QuerySet[Any]) -> QuerySet[Any]:
    """Annotate webhooks with `kept`, how many events are kept, and `kept_since`, when the first of them happened."""
    rows = WebhookDelivery.objects.filter(webhook=OuterRef("pk"), state=DeliveryState.KEPT).order_by()
    count = rows.values("webhook").annotate(number=Count("pk")).values("number")
    first = rows.values("webhook").annotate(first=Min("created_at")).values("first")
    return hooks.annotate(kept=Coalesce(Subquery(count, output_field=IntegerField()), 0), kept_since=Subquery(first))


def delete_old(at: datetime | None = None) -> int:
    """Drop events that are too old or too many to keep, and record how many for each webhook. Returns the total."""
    before = (at or timezone.now()) - timedelta(days=settings.WEBHOOK_KEPT_DAYS)
    return sum(_drop(hook, before) for hook in _with_kept(Webhook.objects.all()))


def send_stragglers(at: datetime | None = None) -> int:
    """Send events kept by a transaction that did not yet see that the webhook is enabled. Returns how many."""
    hooks = Webhook.objects.filter(is_enabled=True, awaits_decision=False)
    return sum(release(hook, at or timezone.now()) for hook in _with_kept(hooks))


def release(hook: Webhook, at: datetime) -> int:
    """Let the workers send the kept events, in order, as if they had just happened. Returns how many."""
    return of(hook).update(state=DeliveryState.WAITING, attempts=0, next_at=at)


def _with_kept(hooks: QuerySet[Webhook]) -> list[Webhook]:
    rows = WebhookDelivery.objects.filter(webhook=OuterRef("pk"), state=DeliveryState.KEPT)
    return list(hooks.filter(Exists(rows)).order_by("pk"))


@transaction.atomic
def _drop(hook: Webhook, before: datetime) -> int:
    rows = of(hook)
    ids = list(rows.order_by("-pk").values_list("pk", flat=True)[MOST:])
    ids += list(rows.filter(created_at__lt=before).values_list("pk", flat=True)[:MOST])
    if not ids:
        return 0
    sql.having_ids(WebhookAttempt.objects.all(), "delivery_id", ids).delete()
    count = sql.having_ids(rows, "id", ids).purge()[0]
    Webhook.objects.filter(pk=hook.pk).update(kept_dropped=F("kept_dropped") + count)
    return count
