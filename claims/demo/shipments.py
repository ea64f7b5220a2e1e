"""The shipments of the demo organization: shipped, waiting for a claim, being packed, and cancelled."""

from datetime import datetime
from typing import Any

from claims.shipments.actions import contents, shipments, shipping
from devices.models import Device

# (days ago, outcome, customer, order, {product: (ordered, packed)})
STORIES: list[tuple[float, str, str, str, dict[str, tuple[int, int]]]] = [
    (23, "shipped", "Stadtwerke Aalen", "PO-70431", {"aqua-meter": (12, 12), "edge-gateway": (1, 1)}),
    (6, "cancelled", "Brightwater Estates", "PO-70502", {"wind-gauge": (4, 2)}),
    (2.3, "sent", "Brightwater Estates", "PO-70515", {"wind-gauge": (3, 3)}),
    (1.2, "open", "Fjordkraft Måling AS", "PO-70518", {"aqua-meter": (20, 13), "wind-gauge": (2, 2)}),
    (0.3, "open", "Northlake Engineering", "", {"edge-gateway": (3, 0)}),
]


def plan(world: Any) -> None:
    """Add each shipment to the diary."""
    for days_ago, end, name, order, counts in STORIES:
        world.note(
            days_ago,
            lambda at, end=end, name=name, order=order, counts=counts: _play(world, end, name, order, counts, at),
        )


def _play(world: Any, end: str, name: str, order: str, counts: dict[str, tuple[int, int]], at: datetime) -> None:
    by = world.members["fulfilment"]
    lines = {world.products[slug]: ordered for slug, (ordered, _packed) in counts.items()}
    shipment = shipments.create(
        customer=world.customers[name], lines=lines, by=by, at=at, order_number=order, is_claimed_by_code=end == "sent"
    )
    ids = [world.stock[slug].pop() for slug, (_ordered, packed) in counts.items() for _each in range(packed)]
    if ids:
        contents.pack(shipment, Device.objects.filter(pk__in=ids), by=by, at=at)
    if end == "shipped":
        shipping.ship(shipment, by=by, at=at)
        world.held += [(pk, name) for pk in ids]
    if end == "sent":
        shipping.send(shipment, by=by, at=at)
    if end == "cancelled":
        shipments.cancel(shipment, by=by, at=at)
        for slug, (_ordered, packed) in counts.items():
            world.stock[slug] += [ids.pop(0) for _each in range(packed)]
