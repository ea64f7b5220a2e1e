"""Recognizes the browsers that a person has signed in with, by a signed cookie that grants no access.

See OWASP, "Slow Down Online Guessing Attacks with Device Cookies". Strangers who guess at an account use up the
allowance of strangers; the browsers of its owner are counted separately.
"""

import time
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

COOKIE, SALT = "custody_browser", "console.people.browsers"
AGE = 400 * 24 * 3600
# How many people may share a browser. With more, those who signed in first are forgotten.
MOST = 5


def remember(request: HttpRequest, response: HttpResponse, user: Any) -> None:
    """Mark the browser that gets `response` as one of this person's, along with others who signed in with it."""
    others = [entry for entry in _entries(request) if entry[0] != user.pk]
    # A precise time, so that it is later than a sign-out everywhere within the same second.
    entry = [user.pk, get_random_string(22), time.time()]
    response.set_cookie(
        COOKIE,
        signing.dumps([*others, entry][-MOST:], salt=SALT, compress=True),
        max_age=AGE,
        httponly=True,
        secure=settings.SECURE,
        samesite="Lax",
    )


def known(request: HttpRequest, user: Any) -> str | None:
    """Return the key under which this browser's tries at the person's account are counted, or None for a stranger's.

    A browser last used before the person signed out everywhere is a stranger's.
    """
    since = user.browsers_since.timestamp() if user is not None and user.browsers_since else 0.0
    for pk, nonce, at in _entries(request):
        if user is not None and pk == user.pk and at > since:
            return nonce
    return None


def last_person(request: HttpRequest) -> int | None:
    """Return the id of the person who signed in last with this browser."""
    entries = _entries(request)
    return entries[-1][0] if entries else None


def _entries(request: HttpRequest) -> list[Any]:
    text = request.COOKIES.get(COOKIE)
    if not text:
        return []
    try:
        return signing.loads(text, salt=SALT, max_age=AGE)
    except signing.BadSignature:
        return []
