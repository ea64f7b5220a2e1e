"""Rate limit of calls per key: a number per minute, and a burst of the same size. Each process counts separately."""

import time
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.throttling import BaseThrottle

from console.errors import Refused

MOST_KEYS = 10_000
_buckets: dict[int, tuple[float, float]] = {}


def spend(key_id: int, *, at: float | None = None) -> None:
    """Count a call. Raises Refused (429, with Retry-After) if the key has made too many."""
    now, rate = time.monotonic() if at is None else at, settings.API_CALLS_A_MINUTE
    left, then = _buckets.get(key_id, (float(rate), now))
    left = min(float(rate), left + (now - then) * rate / 60)
    if left < 1:
        wait = int((1 - left) * 60 / rate) + 1
        raise Refused(
            "too_many_requests",
            _("Too many calls. Wait %(n)d s, then continue.") % {"n": wait},
            status=429,
            headers={"Retry-After": str(wait)},
        )
    if len(_buckets) >= MOST_KEYS:
        _buckets.clear()
    _buckets[key_id] = (left - 1, now)


class CallsAMinute(BaseThrottle):
    """The rate limit of a key as a DRF throttle. It counts all calls to an endpoint, refused ones included."""

    def allow_request(self, request: Any, view: Any) -> bool:
        """Count the call. Raises Refused as `spend` does."""
        if view.endpoint is not None and request.auth is not None:
            spend(request.auth.pk)
        return True


def forget() -> None:
    """Reset the count of every key."""
    _buckets.clear()
