"""Answers to scans at the packing and returns workbenches, and the next steps that they offer."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from devices.models import Device

OK, WARN, BAD = "ok", "warn", "bad"
ICONS = {OK: "circle-check", WARN: "circle-alert", BAD: "circle-x"}
# Not refusals: the device is where it should be, or the answer is not about a device.
PASSING = {"added", "taken_out", "already_here", "on_workbench", "unfit", "keyboard", "nothing"}


@dataclass(frozen=True)
class Step:
    """Something to do about an answer: a link to `url`, or a button.

    With `take_out`, a POST to `url` removes that device from another shipment.
    """

    label: str
    icon: str
    url: str
    take_out: int | None = None


@dataclass(frozen=True)
class Answer:
    """The result of one scan: `tone` is ok, warn or bad; `twins` are devices to choose from.

    `scanned` is the text that a repeated scan would send. `device` and `about` (a return or a shipment) are what the
    answer is about, if known.
    """

    tone: str
    code: str
    text: str
    twins: list[Device] = field(default_factory=list)
    device: Device | None = None
    about: Any = None
    scanned: str = ""
    steps: list[Step] = field(default_factory=list)

    @property
    def icon(self) -> str:
        """Return the icon that conveys the tone independently of colour."""
        return ICONS[self.tone]

    @property
    def stays(self) -> bool:
        """Whether the scan was refused and stays listed until somebody has dealt with it."""
        return bool(self.scanned) and self.code not in PASSING


def tone(answers: Iterable[Answer]) -> str:
    """Return the worst tone of the answers, for the sound. Answers about the scanner itself are silent."""
    tones = {answer.tone for answer in answers if answer.code != "keyboard"}
    return next((each for each in (BAD, WARN, OK) if each in tones), "")
