"""Secrets that are shown once: a POST stores the secret and redirects to a page that shows it.

Reloading that page therefore creates no second secret. Until the page is loaded, for a few minutes at most, the secret
is stored encrypted in the session, and its key in a cookie for that page alone: neither the database nor the cookie
reveals it by itself.
"""

import time
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render

from console.requests import Request

SECONDS = 300
COOKIE, PLACE = "custody_once", "once"


def lead_to(request: Request, url: str, text: str) -> HttpResponseRedirect:
    """Redirect to the page at `url`, which shows the text the first time that it is loaded and calls `take`."""
    key, response = Fernet.generate_key(), HttpResponseRedirect(url, status=303)
    _write(request, {**_read(request), url: [Fernet(key).encrypt(text.encode()).decode(), int(time.time())]})
    response.set_cookie(
        COOKIE, key.decode(), max_age=SECONDS, path=url, secure=settings.SECURE, httponly=True, samesite="Lax"
    )
    return response


def show(request: Request, template: str, name: str, **context: Any) -> HttpResponse:
    """Return the page with the text as `name` in its context, only once; afterwards `name` is empty."""
    text = take(request)
    response = render(request, template, {**context, name: text})
    if text:
        forget(request, response)
    return response


def take(request: Request) -> str:
    """Return the text that this page shows and delete it; empty if there is none, or if it was already shown."""
    kept = _read(request)
    if request.path not in kept or request.method != "GET":
        return ""
    sealed, _at = kept.pop(request.path)
    _write(request, kept)
    try:
        return Fernet(request.COOKIES.get(COOKIE, "")).decrypt(sealed, ttl=SECONDS).decode()
    except (InvalidToken, ValueError):
        return ""


def forget(request: Request, response: HttpResponseBase) -> HttpResponseBase:
    """Delete the cookie of this page."""
    response.delete_cookie(COOKIE, path=request.path, samesite="Lax")
    return response


def _read(request: Request) -> dict[str, list[Any]]:
    """Return the secrets of the session that have not expired."""
    since = time.time() - SECONDS
    return {url: kept for url, kept in request.session.get(PLACE, {}).items() if kept[1] > since}


def _write(request: Request, kept: dict[str, list[Any]]) -> None:
    if kept:
        request.session[PLACE] = kept
    else:
        request.session.pop(PLACE, None)
