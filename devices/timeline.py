"""A device's life as a bar: who owned it from when to when, and when nobody did."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

WIDTH = 1000
# A narrower part has no room for its name, and none may vanish.
NARROWEST = 6
ROOM_FOR_TEXT = 70


@dataclass(frozen=True)
class Part:
    """One stretch of the bar, in thousandths of its width. `kind` is gap, past or now."""

    x: float
    width: float
    kind: str
    label: str
    start: datetime
    end: datetime | None

    @property
    def text_x(self) -> float:
        """Where the label begins."""
        return self.x + 10

    @property
    def has_room(self) -> bool:
        """Whether the label fits."""
        return self.width >= max(ROOM_FOR_TEXT, 9 * len(self.label))


def parts(made_at: datetime, spans: Iterable[Any], now: datetime | None = None) -> list[Part]:
    """The stretches from when the device was registered until now, the first one first."""
    now = now or timezone.now()
    ordered = sorted(spans, key=lambda span: span.started_at)
    begin = min([made_at, *(span.started_at for span in ordered)])
    stretches: list[tuple[datetime, datetime | None, str, str]] = []
    at = begin
    for span in ordered:
        if span.started_at - at > timedelta(0):
            stretches.append((at, span.started_at, "gap", _("In stock")))
        stretches.append((span.started_at, span.ended_at, "past" if span.ended_at else "now", str(span.customer)))
        at = span.ended_at or now
    if not ordered or ordered[-1].ended_at:
        stretches.append((at, None, "gap", _("In stock")))
    return _laid_out(stretches, begin, now)


def _laid_out(stretches: list, begin: datetime, now: datetime) -> list[Part]:
    lengths = [max(0.0, ((end or now) - start).total_seconds()) for start, end, _kind, _label in stretches]
    whole = sum(lengths) or 1.0
    widths = [max(NARROWEST, WIDTH * length / whole) for length in lengths]
    scale, x, laid = WIDTH / sum(widths), 0.0, []
    for (start, end, kind, label), width in zip(stretches, widths, strict=True):
        laid.append(Part(round(x, 1), round(width * scale, 1), kind, label, start, end))
        x += width * scale
    return laid


def scale(made_at: datetime, stretches: list[Part], now: datetime | None = None) -> list[datetime]:
    """Four moments under the bar, evenly spread; the last one is now."""
    now = now or timezone.now()
    begin = stretches[0].start if stretches else made_at
    return [begin + (now - begin) * step / 4 for step in range(4)]
