"""How customers are found by a text.

Each condition is one range of one index, so they are asked one by one.
"""

from django.db.models import Q

from console import addresses
from console.fields import fold, prefix

# The indexes of the last two hold the filled ones only, which the database has to be told in their own words.
_FILLED = {"name_key": Q(), "reference_key": ~Q(reference_key=""), "email_key": ~Q(email_key="")}
KEYS = tuple(_FILLED)


def beginning_with(text: str) -> list[Q]:
    """Of each key, the condition that it begins with the text."""
    low, high = prefix(text[:200])
    return [filled & Q(**{f"{key}__gte": low, f"{key}__lt": high}) for key, filled in _FILLED.items()]


def exactly(text: str) -> list[Q]:
    """Of each key, the condition that it is the text, in any letters."""
    texts = {"email_key": addresses.normal(text)[:254]}
    return [filled & Q(**{key: texts.get(key, fold(text)[:200])}) for key, filled in _FILLED.items()]
