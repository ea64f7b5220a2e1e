"""What devices report about themselves: their firmware version, and that they have wiped themselves."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from console.access import system
from console.audit import record
from console.errors import Refused
from console.transactions import retrying
from devices import events, ledger, wiping
from devices.messages.actions import Publisher
from devices.models import Device, DeviceReport


@retrying
def report_firmware(version: str, *, by: Publisher, at: datetime | None = None) -> None:
    """Record which firmware version the device runs."""
    # Waits while the device changes hands, so that a report for the next owner isn't read before the change is
    # committed.
    ledger.lock([by.device_id])
    at = ledger.stamp(by.device_id, at)
    DeviceReport.objects.update_or_create(
        device_id=by.device_id,
        defaults={"firmware_version": version, "reported_at": at},
        create_defaults={"organization_id": by.organization_id, "firmware_version": version, "reported_at": at},
    )


@retrying
def confirm_wipe(asked_at: datetime, *, by: Publisher, at: datetime | None = None) -> None:
    """Record that the device has wiped itself, as it was asked to at `asked_at`. Confirming twice changes nothing.

    Raises Refused if no wipe was requested at that time: an older wipe says nothing about the last owner's data.
    """
    asked = Device.objects.filter(pk=by.device_id, wipe_asked_at=asked_at)
    device = Device.objects.select_related("organization").get(pk=by.device_id)
    owners = wiping.named(wiping.owners_of(device))
    if asked.filter(wipe_confirmed_at=None).update(wipe_confirmed_at=at or timezone.now(), wipe_since=None):
        record(
            events.WIPED,
            device,
            by=system(device.organization, str(device)),
            at=at,
            note=_("Data of %(owners)s") % {"owners": owners},
        )
    elif not asked.exists():
        raise Refused("not_asked", _("No wipe was requested at this time. Request the state again."))
