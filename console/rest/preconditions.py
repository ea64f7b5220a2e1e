"""ETags of single objects, and calls that depend on an unchanged object (RFC 9110, 8.8.3, 13.1).

An ETag is a digest of what the GET of the object returns to this caller, so it needs no column and covers everything
that the response shows. `If-Match` is compared while the row is locked, in the transaction of the work: of two calls
with the same ETag, the second finds a changed object.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any

from django.db.models import Model
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer

from console import edits
from console.errors import Refused
from console.rest import idempotency
from console.transactions import retrying

_TAG = re.compile(r'(W/)?"([!#-~\x80-\xff]*)"')


def of(data: Any) -> str:
    """Return the strong ETag of a response."""
    return f'"{hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32]}"'


def is_among(tag: str, header: str, *, weakly: bool = False) -> bool:
    """Whether the header contains this ETag or `*`. A weak one matches only if `weakly` is set."""
    if header.strip() == "*":
        return True
    return any(f'"{name}"' == tag and (weakly or not weak) for weak, name in _TAG.findall(header))


def is_asked(request: Any) -> bool:
    """Whether a call that changes something is conditional."""
    return "If-Match" in request.headers or "If-None-Match" in request.headers


def guarded(request: Any, act: Callable[[], Any]) -> Any:
    """Return the response of `act` if the object meets the call's conditions. Raises Refused (412) if not.

    The object is what the GET of the call's address returns or, for a verb below it (`/shipments/7/ship`), what the GET
    of the nearest address above returns.
    """
    answer = _guarded(request, act)
    if isinstance(answer, Exception):
        raise answer
    return answer


@retrying
def _guarded(request: Any, act: Callable[[], Any]) -> Any:
    """Return the response or the refusal. Raising it here would roll back what was recorded about the refusal."""
    try:
        _compare(request, _object_of(request))
        return act()
    except idempotency.REFUSALS as refusal:
        return refusal


def _compare(request: Any, found: tuple[Any, dict[str, Any]] | None) -> None:
    if found is None:
        raise _failed(_("This resource has no ETag. Send the call without If-Match and If-None-Match."))
    tag = _tag_now(request, *found)
    wanted, unwanted = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if wanted is not None and not is_among(tag, wanted):
        raise _failed(_("Someone else changed this since you read it. Read it again, then decide."), tag)
    if unwanted is not None and is_among(tag, unwanted, weakly=True):
        raise _failed(_("It already exists, but If-None-Match requires that it doesn't."), tag)


def _tag_now(request: Any, getter: Any, arguments: dict[str, Any]) -> str:
    """Return the current ETag of the object, with its row locked until this transaction ends."""
    seen = getter.run(request, **arguments)
    row = seen if isinstance(seen, Model) else request.actor.organization
    edits.hold(row)
    now = getter.run(request, **arguments)
    if now is seen and isinstance(now, Model):
        now.refresh_from_db()
    return of(getter.answer(request, now).data)


def _object_of(request: Any) -> tuple[Any, dict[str, Any]] | None:
    """Return the GET of the object that the call changes, with its arguments.

    None if there is no such GET, or if this caller may not use it.
    """
    parts = request.path.split("/")
    for end in range(len(parts), 1, -1):
        found = _getter_at("/".join(parts[:end]))
        if found is not None:
            needed = found[0].needed(request.actor)
            return found if found[0].is_for_any_key or (needed and request.actor.may(needed)) else None
        if end == len(parts) and parts[-1].isdecimal():
            # An object that no call reads. The ETag of its parent belongs to a different object.
            return None
    return None


def _getter_at(path: str) -> tuple[Any, dict[str, Any]] | None:
    try:
        match = resolve(path)
    except Resolver404:
        return None
    getter = getattr(match.func, "endpoints", {}).get("get")
    return (getter, match.kwargs) if getter is not None and getter.is_single else None


def _failed(sentence: str, tag: str = "") -> Refused:
    return Refused("precondition_failed", sentence, status=412, headers={"ETag": tag} if tag else None)
