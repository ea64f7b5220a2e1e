"""Opens, edits and cancels shipments. What is in them is changed by `contents`, and they leave by `shipping`."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from claims.models import Shipment, ShipmentLine, ShipmentState
from claims.shipments import events
from claims.shipments.actions import box_codes, states
from console import edits
from console.access import Actor
from console.audit import changes, record
from console.errors import Refused
from console.models import Operation
from console.numbers import next_number
from console.transactions import retrying
from customers.directory import actions as customers
from customers.models import Customer
from devices.log import record_devices
from devices.models import Product

Lines = dict[Product, int]


@retrying
def create(*, customer: Customer, lines: Lines, by: Actor, at: datetime | None = None, **fields: Any) -> Shipment:
    """Open a shipment for a customer. `lines` maps products to expected numbers of devices, and may be empty."""
    customers.lock(customer)
    shipment = Shipment(
        organization=by.organization,
        customer=customer,
        number=next_number(Shipment, by.organization.pk),
        created_at=at or timezone.now(),
        created_by=by.label[:200],
        **fields,
    )
    shipment.set_keys()
    shipment.save()
    _write_lines(shipment, lines)
    if shipment.is_claimed_by_code:
        box_codes.make(shipment, by=by, at=at)
    record(events.CREATED, shipment, by=by, about=customer, at=at)
    return shipment


@retrying
def edit(shipment: Shipment, *, by: Actor, lines: Lines | None = None, **fields: Any) -> Shipment:
    """Change only the given fields of an open shipment; `lines`, if given, replaces all lines.

    Raises Refused if the shipment is not open, or (422) if the customer changes while devices are packed.
    """
    states.lock(shipment)
    before = {} if lines is None else {"expected": _lines_text(shipment)}
    changed = edits.write(shipment, fields, keys={"order_number": "order_key"})
    if "customer" in changed and shipment.units.exists():
        raise Refused(
            "units_packed",
            _("Devices are packed for %(customer)s. Remove them before you change the customer.")
            % {"customer": changed["customer"][0]},
            status=422,
        )
    if lines is not None:
        _write_lines(shipment, lines)
        changed |= changes(before, {"expected": _lines_text(shipment)})
    if shipment.is_claimed_by_code and shipment.profile_id is None:
        box_codes.make(shipment, by=by)
    if changed:
        record(events.EDITED, shipment, by=by, about=shipment.customer, **changed)
    return shipment


@retrying
def cancel(shipment: Shipment, *, by: Actor, at: datetime | None = None) -> int:
    """Cancel the shipment and return its devices to stock, also for a sent box that came back unclaimed.

    Returns the number of devices. Raises Refused if the shipment is neither open nor sent.
    """
    at = at or timezone.now()
    states.move(shipment, frm=states.NOT_OVER, to=ShipmentState.CANCELLED, shipped_at=None, cancelled_at=at)
    ids = states.open_ids(shipment)
    states.free(ids)
    shipment.units.update(is_open=False)
    record_devices(events.DEVICE_UNPACKED, ids, by=by, about=shipment, at=at)
    record(events.CANCELLED, shipment, by=by, about=shipment.customer, at=at, units=len(ids))
    return len(ids)


@retrying
def reopen(shipment: Shipment, *, by: Actor) -> None:
    """Reopen a shipment after shipping it failed. Raises Refused while it is still being shipped."""
    operation = Operation.objects.filter(pk=shipment.operation_id).first()  # type: ignore[misc]  # None matches no row
    if operation is not None and not operation.is_over:
        raise Refused("under_way", _("This shipment is being shipped. Wait until it has finished."))
    states.move(shipment, frm=[ShipmentState.SHIPPING], to=ShipmentState.OPEN)
    record(events.REOPENED, shipment, by=by, about=shipment.customer)


def _write_lines(shipment: Shipment, lines: Lines) -> None:
    shipment.lines.all().delete()
    ShipmentLine.objects.bulk_create(
        [ShipmentLine(shipment=shipment, product=product, expected=number) for product, number in lines.items()]
    )


def _lines_text(shipment: Shipment) -> str:
    """Return the lines of a shipment in words, for the log."""
    return ", ".join(str(line) for line in shipment.lines.select_related("product").order_by("product__name_key"))
