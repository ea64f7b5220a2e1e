"""Finds names by any of their words, with or without accents: a table of words, written with the rows they name.

There is one row for each word of each name, so that the beginning of a word is one range of one index on both
databases.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from console.finding import any_of
from console.models import NameWord

CHUNK = 500
LONGEST, MOST_ASKED = 60, 6
# Letters that are not a base letter with a mark, as people type them on keyboards without them.
_PLAIN = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ŧ": "t",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ŋ": "n",
        "ĸ": "k",
    }
)


def plain(text: str) -> str:
    """Return the text without case, accents and the like: Łukasz becomes lukasz, Größe becomes grosse."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn").translate(_PLAIN)


def of(name: str) -> list[str]:
    """Return the words of a name without duplicates.

    Words are separated by white space, without punctuation at their ends, together with their parts between
    punctuation.
    """
    found: dict[str, None] = {}
    for piece in plain(name).split():
        for word in (_bare(piece), *_runs(piece)):
            found[word[:LONGEST]] = None
    return list(found)


def write(kind: str, names: Mapping[int, str], *, are_new: bool = False) -> None:
    """Store the words of these names, by the ids of the rows they name, replacing earlier ones.

    Within a transaction.
    """
    if not are_new:
        NameWord.objects.filter(kind=kind, row_id__in=list(names)).delete()
    rows = [NameWord(kind=kind, row_id=pk, word=word) for pk, name in names.items() for word in of(name)]
    NameWord.objects.bulk_create(rows, batch_size=2_000)


def found(kind: str, text: str) -> tuple[QuerySet[Any], Q] | None:
    """Return a way to find rows of this kind in whose name each word of the text begins a word, as `finding` takes it.

    Returns None for a text without words.
    """
    asked = list(dict.fromkeys(_bare(piece)[:LONGEST] for piece in plain(text).split()))[:MOST_ASKED]
    if not asked:
        return None
    first, *others = sorted(asked, key=len, reverse=True)
    rows = _beginning(kind, first)
    for word in others:
        rows = rows.filter(Exists(_beginning(kind, word).filter(row_id=OuterRef("row_id"))))
    condition = Q(*(Q(Exists(_beginning(kind, word).filter(row_id=OuterRef("pk")))) for word in asked))
    return rows.values("row_id"), condition


def beginning(kind: str, text: str) -> Q | None:
    """Return the condition that each word of the text begins a word of a row's name. None without words."""
    way = found(kind, text)
    return None if way is None else any_of([way])


def compare(kind: str, named: QuerySet[Any]) -> Iterator[str]:
    """Yield a sentence for each row whose words in the table differ from its name.

    `named` yields ids and names by id.
    """
    rows = named.values_list("pk", "name").iterator(chunk_size=CHUNK)
    while chunk := dict(islice(rows, CHUNK)):
        kept: dict[int, set[str]] = {pk: set() for pk in chunk}
        for pk, word in NameWord.objects.filter(kind=kind, row_id__in=chunk).values_list("row_id", "word"):
            kept[pk].add(word)
        for pk, name in chunk.items():
            if kept[pk] != set(of(name)):
                yield f"The name of {kind} {pk} is found by other words than it has."


def _beginning(kind: str, word: str) -> QuerySet[NameWord]:
    low, high = word, word + "\U0010ffff"
    return NameWord.objects.filter(kind=kind, word__gte=low, word__lt=high)


def _bare(piece: str) -> str:
    """Return the text without punctuation at its ends, unless it has nothing else."""
    letters = [place for place, character in enumerate(piece) if character.isalnum()]
    return piece[letters[0] : letters[-1] + 1] if letters else piece


def _runs(piece: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in piece).split()
