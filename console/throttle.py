"""Counts attempts in the database, per place, in a sliding window, before anything is looked up."""

import hashlib
import ipaddress
import time
from typing import Any

from allauth.account.adapter import get_adapter
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils.translation import gettext as _

from console.errors import Refused
from console.models import Throttle

# The window of rows that only serve to take turns; they are never deleted.
NEVER = 2**62
# A window is counted in this many slices. An attempt counts until its whole slice has left the window: the limit is
# never exceeded in any stretch of that length, and nobody waits longer than one slice more than necessary.
SLICES = 10


def address_of(request: HttpRequest) -> str:
    """Return where a request comes from: the address behind the trusted proxies; for IPv6, its /64 network."""
    text = get_adapter().get_client_ip(request)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(getattr(address, "ipv4_mapped", None) or address)


def spend(scope: str, who: str, *, limit: int, seconds: int, at: float | None = None) -> None:
    """Count one attempt of `who` at `scope`. Raises Refused (429) if `limit` were counted in the last `seconds`.

    The count is committed in a transaction of its own, so that a later refusal can't roll it back.
    """
    left = _try(scope, who, limit=limit, seconds=seconds, at=at)
    if left:
        raise Refused(
            "too_many_tries",
            _("Too many attempts. Wait %(n)d min and try again.") % {"n": max(1, round(left / 60))},
            status=429,
            headers={"Retry-After": str(int(left) + 1)},
        )


def has_left(scope: str, who: str, *, limit: int, seconds: int, at: float | None = None) -> bool:
    """Count one attempt as `spend` does, and return whether it was within the limit."""
    return not _try(scope, who, limit=limit, seconds=seconds, at=at)


def has_room(scope: str, who: str, *, limit: int, seconds: int, at: float | None = None) -> bool:
    """Whether an attempt would be within the limit. Counts nothing, so use it to choose a path, not to guard one."""
    now = time.time() if at is None else at
    row = Throttle.objects.filter(key=_key(scope, who)).values_list("tries", flat=True).first()
    return sum(count for _start, count in _within(row or [], now, seconds)) < limit


def give_back(scope: str, who: str) -> None:
    """Subtract the newest attempt, because it was not a guess."""
    key = _key(scope, who)
    with transaction.atomic():
        if not _hold(key):
            return
        tries = _read(key)
        if tries:
            start, count = tries.pop()
            _write(key, [*tries, *([[start, count - 1]] if count > 1 else [])])


def delete_old(before: float) -> int:
    """Delete the counts whose last attempt was before the Unix time `before`."""
    return Throttle.objects.filter(window__lt=int(before)).delete()[0]


def take_turn(scope: str, who: str) -> None:
    """Make the transactions of `who` at `scope` wait for each other, until the surrounding one ends."""
    key = _key(scope, who)
    Throttle.objects.bulk_create([Throttle(key=key, window=NEVER)], ignore_conflicts=True)
    Throttle.objects.filter(key=key).update(count=F("count") + 1)


def _try(scope: str, who: str, *, limit: int, seconds: int, at: float | None) -> float:
    """Count an attempt if the limit allows it, else return the seconds until it does."""
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
    """Return the seconds until enough attempts have left the window, at least 1; a whole window if the limit is 0."""
    for start, count in tries:
        over -= count
        if over <= 0:
            return max(start + seconds - now, 1.0)
    return seconds


def _hold(key: str) -> int:
    """Lock the row until the transaction ends, so that others read what it writes. Returns whether the row exists."""
    return Throttle.objects.filter(key=key).update(count=F("count"))


def _read(key: str) -> list[list[float]]:
    return Throttle.objects.values_list("tries", flat=True).get(key=key)


def _write(key: str, tries: list[Any], *, at: float | None = None) -> None:
    seen = {} if at is None else {"window": int(at)}
    Throttle.objects.filter(key=key).update(tries=tries, **seen)


def _key(scope: str, who: str) -> str:
    return hashlib.sha256(f"{scope}:{who}".encode()).hexdigest()
