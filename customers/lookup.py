"""How customers are found by a text.

Each condition is one range of one index, so they are asked one by one.
"""

from django.db.models import Q, QuerySet

from console import addresses, words
from console.fields import fold, prefix
from customers.models import Customer

# The indexes of the last two hold the filled ones only, which the database has to be told in their own words.
_FILLED = {"name_key": Q(), "reference_key": ~Q(reference_key=""), "email_key": ~Q(email_key="")}
KEYS = tuple(_FILLED)


def ways(mine: QuerySet[Customer], text: str) -> list[tuple[QuerySet, Q]]:
    """How `mine` are found by a text: by words of the name, and by the beginning of the reference and the email."""
    low, high = prefix(text[:200])
    begins = {key: filled & Q(**{f"{key}__gte": low, f"{key}__lt": high}) for key, filled in _FILLED.items()}
    found = {key: (mine.filter(condition).values("pk"), condition) for key, condition in begins.items()}
    by_words = words.found("customer", text[:200])
    return [by_words or found["name_key"], found["reference_key"], found["email_key"]]


def named(text: str) -> Q:
    """The condition that each word of the text begins a word of the name; of a text without words, that it begins it."""
    low, high = prefix(text[:200])
    found = words.beginning("customer", text[:200])
    return Q(name_key__gte=low, name_key__lt=high) if found is None else found


def beginning_with(text: str) -> list[Q]:
    """Of each key, the condition that it is found by the text, as `ways` has them."""
    low, high = prefix(text[:200])
    others = [filled & Q(**{f"{key}__gte": low, f"{key}__lt": high}) for key, filled in _FILLED.items()][1:]
    return [named(text), *others]


def exactly(text: str) -> list[Q]:
    """Of each key, the condition that it is the text, in any letters."""
    texts = {"email_key": addresses.normal(text)[:254]}
    return [filled & Q(**{key: texts.get(key, fold(text)[:200])}) for key, filled in _FILLED.items()]
