"""The events of edited exports."""

from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.audit import subjects
from console.audit.kinds import Kind
from devices.events import DEVICES
from devices.models import RoundTrip

CHANGES_APPLIED = Kind(
    "device.changes_applied",
    _("Changes from a file applied"),
    "file-spreadsheet",
    _("{actor} changed devices with {subject}"),
    DEVICES,
)

subjects.register(subjects.Subject(RoundTrip, page="devices:device_changes_detail", may=Permission.DEVICE_ASSIGN))
