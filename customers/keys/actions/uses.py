"""Records when an API key was last used."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from customers.models import ApiKey

# Precise to the minute, because a write for every request would be too expensive.
NOTED = timedelta(minutes=1)


def note(key: ApiKey) -> None:
    """Set the key's `last_used_at`, unless it was set within the last minute."""
    now = timezone.now()
    if key.last_used_at is None or key.last_used_at < now - NOTED:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
