"""Secrets that are shown once: a POST keeps the secret and leads to a page that shows it, so no reload makes another.

Until that page is loaded, for a few minutes at most, the secret lies encrypted in the session and the key to it in a
cookie for that page alone: neither the database nor the cookie tells it by itself.
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
    """Lead to the page at `url`, which shows the text if it calls `take`, the first time that it is loaded."""
    key, response = Fernet.generate_key(), HttpResponseRedirect(url, status=303)
    _write(request, {**_read(request), url: [Fernet(key).encrypt(text.encode()).decode(), int(time.time())]})
    response.set_cookie(
        COOKIE, key.decode(), max_age=SECONDS, path=url, secure=settings.SECURE, httponly=True, samesite="Lax"
    )
    return response


def show(request: Request, template: str, name: str, **context: Any) -> HttpResponse:
    """Return the page with the text as `name` in its context, this once; later `name` is empty."""
    text = take(request)
    response = render(request, template, {**context, name: text})
    if text:
        forget(request, response)
    return response


def take(request: Request) -> str:
    """The text that this page shows, and from now on never again; nothing where there is none, or it was shown."""
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
    """Take the cookie of this page back."""
    response.delete_cookie(COOKIE, path=request.path, samesite="Lax")
    return response


def _read(request: Request) -> dict[str, list]:
    """What nobody came for in time is left out."""
    since = time.time() - SECONDS
    return {url: kept for url, kept in request.session.get(PLACE, {}).items() if kept[1] > since}


def _write(request: Request, kept: dict[str, list]) -> None:
    if kept:
        request.session[PLACE] = kept
    else:
        request.session.pop(PLACE, None)
