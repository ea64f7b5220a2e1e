"""Maintenance of webhooks: releases the deliveries of dead workers, and deletes old ones."""

from datetime import datetime, timedelta

from django.utils import timezone

from console import liveness, sql
from console.models import DeliveryState, WebhookAttempt, WebhookDelivery
from console.webhooks.delivery import OLDEST


def release_dead() -> int:
    """Release the deliveries that dead workers hold. Returns how many."""
    heard, count = liveness.beating(), 0
    held = WebhookDelivery.objects.exclude(leased_by="").order_by()
    for worker in list(held.values_list("leased_by", flat=True).distinct()):
        if not liveness.lives(worker, heard):
            count += WebhookDelivery.objects.filter(leased_by=worker).update(leased_by="", leased_until=None)
    return count


def give_up_old(at: datetime | None = None) -> int:
    """Give up deliveries that have waited too long for a failing receiver. Returns how many."""
    at = at or timezone.now()
    rows = WebhookDelivery.objects.filter(next_at__isnull=False, created_at__lt=at - OLDEST, leased_by="")
    return rows.filter(webhook__failing_since__lt=at - OLDEST).update(state=DeliveryState.GIVEN_UP, next_at=None)


def delete_old(at: datetime | None = None, *, days: int = 30, limit: int = 20_000) -> int:
    """Delete deliveries older than 30 days with their attempts. Returns how many."""
    before = (at or timezone.now()) - timedelta(days=days)
    # Ids follow the age closely enough, and need no further index.
    oldest = WebhookDelivery.objects.order_by("pk").values_list("pk", "created_at", "next_at")[:limit]
    ids = [pk for pk, created_at, next_at in oldest if created_at < before and next_at is None]
    sql.having_ids(WebhookAttempt.objects.all(), "delivery_id", ids).delete()
    return sql.having_ids(WebhookDelivery.objects.all(), "id", ids).purge()[0]
