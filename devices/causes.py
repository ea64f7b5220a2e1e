"""Why a device can't be given to anybody or used: one code and one sentence for each cause, at every door."""

from typing import NamedTuple

from django.utils.translation import gettext as _

from devices.models import Device, DeviceStatus


class Cause(NamedTuple):
    """The code is for programs and stays; the sentence says what to do next."""

    code: str
    sentence: str


def of(device: Device) -> Cause | None:
    """The cause, or None for a device in stock. An archived device is that before all else."""
    if device.archived_at:
        return Cause("archived", _("It is archived. Restore it first."))
    causes = {
        DeviceStatus.OWNED: ("already_owned", _("It already has an owner. Unclaim it first.")),
        DeviceStatus.RESERVED: ("reserved", _("It is packed in an open shipment. Take it out there first.")),
        DeviceStatus.RETURNED: ("in_quarantine", _("It came back and is not inspected yet. Inspect it first.")),
        DeviceStatus.SCRAPPED: ("scrapped", _("It is scrapped.")),
    }
    found = causes.get(DeviceStatus(device.status))
    return Cause(*found) if found else None


def no_such_device() -> Cause:
    """For a name that is no device of the organization."""
    return Cause("not_found", _("There is no such device."))
