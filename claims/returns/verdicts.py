"""Whether a device on the workbench can be received, and if not, why. Shared by the workbench and the action."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from claims.models import Return, ReturnState
from devices import causes
from devices.models import Device, DeviceStatus


@dataclass(frozen=True)
class Verdict:
    """The result for one device. `code` is empty if it can be received, `not_owned` if that needs confirmation."""

    code: str = ""
    sentence: str = ""

    @property
    def is_fit(self) -> bool:
        """Whether the device can be received without confirmation."""
        return not self.code

    @property
    def can_anyway(self) -> bool:
        """Whether the device can be received if the user confirms it."""
        return self.code == "not_owned"


def of(device: Device, under_way: Return | None) -> Verdict:
    """Return the verdict on a device; `under_way` is its open return, if any."""
    cause = causes.of(device)
    if device.archived_at and cause:
        return Verdict(*cause)
    if device.status == DeviceStatus.OWNED:
        return Verdict()
    if device.status == DeviceStatus.RETURNED:
        if under_way is None or under_way.state == ReturnState.REQUESTED:
            return Verdict()
        return Verdict("in_quarantine", _("It has already been received as %(code)s.") % {"code": under_way.code})
    if cause:
        return Verdict(*cause)
    return Verdict("not_owned", _("It has no owner."))


def unknown() -> Verdict:
    """Return the verdict for an id that belongs to no device of the organization."""
    return Verdict(*causes.no_such_device())


def label(device: Any) -> str:
    """Return how a list of refusals names a device: its serial number, or "?" if there is no device."""
    return device.serial_number if device is not None else "?"
