"""How many calls a key may make: so many a minute, and a burst of as many. Counted in each process by itself."""

import time

from django.conf import settings
from django.utils.translation import gettext as _

from console.errors import Refused

MOST_KEYS = 10_000
_buckets: dict[int, tuple[float, float]] = {}


def spend(key_id: int, *, at: float | None = None) -> None:
    """Count a call. Raises Refused (429, with Retry-After) where the key has made too many."""
    now, rate = time.monotonic() if at is None else at, settings.API_CALLS_A_MINUTE
    left, then = _buckets.get(key_id, (float(rate), now))
    left = min(float(rate), left + (now - then) * rate / 60)
    if left < 1:
        wait = int((1 - left) * 60 / rate) + 1
        raise Refused(
            "too_many_requests",
            _("Too many calls. Wait %(n)d s and go on.") % {"n": wait},
            status=429,
            headers={"Retry-After": str(wait)},
        )
    if len(_buckets) >= MOST_KEYS:
        _buckets.clear()
    _buckets[key_id] = (left - 1, now)


def forget() -> None:
    """Let every key begin anew."""
    _buckets.clear()
