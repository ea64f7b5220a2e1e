"""What a new organization does first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from console.access import Actor, Permission
from console.slots import Slot


@dataclass(frozen=True)
class Step:
    """One thing to create. It is done once the actor sees any of the `rows`."""

    title: Any
    text: Any
    icon: str
    url_name: str
    rows: Callable[[Actor], QuerySet[Any]]
    permission: Permission


# Each app adds the steps that it knows.
sources: Slot[[], list[Step]] = Slot("console.first_steps.sources")


def of(actor: Actor) -> list[tuple[Step, bool]]:
    """The steps, each with whether it is done; none where all are, or where the actor may take none of them."""
    steps = [step for own in sources.call() for step in own]
    if not any(actor.may(step.permission) for step in steps):
        return []
    found = [(step, step.rows(actor).exists()) for step in steps]
    return [] if all(done for _step, done in found) else found
