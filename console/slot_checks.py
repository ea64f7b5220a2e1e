"""Checks of slots, run by `manage.py check` and when a server starts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.urls import get_resolver
from django.utils.module_loading import import_string

from console import slots

PANELS = re.compile(r"""{%\s*panels\s+["']([^"']+)["']""")


def declared() -> dict[str, slots.Slot[..., Any]]:
    """Return every slot by its name, in the order of the names."""
    # Loading the addresses imports all modules that call slots.
    assert get_resolver().url_patterns
    return dict(sorted(slots.DECLARED.items()))


@register
def slots_are_filled(**kwargs: Any) -> list[CheckMessage]:
    """Check that required slots are filled. An empty one would fail at its first call, perhaps weeks later."""
    return [
        Error(f"The slot {name} is empty.", hint="Add a function to it in the ready() of an app.", id="custody.E030")
        for name, slot in declared().items()
        if slot.is_required and not slot
    ]


@register
def slots_are_where_their_names_say(**kwargs: Any) -> list[CheckMessage]:
    """Check that each slot is in the module that its name says. People read the names and look for the slot there."""
    return [
        Error(f"There is no slot at {name}.", hint="Name the slot after its module and variable.", id="custody.E031")
        for name, slot in declared().items()
        if _at(name) is not slot
    ]


@register
def panels_have_slots(**kwargs: Any) -> list[CheckMessage]:
    """Check that the panels in templates name slots. Otherwise the page would fail when it is opened."""
    known = declared()
    return [
        Error(f"{path} shows the panels of {name}, which is not a slot.", hint="Correct the name.", id="custody.E032")
        for path, name in _panels()
        if name not in known
    ]


def _panels() -> Iterator[tuple[str, str]]:
    for folder in settings.TEMPLATES[0]["DIRS"]:
        for path in sorted(Path(folder).rglob("*.html")):
            for name in PANELS.findall(path.read_text()):
                yield str(path.relative_to(folder)), name


def _at(name: str) -> object:
    try:
        return import_string(name)
    except ImportError:
        return None
