"""The search for everything: each app finds among its own rows, here it is put in order."""

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
    """One thing found. `kind` is its label, `rank` 0 where the text is its very name or number, higher otherwise.

    `more` is the address of the list of all of this kind that the text finds, where there is one.
    """

    kind: str
    icon: str
    title: str
    url: str
    detail: str = ""
    rank: int = 1
    more: str = ""


# Each finds among the rows of its app, and returns no more hits than the limit where it can.
sources: Slot[[Actor, str, int], list[Hit]] = Slot("console.search.sources")


def listed(route: str, text: str) -> str:
    """The address of a list, searched for the text."""
    return f"{reverse(route)}?{urlencode({'q': text})}"


def clean(text: str) -> str:
    """The text as it is searched for: no longer than 200 characters, without control characters and ends."""
    return "".join(character if character.isprintable() else " " for character in text[:MAX_LENGTH]).strip()


def find_all(actor: Actor, text: str, limit: int) -> list[Hit]:
    """What the text finds, the exact matches first, and of each source no more than `limit`. Nothing for no text."""
    if not text:
        return []
    found = [hit for find in sources for hit in find(actor, text, limit)[:limit]]
    return sorted(found, key=lambda hit: hit.rank)


def beyond(hits: list[Hit], limit: int) -> list[tuple[str, str]]:
    """(kind, address of its list) of each kind of which there may be more than are among the hits."""
    counts = Counter((hit.kind, hit.more) for hit in hits if hit.more)
    return [kind for kind, count in counts.items() if count >= limit]


def only(hits: list[Hit]) -> Hit | None:
    """The one that was meant: the only exact match, or the only match at all."""
    exact = {hit.url: hit for hit in hits if hit.rank == EXACT}
    if len(exact) == 1:
        return next(iter(exact.values()))
    return hits[0] if len({hit.url for hit in hits}) == 1 else None
