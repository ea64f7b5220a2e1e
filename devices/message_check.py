"""Compares what messages and calls copied from the ledger with the ledger itself."""

from collections.abc import Iterator

from django.db.models import BigIntegerField, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from devices.models import Message, Ownership

# The newest ones: those before them can't change any more.
LOOKED_AT = 20_000


def check() -> Iterator[str]:
    """A sentence for each of the newest messages that does not lie in the project where its device lay."""
    spans = Ownership.objects.covering(OuterRef("at")).filter(device=OuterRef("device"))
    newest = Message.objects.order_by("-pk").values("pk")[:LOOKED_AT]
    rows = Message.objects.filter(pk__in=Subquery(newest)).annotate(
        true=Coalesce(Subquery(spans.values("project")[:1]), 0, output_field=BigIntegerField()),
        told=Coalesce(F("project"), 0, output_field=BigIntegerField()),
    )
    for message in rows.exclude(true=F("told")).order_by("pk")[:100]:
        yield (
            f"Message {message.pk} of device {message.device_id} lies in project {message.told}, the ledger says "
            f"{message.true}."
        )
