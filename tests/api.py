"""Calls the REST API in tests."""

from typing import Any

from django.test import Client

from console.access import CustomerScope
from customers.keys.actions import api_keys
from tests import factories


class Caller:
    """A program with a key. Each method gives the response; `json` of a body is a Python value."""

    def __init__(self, key: str | None) -> None:
        self.client, self.headers = Client(), {"authorization": f"Bearer {key}"} if key else {}

    def __getattr__(self, method: str) -> Any:
        def call(path: str, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any) -> Any:
            extra: dict[str, Any] = {"headers": self.headers | (headers or {})}
            if query:
                extra["query_params"] = query
            if body is not None:
                extra |= {"data": body, "content_type": "application/json"}
            elif method == "post":
                # Django's client would send a form without fields.
                extra |= {"data": b"", "content_type": "application/json"}
            return getattr(self.client, method)(f"/api/v1{path}", **extra)

        return call


def key_of(who: Any, *scopes: str) -> str:
    """A key of the organization, made by this member, with these scopes or all of his."""
    actor = factories.actor_of(who)
    return api_keys.create(name="Line 3", scopes=scopes or actor.permissions, by=actor)[1]


def customer_key(who: Any, customer: Any, *scopes: str) -> str:
    """A key of a customer, made by its person."""
    actor = factories.actor_of(who)
    return api_keys.create(name="Backend", scopes=scopes or CustomerScope, by=actor, customer=customer)[1]
