"""What becomes of a unit that is scanned at a shipment: one verdict for each, the same for a scan, a list and a photo."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from claims import scans
from claims.models import Shipment, ShipmentUnit
from console import sql
from console.access import Actor
from devices.models import Device, DeviceStatus, Product

# So many of the newest units stand on the packing page.
SHOWN = 12
OK, WARN, BAD = "ok", "warn", "bad"
ICONS = {OK: "circle-check", WARN: "circle-alert", BAD: "circle-x"}


@dataclass(frozen=True)
class Answer:
    """What one scan came to: `tone` is ok, warn or bad; `twins` are units among which to choose."""

    tone: str
    code: str
    text: str
    twins: list[Device] = field(default_factory=list)

    @property
    def icon(self) -> str:
        """The icon that says the tone without its colour."""
        return ICONS[self.tone]


@dataclass(frozen=True)
class Progress:
    """How many units of a product are packed, and how many are expected (None where nothing was said of it)."""

    product: Any
    packed: int
    expected: int | None

    @property
    def is_short(self) -> bool:
        """Whether some are still to come."""
        return self.expected is not None and self.packed < self.expected

    @property
    def percent(self) -> int:
        """How far it is, from 0 to 100."""
        return min(100, self.packed * 100 // self.expected) if self.expected else 100


def progress(shipment: Shipment) -> list[Progress]:
    """Each product that is expected or packed, in the order of the lines. Three queries."""
    lines = list(shipment.lines.select_related("product").order_by("pk"))
    packed = packed_by_product(shipment)
    counts = [Progress(line.product, packed.pop(line.product_id, 0), line.expected) for line in lines]
    if packed:
        others = Product.objects.filter(organization=shipment.organization_id, pk__in=packed).order_by(
            "name_key"
        )
        counts += [Progress(product, packed[product.pk], None) for product in others]
    return counts


def packed_by_product(shipment: Shipment) -> dict[int, int]:
    """How many units of each product are in the shipment."""
    rows = shipment.units.order_by().values_list("device__product").annotate(n=Count("pk"))
    return dict(rows)


def choose(actor: Actor, shipment: Shipment, texts: list[str]) -> list[Device | Answer]:
    """For each scan the unit that it means, or the answer where it means none."""
    found = scans.find_all(actor, texts)
    expected: set[int] = set()
    if any(len(scan.devices) > 1 for scan in found):
        expected = set(shipment.lines.values_list("product", flat=True))
    return [_chosen(scan, expected) for scan in found]


def _chosen(scan: scans.Scan, expected: set[int]) -> Device | Answer:
    """Of units that share a serial number it is the one whose product is expected."""
    if scan.devices:
        if len(scan.devices) == 1:
            return scan.devices[0]
        fitting = [device for device in scan.devices if device.product_id in expected]
        if len(fitting) == 1:
            return fitting[0]
        return Answer(WARN, "ambiguous", _("%(text)s stands for several units. Which one is it?") % {"text": scan.text},
                      scan.devices)  # fmt: skip
    if scan.returned is not None:
        return Answer(
            BAD,
            "a_return",
            _("%(code)s is a return slip. Scan the unit itself.") % {"code": scan.returned.code},
        )
    if scan.is_offer:
        return Answer(BAD, "no_unit", _("This code offers something, but is not the label of one unit."))
    return Answer(BAD, "unknown", _("%(text)s is unknown.") % {"text": scan.text[:80]})


class Judge:
    """Says of units whether they may be packed, as of the moment at which it was made; the shipment is held meanwhile.

    `room` is how many of each product are still to come; None where the shipment expects nothing in particular.
    """

    def __init__(self, shipment: Shipment, ids: Iterable[int]) -> None:
        self.shipment = shipment
        expected = dict(shipment.lines.values_list("product", "expected"))
        packed = packed_by_product(shipment) if expected else {}
        self.room = (
            Counter({pk: number - packed.get(pk, 0) for pk, number in expected.items()}) if expected else None
        )
        units = sql.having_ids(ShipmentUnit.objects.select_related("shipment"), "device_id", list(ids))
        # A unit may have gone out in older shipments; what counts is where it lies now.
        self.units = {unit.device_id: unit for unit in units.order_by("is_open", "pk")}

    def refusal(self, device: Device) -> Answer | None:
        """Why the unit can't be packed; None where it can, and then its place is taken."""
        name = {"serial": device.serial_number}
        here = self.units.get(device.pk)
        if here is not None and here.is_open and here.shipment_id == self.shipment.pk:
            return Answer(WARN, "already_here", _("%(serial)s is in this shipment already.") % name)
        if device.archived_at:
            return Answer(BAD, "archived", _("%(serial)s is archived.") % name)
        if device.status != DeviceStatus.IN_STOCK:
            return self._by_status(device, here)
        if self.room is None:
            return None
        if device.product_id not in self.room:
            words = name | {"product": device.product.name}
            return Answer(
                BAD, "wrong_product", _("%(serial)s is a %(product)s, which was not ordered.") % words
            )
        if self.room[device.product_id] < 1:
            words = name | {"product": device.product.name}
            return Answer(BAD, "too_many", _("%(serial)s is one %(product)s too many: all that were ordered are packed.")
                          % words)  # fmt: skip
        self.room[device.product_id] -= 1
        return None

    def _by_status(self, device: Device, here: ShipmentUnit | None) -> Answer:
        words = {"serial": device.serial_number, "owner": device.customer or "", "customer": self.shipment.customer,
                 "shipment": here.shipment.code if here is not None else ""}  # fmt: skip
        if device.status == DeviceStatus.RESERVED:
            return Answer(BAD, "reserved", _("%(serial)s is packed in %(shipment)s.") % words)
        if device.status == DeviceStatus.OWNED and device.customer_id == self.shipment.customer_id:
            return Answer(WARN, "owned_already", _("%(serial)s belongs to %(customer)s already.") % words)
        if device.status == DeviceStatus.OWNED:
            return Answer(BAD, "owned", _("%(serial)s belongs to %(owner)s. Take it back first.") % words)
        if device.status == DeviceStatus.RETURNED:
            return Answer(BAD, "in_quarantine", _("%(serial)s came back and is not inspected yet.") % words)
        return Answer(BAD, "scrapped", _("%(serial)s is scrapped.") % words)


def added(devices: list[Device]) -> Answer:
    """The answer for units that were packed."""
    if len(devices) == 1:
        words = {"serial": devices[0].serial_number, "product": devices[0].product.name}
        return Answer(OK, "added", _("%(serial)s added, %(product)s.") % words)
    sentence = ngettext("%(n)d unit added.", "%(n)d units added.", len(devices))
    return Answer(OK, "added", sentence % {"n": len(devices)})
