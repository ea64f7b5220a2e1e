"""Cursors: where a page of a list ends, as text for an address, and the rows beyond it.

A cursor holds the order's value and the id of the row at the edge, so that the next page is a range of an index. Its
text is neither secret nor signed: by changing it, a reader can only choose where a page of their own rows begins.
"""

import base64
import binascii
from typing import Any

from django.db.models import Q


def encode(text: str) -> str:
    """Return the ASCII text as a cursor."""
    return base64.urlsafe_b64encode(text.encode("ascii")).decode().rstrip("=")


def decode(cursor: str) -> str:
    """Return the text of a cursor; an empty one if this server did not write the cursor."""
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


def beyond(key: str, value: Any, pk: int, descending: bool) -> Q:
    """Return the condition for the rows beyond the edge: one range of the index of the key, minus an exception."""
    compare = "lt" if descending else "gt"
    if key in {"id", "pk"}:
        return Q(**{f"id__{compare}": pk})
    return Q(**{f"{key}__{compare}e": value}) & (Q(**{f"{key}__{compare}": value}) | Q(**{f"id__{compare}": pk}))
