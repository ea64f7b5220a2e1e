"""The state of a shipment: locked while its devices change, and moved only from the states that permit it."""

from collections.abc import Iterable
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from claims.models import Shipment, ShipmentState
from console.errors import Refused
from devices import ledger
from devices.models import DeviceStatus

NOT_OVER = (ShipmentState.OPEN, ShipmentState.SENT)
# In these states the devices are reserved, and the customer may claim each with its own code.
HOLDING = (*NOT_OVER, ShipmentState.SHIPPING)


def lock(shipment: Shipment) -> None:
    """Lock the open shipment until the end of the transaction. Raises Refused if it is no longer open."""
    if not Shipment.objects.filter(pk=shipment.pk, state=ShipmentState.OPEN).update(unit_count=F("unit_count")):
        raise not_open(shipment)


def take_turn(shipment: Shipment) -> None:
    """Lock the shipment until the end of the transaction. Devices must be locked after it."""
    Shipment.objects.filter(pk=shipment.pk).update(state=F("state"))


def move(shipment: Shipment, *, frm: Iterable[str], to: str, **fields: Any) -> None:
    if not Shipment.objects.filter(pk=shipment.pk, state__in=frm).update(state=to, **fields):
        raise not_open(shipment)


def not_open(shipment: Shipment) -> Refused:
    state = Shipment.objects.values_list("state", flat=True).get(pk=shipment.pk)
    words = {"code": shipment.code, "state": ShipmentState(state).label.lower()}
    return Refused("not_open", _("%(code)s is %(state)s, so this is no longer possible.") % words)


def open_ids(shipment: Shipment) -> list[int]:
    return list(shipment.units.filter(is_open=True).order_by("device").values_list("device_id", flat=True))


def free(ids: list[int]) -> None:
    ledger.set_status(ids, frm=[DeviceStatus.RESERVED], to=DeviceStatus.IN_STOCK)
