"""What the pages of API keys show, in the console and in the portal."""

from typing import Any

from django.conf import settings

from console.numbers import ids_of
from console.requests import Request
from customers.keys import dependents
from customers.models import ApiKey


def created(key: ApiKey) -> dict[str, Any]:
    """Return what the page of a new key shows besides the key's text."""
    return {"key": key, "base_url": settings.BASE_URL}


def before_revoking(key: ApiKey) -> dict[str, Any]:
    """Return the key and what depends on it."""
    return {"key": key, "left": dependents.of(key)}


def chosen(request: Request) -> dict[str, Any]:
    """Return the webhooks to disable together with a key, and all webhooks that the page showed."""
    return {"disables": _ids(request, "disable"), "seen": _ids(request, "seen")}


def _ids(request: Request, name: str) -> set[int]:
    return set(ids_of(request.POST.getlist(name)))
