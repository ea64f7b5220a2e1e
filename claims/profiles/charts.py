"""Claims by day, as numbers that a template draws."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import date_format

DAYS, STEP, WIDTH, HEIGHT = 30, 24, 18, 112


@dataclass(frozen=True)
class Bar:
    """One day. Places and sizes are text, so that no template groups their digits."""

    day: date
    number: int
    x: str
    y: str
    height: str
    is_today: bool

    @property
    def label(self) -> str:
        """The day in words."""
        return date_format(self.day, "j M")


@dataclass(frozen=True)
class Chart:
    """The bars of the last days, the last one being today."""

    bars: list[Bar]

    width, height, bar_width = str(DAYS * STEP), str(HEIGHT + 2), str(WIDTH)

    @property
    def total(self) -> int:
        """All claims of these days."""
        return sum(bar.number for bar in self.bars)

    @property
    def first(self) -> Bar:
        """The first of the days."""
        return self.bars[0]


def beginning(now: datetime | None = None) -> datetime:
    """The instant at which the first of the days begins where the reader is."""
    first = timezone.localdate(now) - timedelta(days=DAYS - 1)
    return timezone.make_aware(datetime.combine(first, time.min))


def by_day(claims: QuerySet, *, now: datetime | None = None) -> Chart:
    """The claims of the last 30 days where the reader is, in one query."""
    today = timezone.localdate(now)
    first, start = today - timedelta(days=DAYS - 1), beginning(now)
    rows = (
        claims.filter(at__gte=start).order_by().annotate(day=TruncDate("at")).values_list("day").annotate(n=Count("pk"))
    )
    counts = dict(rows)
    numbers = [counts.get(first + timedelta(days=place), 0) for place in range(DAYS)]
    # A single claim is no tower.
    most = max(*numbers, 4)
    bars = []
    for place, number in enumerate(numbers):
        height = max(3, round(number * HEIGHT / most)) if number else 0
        day = first + timedelta(days=place)
        bars.append(
            Bar(day, number, str(place * STEP + (STEP - WIDTH) // 2), str(HEIGHT - height), str(height), day == today)
        )
    return Chart(bars)
