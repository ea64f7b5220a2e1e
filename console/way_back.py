"""The way back to a list as the reader left it: with its filters, its order and its page.

A form that acts on rows of a list carries the list's address, as `next`. A page that is reached from the list by a link
leads back to the address that it was opened from; a page below that leads back to the list as this browser last showed
it. That is stored in a cookie, because a list is only read: it writes nothing on the server.
"""

import base64
import json
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme

from console.requests import Request

NEXT = "next"
COOKIE = "custody_lists"
# A longer address is not followed: it leads to the list without its filters. The cookie holds a few shorter ones.
LONGEST = 1_500
LONGEST_KEPT, MOST_KEPT = 500, 5


def given(request: HttpRequest) -> str:
    """Return the address that the form or link names as the way back if it is a path of this server, else nothing."""
    data = request.POST if request.method == "POST" else request.GET
    text = data.get(NEXT, "")[: LONGEST + 1]
    if not text.startswith("/") or not url_has_allowed_host_and_scheme(text, allowed_hosts=None):
        return ""
    url = iri_to_uri(text)
    return url if len(url) <= LONGEST else ""


def to_list(request: HttpRequest | None, url_name: str) -> str:
    """Return the address of a list as the page was opened from it, or as this browser last showed it."""
    path = reverse(url_name)
    if request is None:
        return path
    came_from = _came_from(request, path)
    query = _kept(request).get(url_name, "") if came_from is None else came_from
    return f"{path}?{query}" if query else path


def remember(request: Request, response: HttpResponse) -> None:
    """Store in this browser how it shows this list."""
    match = request.resolver_match
    if match is None or match.kwargs or not _who(request):
        return
    query = request.GET.urlencode()
    kept = _kept(request)
    before = dict(kept)
    kept.pop(match.view_name, None)
    if query and len(query) <= LONGEST_KEPT:
        kept[match.view_name] = query
    if kept == before:
        return
    newest = dict(list(kept.items())[-MOST_KEPT:])
    text = base64.urlsafe_b64encode(json.dumps([_who(request), newest], separators=(",", ":")).encode())
    response.set_cookie(COOKIE, text.decode(), httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)


def _came_from(request: HttpRequest, path: str) -> str | None:
    """Return the filters of the list at `path` if the reader came from there by a link."""
    try:
        referrer = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return None
    if referrer.netloc != request.get_host() or referrer.path != path or len(referrer.query) > LONGEST:
        return None
    return iri_to_uri(referrer.query)


def _kept(request: HttpRequest) -> dict[str, str]:
    """Return how this browser last showed lists, as this person and in this organization."""
    try:
        who, kept = json.loads(base64.urlsafe_b64decode(request.COOKIES.get(COOKIE, "")[:4_096]))
    except (ValueError, TypeError, RecursionError):
        return {}
    if who != _who(request) or not isinstance(kept, dict):
        return {}
    return {str(name): iri_to_uri(query) for name, query in kept.items() if isinstance(query, str)}


def _who(request: HttpRequest) -> str:
    actor: Any = getattr(request, "actor", None)
    if actor is None or actor.user_id is None or actor.organization is None:
        return ""
    return f"{actor.user_id}.{actor.organization.pk}"
