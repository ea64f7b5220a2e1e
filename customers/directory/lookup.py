"""Conditions to find customers by a text.

Each condition is one range of one index, so they are queried one by one.
"""

from typing import Any

from django.db.models import Q, QuerySet

from console import addresses, words
from console.fields import fold, prefix
from customers.models import Customer

# The last two indexes cover non-empty values only, and the database uses them only if the condition says so.
_FILLED = {"name_key": Q(), "reference_key": ~Q(reference_key=""), "email_key": ~Q(email_key="")}
KEYS = tuple(_FILLED)


def ways(mine: QuerySet[Customer], text: str) -> list[tuple[QuerySet[Any], Q]]:
    """Return how to find `mine` by a text: words of the name, and the beginning of the reference and the email."""
    low, high = prefix(text[:200])
    begins = {key: filled & Q(**{f"{key}__gte": low, f"{key}__lt": high}) for key, filled in _FILLED.items()}
    found = {key: (mine.filter(condition).values("pk"), condition) for key, condition in begins.items()}
    by_words = words.found("customer", text[:200])
    return [by_words or found["name_key"], found["reference_key"], found["email_key"]]


def named(text: str) -> Q:
    """Return the condition that each word of the text begins a word of the name.

    For a text without words, the name must begin with the text.
    """
    low, high = prefix(text[:200])
    found = words.beginning("customer", text[:200])
    return Q(name_key__gte=low, name_key__lt=high) if found is None else found


def beginning_with(text: str) -> list[Q]:
    """Return for each key the condition that it matches the text, as in `ways`."""
    low, high = prefix(text[:200])
    others = [filled & Q(**{f"{key}__gte": low, f"{key}__lt": high}) for key, filled in _FILLED.items()][1:]
    return [named(text), *others]


def exactly(text: str) -> list[Q]:
    """Return for each key the condition that it equals the text, ignoring case."""
    texts = {"email_key": addresses.normal(text)[:254]}
    return [filled & Q(**{key: texts.get(key, fold(text)[:200])}) for key, filled in _FILLED.items()]
