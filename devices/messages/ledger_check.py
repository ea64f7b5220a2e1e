"""Compares what messages and calls copied from the ledger with the ledger itself."""

from collections.abc import Iterator
from typing import Any

from django.db.models import BigIntegerField, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from console import sql
from devices.messages.actions import BACK, changed_hands
from devices.models import Message, Ownership

# Number of newest messages checked across all devices; of devices that changed hands within a day, all since then.
LOOKED_AT = 20_000


def check() -> Iterator[str]:
    """Yield a sentence for each message that is not in the project where its device was at that time.

    Checks the newest messages, and those of devices that changed hands lately.
    """
    newest = Message.objects.order_by("-pk").values("pk")[:LOOKED_AT]
    since = timezone.now() - BACK
    moved = sql.having_ids(Message.objects.filter(at__gte=since), "device_id", changed_hands(since))
    told: set[int] = set()
    for rows in (Message.objects.filter(pk__in=Subquery(newest)), moved):
        for message in _wrong(rows):
            if message.pk not in told:
                told.add(message.pk)
                yield (
                    f"Message {message.pk} of device {message.device_id} lies in project {message.told}, the ledger "
                    f"says {message.true}."
                )


def _wrong(rows: QuerySet[Any]) -> QuerySet[Any]:
    spans = Ownership.objects.covering(OuterRef("at")).filter(device=OuterRef("device"))
    rows = rows.annotate(
        true=Coalesce(Subquery(spans.values("project")[:1]), 0, output_field=BigIntegerField()),
        told=Coalesce(F("project"), 0, output_field=BigIntegerField()),
    )
    return rows.exclude(true=F("told")).order_by("pk")[:100]
