"""The entries of the sidebar. Each app names its own; the settings say in which order."""

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from console import counts
from console.access import Actor, Permission

SECONDS_KEPT = 30
# Smaller numbers are counted anew so soon that what somebody has just made is seen.
LARGE, SECONDS_SMALL_KEPT = 1_000, 5


@dataclass(frozen=True)
class Entry:
    """One line of the sidebar. `prefixes` are the view names under which it is marked as current."""

    label: Any
    url_name: str
    icon: str
    position: int
    prefixes: tuple[str, ...]
    permission: Permission = Permission.VIEW
    rows: Any = None
    # Not for who holds this right: there is another entry of the same name for him.
    unless: Permission | None = None


def entries() -> list[Entry]:
    """The foundation's own entries."""
    return [
        Entry(_("Overview"), "console:home", "layout-dashboard", 0, ("console:home",)),
        Entry(_("Activity"), "console:activity_list", "history", 80, ("console:activity",)),
        Entry(_("Settings"), "console:organization_edit", "settings", 90,
              ("console:organization", "console:member", "console:invitation", "console:role", "console:domain",
               "claims:return_settings", "customers:api_key", "console:webhook"),
              permission=Permission.ORGANIZATION_EDIT),
        Entry(_("Settings"), "console:role_list", "settings", 90, ("console:role",), unless=Permission.ORGANIZATION_EDIT),
    ]  # fmt: skip


def for_actor(actor: Actor) -> list[tuple[Entry, int | None]]:
    """The entries that the actor may open, in order, each with its count (up to 10,001) where it has one.

    Counts are decoration, and may be some seconds old, large ones half a minute; nothing is decided by them.
    """
    found = [entry for path in settings.NAVIGATION for entry in import_string(path)()]
    allowed = [e for e in found if actor.may(e.permission) and not (e.unless and actor.may(e.unless))]
    allowed.sort(key=lambda entry: entry.position)
    known = _counts(actor, [entry for entry in allowed if entry.rows is not None])
    return [(entry, known.get(entry.url_name)) for entry in allowed]


def _counts(actor: Actor, counted: list[Entry]) -> dict[str, int]:
    """The number of each entry, counted or remembered."""
    kept, now = _kept.setdefault(actor.organization.pk, {}), time.monotonic()
    unknown = [entry for entry in counted if kept.get(entry.url_name, (0.0, 0))[0] < now]
    numbers = counts.of_each([entry.rows(actor) for entry in unknown])
    found = {entry.url_name: number for entry, number in zip(unknown, numbers, strict=True)}
    known = {name: number for name, (until, number) in kept.items() if until >= now}
    for name, number in found.items():
        kept[name] = (now + (SECONDS_KEPT if number >= LARGE else SECONDS_SMALL_KEPT), number)
    return known | found


# Kept in this process: the shared cache would cost as many queries as it saves.
_kept: dict[int, dict[str, tuple[float, int]]] = {}
