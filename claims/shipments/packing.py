"""What becomes of a unit that is scanned at a shipment: one verdict for each, the same for a scan, a list and a photo."""

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

# So many of the newest units stand on the packing page.
SHOWN = 12


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
        # unscoped: those of a visible shipment's units
        others = Product.objects.filter(organization=shipment.organization_id, pk__in=packed).order_by("name_key")
        counts += [Progress(product, packed[product.pk], None) for product in others]
    return counts


def packed_by_product(shipment: Shipment) -> dict[int, int]:
    """How many units of each product are in the shipment."""
    rows = shipment.units.order_by().values_list("device__product").annotate(n=Count("pk"))
    return dict(rows)


def choose(shipment: Shipment, found: list[Scan]) -> list[Device | Answer]:
    """For each scan the unit that it means, or the answer where it means none."""
    expected: set[int] = set()
    if any(len(scan.devices) > 1 for scan in found):
        expected = set(shipment.lines.values_list("product", flat=True))
    return [_chosen(scan, expected) for scan in found]


def _chosen(scan: Scan, expected: set[int]) -> Device | Answer:
    """Of units that share a serial number it is the one whose product is expected."""
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
            _("%(code)s is a return slip. Scan the unit itself.") % {"code": scan.returned.code},
            about=scan.returned,
        )
    if scan.is_offer:
        return Answer(BAD, "no_unit", _("This claim code isn't for a single unit. Scan the unit's own label."))
    return Answer(BAD, "unknown", sentences.unknown(scan))


class Judge:
    """Says of units whether they may be packed, as of the moment at which it was made; the shipment is held meanwhile.

    `room` is how many of each product are still to come; None where the shipment expects nothing in particular.
    """

    def __init__(self, shipment: Shipment, ids: Iterable[int]) -> None:
        self.shipment = shipment
        expected = dict(shipment.lines.values_list("product", "expected"))
        packed = packed_by_product(shipment) if expected else {}
        self.room = Counter({pk: number - packed.get(pk, 0) for pk, number in expected.items()}) if expected else None
        # unscoped: of devices that were found for the actor
        units = sql.having_ids(ShipmentUnit.objects.select_related("shipment"), "device_id", list(ids))
        # A unit may have gone out in older shipments; what counts is where it lies now, else its place in this one.
        ordered = sorted(units, key=lambda unit: (unit.is_open, unit.shipment_id == shipment.pk, unit.pk))
        self.units = {unit.device_id: unit for unit in ordered}

    def refusal(self, device: Device) -> Answer | None:
        """Why the unit can't be packed; None where it can, and then its place is taken."""
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
            # It was claimed and came back: its place here is kept.
            return None
        if self.room is None:
            return None
        if device.product_id not in self.room:
            words = name | {"product": device.product.name}
            return Answer(BAD, "wrong_product", _("%(serial)s is %(product)s, which wasn't ordered.") % words)
        if self.room[device.product_id] < 1:
            words = name | {"product": device.product.name}
            return Answer(
                BAD, "too_many", _("All ordered units of %(product)s are packed. %(serial)s was not added.") % words
            )
        self.room[device.product_id] -= 1
        return None

    def _by_cause(self, cause: causes.Cause, device: Device, here: ShipmentUnit | None) -> Answer:
        """Return the answer to a cause. At the bench its sentence names the unit, for many are scanned in a row."""
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
    """The answer for units that were packed."""
    if len(devices) == 1:
        words = {"serial": devices[0].serial_number, "product": devices[0].product.name}
        return Answer(OK, "added", _("%(serial)s added, %(product)s.") % words, device=devices[0])
    return Answer(OK, "added", _number_added(len(devices)))


def already_here(device: Device) -> Answer:
    """The answer for a unit that was packed before."""
    sentence = _("%(serial)s is already in this shipment.") % {"serial": device.serial_number}
    return Answer(WARN, "already_here", sentence, device=device)


def gathered(answers: Iterable[Answer]) -> list[Answer]:
    """One answer for all that went in, and after it each of the others."""
    answers = list(answers)
    inside = [answer for answer in answers if answer.code == "added"]
    others = [answer for answer in answers if answer.code != "added"]
    if len(inside) > 1:
        inside = [Answer(OK, "added", _number_added(len(inside)))]
    return inside + others


def _number_added(count: int) -> str:
    return ngettext("%(n)d unit added.", "%(n)d units added.", count) % {"n": count}
