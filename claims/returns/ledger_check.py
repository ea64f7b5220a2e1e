"""Compares returns with the ledger, across all organizations."""

from collections.abc import Iterator

from django.db.models import F, Q

from claims.models import Return, ReturnState
from devices.models import DeviceStatus

SHOWN = 20


def check() -> list[str]:
    """Return a sentence for each contradiction, at most twenty of each kind."""
    return [*_quarantine(), *_strangers()]


def _quarantine() -> Iterator[str]:
    inside = Return.objects.filter(state__in=[ReturnState.RECEIVED, ReturnState.INSPECTED])
    for row in inside.exclude(device__status=DeviceStatus.RETURNED).select_related("device").order_by("pk")[:SHOWN]:
        yield f"Return {row.pk} ({row}) is {row.state}, but device {row.device_id} is {row.device.status}."


def _strangers() -> Iterator[str]:
    wrong = ~Q(device__organization=F("organization")) | Q(customer__isnull=False) & ~Q(
        customer__organization=F("organization")
    )
    for row in Return.objects.filter(wrong).order_by("pk")[:SHOWN]:
        yield f"Return {row.pk} ({row}) is of a device or customer of another organization."
