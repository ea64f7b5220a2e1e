"""Applies an act to the rows of an operation, chunk by chunk, with a result for each row.

The rows are the ids in the payload. If the caller named the rows, `names` accompanies `ids`: then each result keeps
the name and its place in the call, and a trial (`is_dry`) does everything and keeps only the results.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from console.models import Operation
from console.operations.beginning import undone_operation
from console.operations.handlers import find
from console.operations.running import advance, chunk

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

CHUNK = 5_000


@dataclass(frozen=True)
class RefusedRow:
    """A row that an act left unchanged, and why."""

    row_id: int
    label: str
    code: str
    sentence: str


@dataclass
class Outcome:
    """The result of an act on a set of rows: the ids that changed, and the rows that were refused."""

    done: list[int] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    act: UUID = field(default_factory=uuid4)


Work = Callable[[list[int]], Outcome]
# Returns why the act can't use an id that a name resolved to (code and sentence), or None. The flag says whether the
# same id appeared earlier in the call.
Unfit = Callable[[int, bool], tuple[str, str] | None]


def in_chunks(operation: Operation, act: Work, *, unfit: Unfit | None = None) -> None:
    """Apply `act` to the ids of the payload, one chunk in each transaction, starting at the operation's cursor."""
    while operation.cursor < len(operation.payload["ids"]):
        _one_chunk(operation, act, unfit)


@chunk
def _one_chunk(operation: Operation, act: Work, unfit: Unfit | None) -> None:
    """Process the next rows in one transaction with their count; in a trial all but the count is rolled back."""
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
    """Return the place of each id of the chunk, counted from 1, and the results of names that match no usable row."""
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
    """Return how many rows a running operation has changed so far."""
    return Operation.objects.values_list("succeeded", flat=True).get(pk=operation.pk)


def sentence_of(operation: Operation, *, done: "_StrOrPromise | None" = None, **words: Any) -> str:
    """Return what an operation did, in the words of its handler or of `done`; for a trial, that nothing was changed.

    `n` among the words is the number of rows done.
    """
    said = (done or find(operation.handler).done) % {"n": succeeded(operation), **words}
    return (
        _("%(said)s This was a dry run: nothing was changed.") % {"said": said}
        if operation.payload.get("is_dry")
        else said
    )


def undo_in_chunks(operation: Operation, undo: Callable[..., Outcome], **terms: Any) -> None:
    """Apply `undo` to the ids of the payload like `in_chunks`, and say what it did.

    It is called with the ids, the operation to undo as `undone`, and the `terms`.
    """
    undone = undone_operation(operation)
    in_chunks(operation, lambda ids: undo(ids, undone=undone, **terms))
    operation.sentence = sentence_of(operation)


def evidence_of(operation: Operation) -> str:
    """Return the text that marks the spans that an operation opens and closes; they are found again by it."""
    return f"operation:{operation.pk}"
