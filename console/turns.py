"""Whose operation is next: organizations take turns, and so do the people of each, however much work they queue.

A worker remembers whom it served and goes round by itself; if other workers are running operations, it prefers the
organization with the fewest running.
"""

from itertools import count
from typing import Any, NamedTuple

from django.db.models import Count, Min

from console.models import Operation
from console.models.operation import OperationState


class Waiting(NamedTuple):
    """A person of an organization (None for the system) and their first waiting operation."""

    organization: int
    person: int | None
    operation: int


class Turns:
    """What one worker knows of whose turn it is."""

    def __init__(self) -> None:
        self._clock = count(1)
        self._served: dict[tuple[Any, ...], int] = {}

    def order(self) -> list[int]:
        """Return the operations that may be next: one of each waiting person, in the order of their turns."""
        waiting, running = _waiting(), _running()
        mine = {one.operation: one for one in waiting}

        def turn(operation: int) -> tuple[Any, ...]:
            one = mine[operation]
            organization = (running.get(one.organization, 0), self._at(one.organization))
            return *organization, self._at(one.organization, one.person), operation

        return sorted(mine, key=turn)

    def took(self, operation_id: int) -> None:
        """Record that this operation is run now."""
        owner = Operation.objects.filter(pk=operation_id).values_list("organization_id", "by_user_id").first()
        if owner is not None:
            self._served[owner[:1]] = self._served[owner] = next(self._clock)

    def _at(self, *owner: int | None) -> int:
        return self._served.get(owner, 0)


def _waiting() -> list[Waiting]:
    rows = Operation.objects.filter(state=OperationState.WAITING).order_by()
    found = rows.values_list("organization_id", "by_user_id").annotate(first=Min("pk"))
    return [Waiting(*row) for row in found]


def _running() -> dict[int, int]:
    rows = Operation.objects.filter(state=OperationState.RUNNING).order_by()
    return dict(rows.values_list("organization_id").annotate(number=Count("pk")))
