"""Decides whether a scanned device may be packed, in the same way for a scan, a pasted list and a photo."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from claims.models import Shipment, ShipmentUnit
from claims.scanning import sentences
from claims.scanning.answers import BAD, OK, WARN, Answer
from claims.scanning.scans import Scan
from console import sql
from devices import causes
from devices.models import Device, DeviceStatus, Product

# The number of recently packed devices on the packing page.
SHOWN = 12


@dataclass(frozen=True)
class Progress:
    """How many devices of a product are packed, and how many are expected (None if no number was ordered)."""

    product: Any
    packed: int
    expected: int | None

    @property
    def is_short(self) -> bool:
        """Whether fewer devices are packed than expected."""
        return self.expected is not None and self.packed < self.expected

    @property
    def percent(self) -> int:
        """Return the packed share of the expected devices in percent, from 0 to 100."""
        return min(100, self.packed * 100 // self.expected) if self.expected else 100


def progress(shipment: Shipment) -> list[Progress]:
    """Return the progress of each product that is expected or packed, in line order. Takes three queries."""
    lines = list(shipment.lines.select_related("product").order_by("pk"))
    packed = packed_by_product(shipment)
    counts = [Progress(line.product, packed.pop(line.product_id, 0), line.expected) for line in lines]
    if packed:
        # unscoped: products of devices in a visible shipment
        others = Product.objects.filter(organization=shipment.organization_id, pk__in=packed).order_by("name_key")
        counts += [Progress(product, packed[product.pk], None) for product in others]
    return counts


def packed_by_product(shipment: Shipment) -> dict[int, int]:
    """Return the number of devices in the shipment by product id."""
    rows = shipment.units.order_by().values_list("device__product").annotate(n=Count("pk"))
    return dict(rows)


def choose(shipment: Shipment, found: list[Scan]) -> list[Device | Answer]:
    """Return for each scan the device it identifies, or an answer if it does not identify exactly one."""
    expected: set[int] = set()
    if any(len(scan.devices) > 1 for scan in found):
        expected = set(shipment.lines.values_list("product", flat=True))
    return [_chosen(scan, expected) for scan in found]


def _chosen(scan: Scan, expected: set[int]) -> Device | Answer:
    """Return the scanned device or an answer. If devices share a serial number, the expected product decides."""
    if scan.devices and not scan.is_sure:
        return Answer(WARN, "ambiguous", sentences.unsure(scan), scan.devices)
    if scan.devices:
        if len(scan.devices) == 1:
            return scan.devices[0]
        fitting = [device for device in scan.devices if device.product_id in expected]
        if len(fitting) == 1:
            return fitting[0]
        said = _("%(text)s matches several devices. Which one is it?")
        return Answer(WARN, "ambiguous", said % {"text": sentences.shown(scan.text)}, scan.devices)
    if scan.returned is not None:
        return Answer(
            BAD,
            "a_return",
            _("%(code)s is a return slip. Scan the device itself.") % {"code": scan.returned.code},
            about=scan.returned,
        )
    if scan.is_offer:
        return Answer(BAD, "no_unit", _("This claim code isn't for a single device. Scan the device's own label."))
    return Answer(BAD, "unknown", sentences.unknown(scan))


class Judge:
    """Decides whether devices may be packed, from a snapshot taken at construction. The caller locks the shipment.

    `room` is the number of devices of each product still to be packed; None if the shipment has no lines.
    """

    def __init__(self, shipment: Shipment, ids: Iterable[int]) -> None:
        self.shipment = shipment
        expected = dict(shipment.lines.values_list("product", "expected"))
        packed = packed_by_product(shipment) if expected else {}
        self.room = Counter({pk: number - packed.get(pk, 0) for pk, number in expected.items()}) if expected else None
        # unscoped: devices that the actor could find
        units = sql.having_ids(ShipmentUnit.objects.select_related("shipment"), "device_id", list(ids))
        # A device may be in older shipments too: prefer the one it is packed in now, then this one.
        ordered = sorted(units, key=lambda unit: (unit.is_open, unit.shipment_id == shipment.pk, unit.pk))
        self.units = {unit.device_id: unit for unit in ordered}

    def refusal(self, device: Device) -> Answer | None:
        """Return why the device can't be packed, or None if it can. Counts it towards its product then."""
        answer = self._why(device)
        return replace(answer, device=device) if answer else None

    def _why(self, device: Device) -> Answer | None:
        name = {"serial": device.serial_number}
        here = self.units.get(device.pk)
        if here is not None and here.is_open and here.shipment_id == self.shipment.pk:
            return already_here(device)
        if cause := causes.of(device):
            return self._by_cause(cause, device, here)
        if here is not None and here.shipment_id == self.shipment.pk:
            # It was claimed and came back, so it already counts towards this shipment.
            return None
        if self.room is None:
            return None
        if device.product_id not in self.room:
            words = name | {"product": device.product.name}
            return Answer(BAD, "wrong_product", _("%(product)s wasn't ordered. %(serial)s was not added.") % words)
        if self.room[device.product_id] < 1:
            words = name | {"product": device.product.name}
            return Answer(
                BAD, "too_many", _("All ordered %(product)s devices are packed. %(serial)s was not added.") % words
            )
        self.room[device.product_id] -= 1
        return None

    def _by_cause(self, cause: causes.Cause, device: Device, here: ShipmentUnit | None) -> Answer:
        """Return the answer to a cause. It names the device, because many are scanned in a row."""
        words = {
            "serial": device.serial_number,
            "owner": device.customer or "",
            "customer": self.shipment.customer,
            "shipment": here.shipment.code if here is not None else "",
        }
        if device.status == DeviceStatus.OWNED and device.customer_id == self.shipment.customer_id:
            return Answer(WARN, "owned_already", _("%(serial)s already belongs to %(customer)s.") % words)
        sentences = {
            "archived": _("%(serial)s is archived."),
            "reserved": _("%(serial)s is packed in %(shipment)s."),
            "already_owned": _("%(serial)s belongs to %(owner)s. Unclaim it first."),
            "in_quarantine": _("%(serial)s was returned and hasn't been inspected yet."),
            "scrapped": _("%(serial)s is scrapped."),
        }
        about = here.shipment if here is not None and cause.code == "reserved" else None
        return Answer(BAD, cause.code, sentences[cause.code] % words, about=about)


def added(devices: list[Device]) -> Answer:
    """Return the answer for devices that were packed."""
    if len(devices) == 1:
        words = {"serial": devices[0].serial_number, "product": devices[0].product.name}
        return Answer(OK, "added", _("%(serial)s added, %(product)s.") % words, device=devices[0])
    return Answer(OK, "added", _number_added(len(devices)))


def already_here(device: Device) -> Answer:
    """Return the answer for a device that is already packed in this shipment."""
    sentence = _("%(serial)s is already in this shipment.") % {"serial": device.serial_number}
    return Answer(WARN, "already_here", sentence, device=device)


def gathered(answers: Iterable[Answer]) -> list[Answer]:
    """Combine the answers of all packed devices into one, followed by each of the other answers."""
    answers = list(answers)
    inside = [answer for answer in answers if answer.code == "added"]
    others = [answer for answer in answers if answer.code != "added"]
    if len(inside) > 1:
        inside = [Answer(OK, "added", _number_added(len(inside)))]
    return inside + others


def _number_added(count: int) -> str:
    return ngettext("%(n)d device added.", "%(n)d devices added.", count) % {"n": count}
