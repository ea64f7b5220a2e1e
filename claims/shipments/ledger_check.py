"""Consistency checks between shipments and devices, across all organizations."""

from collections.abc import Iterator

from django.db.models import Count, F

from claims.models import Shipment, ShipmentState, ShipmentUnit
from devices.models import DeviceStatus

SHOWN = 20
OPEN = (ShipmentState.OPEN, ShipmentState.SHIPPING, ShipmentState.SENT)


def check() -> list[str]:
    """Return a sentence for each contradiction, at most twenty of each kind."""
    return [*_loose(), *_closed(), *_counts()]


def _loose() -> Iterator[str]:
    packed = ShipmentUnit.objects.filter(is_open=True)
    for unit in packed.exclude(device__status=DeviceStatus.RESERVED).select_related("device").order_by("pk")[:SHOWN]:
        yield f"Device {unit.device_id} is packed in shipment {unit.shipment_id}, but {unit.device.status}."


def _closed() -> Iterator[str]:
    wrong = ShipmentUnit.objects.filter(is_open=True).exclude(shipment__state__in=OPEN)
    for unit in wrong.order_by("pk")[:SHOWN]:
        yield f"Device {unit.device_id} is still packed in shipment {unit.shipment_id}, which is over."


def _counts() -> Iterator[str]:
    wrong = Shipment.objects.annotate(n=Count("units")).exclude(n=F("unit_count"))
    for shipment in wrong.order_by("pk")[:SHOWN]:
        yield f"Shipment {shipment.pk} counts {shipment.unit_count} devices and has {shipment.n}."
