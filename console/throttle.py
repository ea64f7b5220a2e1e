"""Counts tries in the database, per place and window of time, before anything is looked up."""

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
    """Count one try of `who` at `scope`. Raises Refused (429) from the one after `limit` in a window of `seconds` on.

    The count is committed by itself, so that a refusal that follows can't roll it back.
    """
    now = time.time() if at is None else at
    key, window = _key(scope, who), _window(now, seconds)
    with transaction.atomic():
        Throttle.objects.bulk_create([Throttle(key=key, window=window)], ignore_conflicts=True)
        within = Throttle.objects.filter(key=key, window=window, count__lt=limit).update(count=F("count") + 1)
    if not within:
        left = window + seconds - now
        raise Refused("too_many_tries", _("Too many tries. Wait %(n)d min and try again.") % {"n": max(1, round(left / 60))},
                      status=429, headers={"Retry-After": str(int(left) + 1)})  # fmt: skip


def give_back(scope: str, who: str, *, seconds: int, at: float | None = None) -> None:
    """Count one try less: it was no guess."""
    window = _window(time.time() if at is None else at, seconds)
    Throttle.objects.filter(key=_key(scope, who), window=window, count__gt=0).update(count=F("count") - 1)


def forget_old(before: float) -> int:
    """Delete the counts of windows that began before the Unix time `before`."""
    return Throttle.objects.filter(window__lt=int(before)).delete()[0]


def take_turn(scope: str, who: str) -> None:
    """Make the transactions of `who` at `scope` wait for each other, until the surrounding one ends."""
    key = _key(scope, who)
    Throttle.objects.bulk_create([Throttle(key=key, window=NEVER)], ignore_conflicts=True)
    Throttle.objects.filter(key=key, window=NEVER).update(count=F("count") + 1)


def _key(scope: str, who: str) -> str:
    return hashlib.sha256(f"{scope}:{who}".encode()).hexdigest()


def _window(now: float, seconds: int) -> int:
    return int(now // seconds) * seconds
