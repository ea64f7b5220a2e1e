"""Why a device can't be assigned or used: one code and one sentence for each cause, the same everywhere."""

from datetime import datetime
from typing import Any, NamedTuple, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from devices.models import DeviceStatus

# The code and the sentence for each status of a device.
_OF_STATUS = {
    str(DeviceStatus.OWNED): ("already_owned", gettext_lazy("It already has an owner. Unclaim it first.")),
    str(DeviceStatus.RESERVED): (
        "reserved",
        gettext_lazy("It is packed in an open shipment. Remove it from the shipment first."),
    ),
    str(DeviceStatus.RETURNED): (
        "in_quarantine",
        gettext_lazy("It was returned and hasn't been inspected yet. Inspect it first."),
    ),
    str(DeviceStatus.SCRAPPED): ("scrapped", gettext_lazy("It has been scrapped.")),
}
# Why an act can't be undone, by what happened to the device since: its status, or a word for other changes.
SINCE: dict[str, Any] = {
    "archived": gettext_lazy("It has been archived since."),
    "changed_hands": gettext_lazy("It has changed hands since."),
    DeviceStatus.OWNED: gettext_lazy("It has an owner again."),
    DeviceStatus.RESERVED: gettext_lazy("It has been packed in a shipment since."),
    DeviceStatus.SCRAPPED: gettext_lazy("It has been scrapped since."),
    DeviceStatus.RETURNED: gettext_lazy("It has been put in quarantine since."),
    "": gettext_lazy("Someone else changed it at the same time."),
}


class Standing(Protocol):
    """What a cause depends on: a device, or the part of its data that was read."""

    status: str
    archived_at: datetime | None


class Cause(NamedTuple):
    """A stable code for programs, and a sentence that says what to do next."""

    code: str
    sentence: str


def of(device: Standing) -> Cause | None:
    """Return the cause, or None for a device in stock. *Archived* takes precedence over every other cause."""
    if device.archived_at:
        return Cause("archived", _("It is archived. Restore it first."))
    found = _OF_STATUS.get(str(device.status))
    return Cause(found[0], str(found[1])) if found else None


def no_such_device() -> Cause:
    """Return the cause for a name that belongs to no device of the organization."""
    return Cause("not_found", _("There is no such device."))
