"""The entries of the sidebar. Each app adds its own at their place among all entries."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from console import counts, settings_tabs
from console.access import Actor, Permission
from console.slots import Slot


@dataclass(frozen=True)
class Entry:
    """A line of the sidebar. It is marked as current on views whose names begin with one of the `prefixes`."""

    label: Any
    url_name: str
    icon: str
    position: int
    prefixes: tuple[str, ...]
    permission: Permission = Permission.VIEW
    rows: Any = None
    # Hidden from members that hold this right, who see another entry of the same name.
    unless: Permission | None = None


sidebar: Slot[[], list[Entry]] = Slot("console.navigation.sidebar")


def entries() -> list[Entry]:
    """Return the foundation's own entries."""
    return [
        Entry(_("Overview"), "console:home", "layout-dashboard", 0, ("console:home",)),
        Entry(_("Activity"), "console:activity_list", "history", 80, ("console:activity",)),
        Entry(
            _("Settings"),
            "console:organization_edit",
            "settings",
            90,
            tuple(prefix for tab in settings_tabs.every() for prefix in tab.prefixes),
            permission=Permission.ORGANIZATION_EDIT,
        ),
        Entry(
            _("Settings"), "console:role_list", "settings", 90, ("console:role",), unless=Permission.ORGANIZATION_EDIT
        ),
    ]


def count_beside(request: Any, rows: QuerySet[Any]) -> int:
    """Return how many rows a list has, counted in one statement with the numbers that its page shows in the sidebar."""
    actor: Actor | None = getattr(request, "actor", None)
    is_part = getattr(request, "htmx", False) and request.htmx.target == "results"
    if actor is None or actor.kind != "member" or is_part:
        return counts.of(rows)
    counted = [entry for entry in _allowed(actor) if entry.rows is not None]
    total, *numbers = counts.of_each([rows, *(entry.rows(actor) for entry in counted)])
    request.sidebar_numbers = {entry.url_name: number for entry, number in zip(counted, numbers, strict=True)}
    return total


def for_actor(actor: Actor, known: dict[str, int] | None = None) -> list[tuple[Entry, int | None]]:
    """Return the entries that the actor may open, in order, each with its count (up to 10,001) if it has one.

    `known` are numbers that were already counted for this page.

    All are counted in one statement, for each page: so they are correct after one's own action, whichever process
    answers, and whoever acted. Only the information that a number is above the cap may be half a minute old, as in
    lists.
    """
    allowed = _allowed(actor)
    if known is None:
        counted = [entry for entry in allowed if entry.rows is not None]
        numbers = counts.of_each([entry.rows(actor) for entry in counted])
        known = {entry.url_name: number for entry, number in zip(counted, numbers, strict=True)}
    return [(entry, known.get(entry.url_name)) for entry in allowed]


def _allowed(actor: Actor) -> list[Entry]:
    found = [entry for own in sidebar.call() for entry in own]
    allowed = [e for e in found if actor.may(e.permission) and not (e.unless and actor.may(e.unless))]
    return sorted(allowed, key=lambda entry: entry.position)
