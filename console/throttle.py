"""Counts tries in the database, per place, over a window of time that slides, before anything is looked up."""

import hashlib
import ipaddress
import time

from allauth.account.adapter import get_adapter
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils.translation import gettext as _

from console.errors import Refused
from console.models import Throttle

# The window of the rows that are only taken turns at; it is never forgotten.
NEVER = 2**62
# A window is counted in so many slices. A try counts until its whole slice has left the window: never more than the
# limit in any stretch of that length, and at most one slice longer to wait.
SLICES = 10


def address_of(request: HttpRequest) -> str:
    """Where a request comes from: the address behind the trusted proxies, of IPv6 the /64 that one line has."""
    text = get_adapter().get_client_ip(request)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(getattr(address, "ipv4_mapped", None) or address)


def spend(scope: str, who: str, *, limit: int, seconds: int, at: float | None = None) -> None:
    """Count one try of `who` at `scope`. Raises Refused (429) where `limit` were counted in the last `seconds`.

    The count is committed by itself, so that a refusal that follows can't roll it back.
    """
    left = _try(scope, who, limit=limit, seconds=seconds, at=at)
    if left:
        raise Refused(
            "too_many_tries",
            _("Too many tries. Wait %(n)d min and try again.") % {"n": max(1, round(left / 60))},
            status=429,
            headers={"Retry-After": str(int(left) + 1)},
        )


def has_left(scope: str, who: str, *, limit: int, seconds: int, at: float | None = None) -> bool:
    """Count one try as `spend` does, and give whether it was within the limit."""
    return not _try(scope, who, limit=limit, seconds=seconds, at=at)


def has_room(scope: str, who: str, *, limit: int, seconds: int, at: float | None = None) -> bool:
    """Whether a try would be within the limit. It counts nothing: to choose a way by, not to guard one."""
    now = time.time() if at is None else at
    row = Throttle.objects.filter(key=_key(scope, who)).values_list("tries", flat=True).first()
    return sum(count for _start, count in _within(row or [], now, seconds)) < limit


def give_back(scope: str, who: str) -> None:
    """Count one try less, the newest: it was no guess."""
    key = _key(scope, who)
    with transaction.atomic():
        if not _hold(key):
            return
        tries = _read(key)
        if tries:
            start, count = tries.pop()
            _write(key, [*tries, *([[start, count - 1]] if count > 1 else [])])


def delete_old(before: float) -> int:
    """Delete the counts whose last try was before the Unix time `before`."""
    return Throttle.objects.filter(window__lt=int(before)).delete()[0]


def take_turn(scope: str, who: str) -> None:
    """Make the transactions of `who` at `scope` wait for each other, until the surrounding one ends."""
    key = _key(scope, who)
    Throttle.objects.bulk_create([Throttle(key=key, window=NEVER)], ignore_conflicts=True)
    Throttle.objects.filter(key=key).update(count=F("count") + 1)


def _try(scope: str, who: str, *, limit: int, seconds: int, at: float | None) -> float:
    """Count a try where there is room; else the seconds until there is."""
    now = time.time() if at is None else at
    key, slice_ = _key(scope, who), seconds / SLICES
    with transaction.atomic():
        while not _hold(key):
            Throttle.objects.bulk_create([Throttle(key=key, window=int(now))], ignore_conflicts=True)
        tries = _within(_read(key), now, seconds)
        over = sum(count for _start, count in tries) + 1 - limit
        if over > 0:
            return _wait(tries, over, seconds + slice_, now)
        start = now // slice_ * slice_
        if tries and tries[-1][0] >= start:
            tries[-1][1] += 1
        else:
            tries.append([start, 1])
        _write(key, tries, at=now)
    return 0.0


def _within(tries: list[list[float]], now: float, seconds: float) -> list[list[float]]:
    return [[start, count] for start, count in tries if start + seconds / SLICES > now - seconds]


def _wait(tries: list[list[float]], over: float, seconds: float, now: float) -> float:
    """When so many tries have left the window; where the limit is none, a whole window."""
    for start, count in tries:
        over -= count
        if over <= 0:
            return max(start + seconds - now, 1.0)
    return seconds


def _hold(key: str) -> int:
    """Whoever comes at the same time waits here, and reads what is written after it. Gives whether there is a row."""
    return Throttle.objects.filter(key=key).update(count=F("count"))


def _read(key: str) -> list[list[float]]:
    return Throttle.objects.values_list("tries", flat=True).get(key=key)


def _write(key: str, tries: list, *, at: float | None = None) -> None:
    seen = {} if at is None else {"window": int(at)}
    Throttle.objects.filter(key=key).update(tries=tries, **seen)


def _key(scope: str, who: str) -> str:
    return hashlib.sha256(f"{scope}:{who}".encode()).hexdigest()
