"""The global search: each app searches its own rows, and the results are sorted here."""

from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from console.access import Actor
from console.slots import Slot

MAX_LENGTH = 200
EXACT = 0


@dataclass(frozen=True)
class Hit:
    """A search result. `kind` is its label; `rank` is 0 if the text is its exact name or number, and higher otherwise.

    `more` is the address of the list of all rows of this kind that match, if there is one.
    """

    kind: str
    icon: str
    title: str
    url: str
    detail: str = ""
    rank: int = 1
    more: str = ""


# Each searches the rows of its app, and returns no more results than the limit if it can.
sources: Slot[[Actor, str, int], list[Hit]] = Slot("console.search.sources")


def listed(route: str, text: str) -> str:
    """Return the address of a list that is searched for the text."""
    return f"{reverse(route)}?{urlencode({'q': text})}"


def clean(text: str) -> str:
    """Return the text to search for: trimmed, at most 200 characters, without control characters."""
    return "".join(character if character.isprintable() else " " for character in text[:MAX_LENGTH]).strip()


def find_all(actor: Actor, text: str, limit: int) -> list[Hit]:
    """Return the results, exact matches first, at most `limit` from each source. Returns none for an empty text."""
    if not text:
        return []
    found = [hit for find in sources for hit in find(actor, text, limit)[:limit]]
    return sorted(found, key=lambda hit: hit.rank)


def beyond(hits: list[Hit], limit: int) -> list[tuple[str, str]]:
    """Return (kind, address of its list) for each kind that may have more matches than are among the results."""
    counts = Counter((hit.kind, hit.more) for hit in hits if hit.more)
    return [kind for kind, count in counts.items() if count >= limit]


def only(hits: list[Hit]) -> Hit | None:
    """Return the result that was meant: the only exact match, or the only match at all."""
    exact = {hit.url: hit for hit in hits if hit.rank == EXACT}
    if len(exact) == 1:
        return next(iter(exact.values()))
    return hits[0] if len({hit.url for hit in hits}) == 1 else None
