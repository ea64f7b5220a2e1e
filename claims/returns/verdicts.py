"""Whether a unit on the bench can be received, and why not: for the workbench, which says it, and for the action."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from claims.models import Return, ReturnState
from devices import causes
from devices.models import Device, DeviceStatus


@dataclass(frozen=True)
class Verdict:
    """The code is empty where the unit can be received, `not_owned` where that has to be asked for."""

    code: str = ""
    sentence: str = ""

    @property
    def is_fit(self) -> bool:
        """Whether it is received without further ado."""
        return not self.code

    @property
    def can_anyway(self) -> bool:
        """Whether it is received where somebody asks for it all the same."""
        return self.code == "not_owned"


def of(device: Device, under_way: Return | None) -> Verdict:
    """Whether the unit can be received; `under_way` is its return that is not over yet."""
    cause = causes.of(device)
    if device.archived_at and cause:
        return Verdict(*cause)
    if device.status == DeviceStatus.OWNED:
        return Verdict()
    if device.status == DeviceStatus.RETURNED:
        if under_way is None or under_way.state == ReturnState.REQUESTED:
            return Verdict()
        return Verdict("in_quarantine", _("It was received already, as %(code)s.") % {"code": under_way.code})
    if cause:
        return Verdict(*cause)
    return Verdict("not_owned", _("Nobody owns it."))


def unknown() -> Verdict:
    """For an id that is no unit of the organization."""
    return Verdict(*causes.no_such_device())


def label(device: Any) -> str:
    """What a unit is called in a list of refusals."""
    return device.serial_number if device is not None else "?"
