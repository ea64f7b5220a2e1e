"""The first steps of a new organization, shown until they are done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from console.access import Actor, Permission
from console.slots import Slot


@dataclass(frozen=True)
class Step:
    """A thing to create. The step is done once the actor sees any of the `rows`."""

    title: Any
    text: Any
    icon: str
    url_name: str
    rows: Callable[[Actor], QuerySet[Any]]
    permission: Permission


# Each app adds its own steps.
sources: Slot[[], list[Step]] = Slot("console.first_steps.sources")


def of(actor: Actor) -> list[tuple[Step, bool]]:
    """Return the steps, each with whether it is done; none if all are done, or if the actor may take none of them."""
    steps = [step for own in sources.call() for step in own]
    if not any(actor.may(step.permission) for step in steps):
        return []
    found = [(step, step.rows(actor).exists()) for step in steps]
    return [] if all(done for _step, done in found) else found
