"""The registered devices and customers that a file's rows are compared with, read in batches of thousands."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from console import sql
from customers.models import Customer
from devices.edited_exports.version import parts_of, version_of
from devices.manifest.registered import tags_of
from devices.models import Device, DeviceStatus

_COLUMNS = (
    "pk",
    "serial_number",
    "name_key",
    "product__name",
    "status",
    "customer_id",
    "customer__name",
    "customer__reference",
    "notes",
    "archived_at",
)


@dataclass
class RegisteredDevice:
    """A registered device, as the columns of a file describe it."""

    pk: int
    serial_number: str
    name_key: str
    product: str
    status: str
    customer_id: int | None
    customer: str | None
    reference: str | None
    notes: str
    archived_at: datetime | None
    tags: list[str] = field(default_factory=list)

    @cached_property
    def texts(self) -> dict[str, str]:
        """Return the texts of its cells, by the names of the columns."""
        return {
            "serial_number": self.serial_number,
            "product": self.product,
            "status": str(DeviceStatus(self.status).label),
            "owner": self.customer or "",
            "owner_reference": self.reference or "",
            "tags": ", ".join(self.tags),
            "notes": self.notes,
        }

    @cached_property
    def version(self) -> str:
        """Return the version of the device as it is now; see the module `version`."""
        return version_of(self.name_key, self.customer_id, self.texts)

    @cached_property
    def parts(self) -> dict[str, str]:
        """Return the parts of its version."""
        return parts_of(self.version) or {}


class Named(NamedTuple):
    """A customer, with the fields by which a row can name it."""

    pk: int
    name: str
    name_key: str
    reference_key: str
    archived_at: datetime | None


def registered_device(device: Device, tags: list[str]) -> RegisteredDevice:
    """Convert a device that was read with its product and customer."""
    owner = device.customer
    return RegisteredDevice(
        device.pk,
        device.serial_number,
        device.name_key,
        device.product.name,
        device.status,
        device.customer_id,
        owner.name if owner else None,
        owner.reference if owner else None,
        device.notes,
        device.archived_at,
        tags,
    )


def registered_devices(rows: Any) -> list[RegisteredDevice]:
    """Convert the devices of a queryset, with their tags, in two queries."""
    found = [RegisteredDevice(*each) for each in rows.order_by("pk").values_list(*_COLUMNS)]
    tags = tags_of([device.pk for device in found]) if found else {}
    for device in found:
        device.tags = tags.get(device.pk, [])
    return found


def devices_named(organization_id: int, name_keys: Iterable[str]) -> dict[str, RegisteredDevice]:
    """Return the organization's devices with these folded device names. Those of other organizations are not found."""
    mine = Device.objects.filter(organization=organization_id)  # unscoped: the organization of the file
    return {device.name_key: device for device in registered_devices(sql.having_ids(mine, "name_key", list(name_keys)))}


def customers_named(
    organization_id: int, names: set[str], references: set[str]
) -> tuple[dict[str, list[Named]], dict[str, Named]]:
    """Return the organization's customers with these folded names, and those with these folded references."""
    # unscoped: the organization of the file
    mine = Customer.objects.filter(organization=organization_id).order_by("pk")
    by_name: dict[str, list[Named]] = {}
    for each in _named(mine, "name_key", names):
        by_name.setdefault(each.name_key, []).append(each)
    # The index holds only non-empty references; the database uses it only if the query excludes empty ones too.
    by_reference = _named(mine.exclude(reference_key=""), "reference_key", references)
    return by_name, {each.reference_key: each for each in by_reference}


def _named(customers: Any, key: str, values: set[str]) -> list[Named]:
    if not values:
        return []
    return [Named(*each) for each in sql.having_ids(customers, key, sorted(values)).values_list(*Named._fields)]
