"""What a bench says of a scan, and what somebody can do next about it. The same for packing and for returns."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from devices.models import Device

OK, WARN, BAD = "ok", "warn", "bad"
ICONS = {OK: "circle-check", WARN: "circle-alert", BAD: "circle-x"}
# These are no refusals: the unit is where it was to be, or the sentence is not about a unit.
PASSING = {"added", "taken_out", "already_here", "on_bench", "unfit", "keyboard", "nothing"}


@dataclass(frozen=True)
class Step:
    """Something to do about an answer: a link, or a unit to be taken out of another shipment by a POST to `url`."""

    label: str
    icon: str
    url: str
    take_out: int | None = None


@dataclass(frozen=True)
class Answer:
    """What one scan came to: `tone` is ok, warn or bad; `twins` are units among which to choose.

    `scanned` is what was scanned, as it would be scanned again. `device` and `about` (a return, a shipment) are what it
    is about, where that is known.
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
        """The icon that says the tone without its colour."""
        return ICONS[self.tone]

    @property
    def stays(self) -> bool:
        """Whether the scan was refused, so that it stays in a list until somebody has dealt with it."""
        return bool(self.scanned) and self.code not in PASSING


def tone(answers: Iterable[Answer]) -> str:
    """The worst of the answers, for the sound. What is said of the scanner itself makes none."""
    tones = {answer.tone for answer in answers if answer.code != "keyboard"}
    return next((each for each in (BAD, WARN, OK) if each in tones), "")
