"""Numbers of claims per day, as bars that a template draws."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import date_format

DAYS, STEP, WIDTH, HEIGHT = 30, 24, 18, 112


@dataclass(frozen=True)
class Bar:
    """A day. Positions and sizes are strings, so that templates do not insert thousands separators."""

    day: date
    number: int
    x: str
    y: str
    height: str
    is_today: bool

    @property
    def label(self) -> str:
        """The day as text, such as 3 May."""
        return date_format(self.day, "j M")


@dataclass(frozen=True)
class Chart:
    """The bars of the last 30 days, ending today."""

    bars: list[Bar]

    width, height, bar_width = str(DAYS * STEP), str(HEIGHT + 2), str(WIDTH)

    @property
    def total(self) -> int:
        """The number of claims in the period."""
        return sum(bar.number for bar in self.bars)

    @property
    def first(self) -> Bar:
        """The first day of the period."""
        return self.bars[0]


def beginning(now: datetime | None = None) -> datetime:
    """Return the start of the first day in the reader's time zone."""
    first = timezone.localdate(now) - timedelta(days=DAYS - 1)
    return timezone.make_aware(datetime.combine(first, time.min))


def by_day(claims: QuerySet[Any], *, now: datetime | None = None) -> Chart:
    """Return the claims of the last 30 days in the reader's time zone, in one query."""
    today = timezone.localdate(now)
    first, start = today - timedelta(days=DAYS - 1), beginning(now)
    rows = (
        claims.filter(at__gte=start).order_by().annotate(day=TruncDate("at")).values_list("day").annotate(n=Count("pk"))
    )
    counts = dict(rows)
    numbers = [counts.get(first + timedelta(days=place), 0) for place in range(DAYS)]
    # Scale to at least four claims, so that a single claim is not drawn at full height.
    most = max(*numbers, 4)
    bars = []
    for place, number in enumerate(numbers):
        height = max(3, round(number * HEIGHT / most)) if number else 0
        day = first + timedelta(days=place)
        bars.append(
            Bar(day, number, str(place * STEP + (STEP - WIDTH) // 2), str(HEIGHT - height), str(height), day == today)
        )
    return Chart(bars)
