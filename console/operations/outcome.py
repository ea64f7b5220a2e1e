"""Acts on the rows of an operation, chunk by chunk, each with its result.

The rows are the ids in the payload. Where a call named them, `names` stands beside `ids`: then each result keeps the
name and its place in the call, and a trial (`is_dry`) does everything and keeps nothing but the results.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from console.models import Operation
from console.operations.handlers import find
from console.operations.running import advance, chunk

CHUNK = 5_000


@dataclass(frozen=True)
class RefusedRow:
    """A row that an act left as it was, and why."""

    row_id: int
    label: str
    code: str
    sentence: str


@dataclass
class Outcome:
    """What an act over a set did: the ids that changed, and the rows that were refused."""

    done: list[int] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    act: UUID = field(default_factory=uuid4)


Act = Callable[[list[int]], Outcome]
# Why an id that a name was resolved to is no row to act on (code and sentence), given whether it stood before it.
Unfit = Callable[[int, bool], tuple[str, str] | None]


def in_chunks(operation: Operation, act: Act, *, unfit: Unfit | None = None) -> None:
    """Do `act` to the ids of the payload, a chunk in a transaction, from where the operation stands."""
    while operation.cursor < len(operation.payload["ids"]):
        _one_chunk(operation, act, unfit)


@chunk
def _one_chunk(operation: Operation, act: Act, unfit: Unfit | None) -> None:
    """Do the next rows in one transaction with their count; of a trial everything but the count is rolled back."""
    start, payload = operation.cursor, operation.payload
    ids, names = payload["ids"][start : start + CHUNK], payload.get("names")
    places, refused = _places(payload["ids"], start, names, unfit)
    with transaction.atomic():
        outcome = act(sorted(places)) if places else Outcome()
        if payload.get("is_dry"):
            transaction.set_rollback(True)
    for row in outcome.refused:
        place = places[row.row_id]
        refused.append((place, names[place - 1] if names else row.label, row.code, row.sentence))
    advance(operation, cursor=start + len(ids), succeeded=len(outcome.done), refused=sorted(refused))


def _places(
    ids: list[int], start: int, names: list[str] | None, unfit: Unfit | None
) -> tuple[dict[int, int], list[tuple[int, str, str, str]]]:
    """Return the place of each id of the chunk from 1 on, and the results of the names that mean no row."""
    places: dict[int, int] = {}
    refused = []
    seen = set(ids[:start]) if unfit else set()
    for place, pk in enumerate(ids[start : start + CHUNK], start + 1):
        cause = unfit(pk, pk in seen or pk in places) if unfit else None
        if cause is None:
            places[pk] = place
        else:
            refused.append((place, names[place - 1] if names else str(pk), *cause))
    return places, refused


def succeeded(operation: Operation) -> int:
    """Return how many rows an operation under way has changed so far."""
    return Operation.objects.values_list("succeeded", flat=True).get(pk=operation.pk)


def sentence_of(operation: Operation, **words: Any) -> str:
    """Return what an operation did, in the words of its handler; of a trial, that nothing is changed.

    `n` among the words is the number of rows done.
    """
    done = find(operation.handler).done % {"n": succeeded(operation), **words}
    return (
        _("%(said)s It was a trial: nothing is changed.") % {"said": done} if operation.payload.get("is_dry") else done
    )


def evidence_of(operation: Operation) -> str:
    """Return what stands on the spans that an operation opens and closes; by it they are found again."""
    return f"operation:{operation.pk}"
