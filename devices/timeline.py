"""A device's life as a bar: who owned it from when to when, and when nobody did."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

# In hundredths of the bar. Shorter parts are still drawn this wide, so that none vanishes.
NARROWEST = 0.6
# The width that a name needs, plus one for each letter.
NARROWEST_NAME = 3.0
# The gap between two parts.
SEAM = 0.25
# The format of the moments under the bar, by the length of the bar.
FORMS = [(timedelta(days=120), "M Y"), (timedelta(days=4), "j M"), (timedelta(0), "j M H:i")]


@dataclass(frozen=True)
class Part:
    """One part of the bar, in hundredths of its width, as text for CSS. `kind` is gap, past or now."""

    x: str
    width: str
    kind: str
    label: str
    start: datetime
    end: datetime | None

    @property
    def has_room(self) -> bool:
        """Whether the label fits at the width that the bar has on a desktop screen."""
        return float(self.width) >= NARROWEST_NAME + len(self.label)


def parts(made_at: datetime, spans: Iterable[Any], now: datetime | None = None) -> list[Part]:
    """Return the parts from the registration of the device until now, the first one first."""
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


def _laid_out(stretches: list[Any], begin: datetime, now: datetime) -> list[Part]:
    lengths = [max(0.0, ((end or now) - start).total_seconds()) for start, end, _kind, _label in stretches]
    whole = sum(lengths) or 1.0
    widths = [max(NARROWEST, 100 * length / whole) for length in lengths]
    stretch, x, laid = 100 / sum(widths), 0.0, []
    for (start, end, kind, label), width in zip(stretches, widths, strict=True):
        drawn = max(width * stretch - SEAM, SEAM)
        laid.append(Part(f"{x:.2f}", f"{drawn:.2f}", kind, label, start, end))
        x += width * stretch
    return laid


def scale(made_at: datetime, stretches: list[Part], now: datetime | None = None) -> list[str]:
    """Return four evenly spaced moments under the bar, as precise as its length requires; repeated ones are empty."""
    now = now or timezone.now()
    begin = stretches[0].start if stretches else made_at
    length = now - begin
    form = next(form for least, form in FORMS if length >= least)
    moments = [timezone.localtime(begin + length * step / 4) for step in range(4)]
    words = [date_format(moment, form) for moment in moments]
    return [word if word != before else "" for before, word in zip(["", *words], words, strict=False)]
