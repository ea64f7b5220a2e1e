"""System checks of the registry of audit events: `manage.py check` finds mistakes in declarations."""

from collections import Counter
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.urls import NoReverseMatch, reverse

from console.audit import kinds, subjects

LONGEST = 40


@register
def kinds_have_names_of_their_own(**kwargs: Any) -> list[CheckMessage]:
    """Check that names are unique. Of two kinds with one name, the first declared would describe both."""
    names = Counter(name for kind in kinds.registry.declared for name in (kind.name, *kind.former))
    twice = [name for name, number in names.items() if number > 1]
    too_long = [name for name in names if len(name) > LONGEST]
    return [
        *(Error(f"Two kinds of events are named {name}.", hint="Rename one.", id="custody.E020") for name in twice),
        *(
            Error(f"The name {name} is too long.", hint="Use 40 characters or fewer.", id="custody.E021")
            for name in too_long
        ),
    ]


@register
def kinds_can_be_described(**kwargs: Any) -> list[CheckMessage]:
    """Check that each kind has a label and a sentence. Without them it would be a blank line in the log."""
    return [
        Error(f"The kind of event {kind.name} has no {part}.", hint="Add it to its declaration.", id="custody.E022")
        for kind in kinds.registry.declared
        for part in ("label", "icon", "sentence")
        if not str(getattr(kind, part)).strip()
    ]


@register
def pages_of_subjects_exist(**kwargs: Any) -> list[CheckMessage]:
    """Check that the pages of subjects resolve. Otherwise links would silently turn into plain text."""
    return [
        Error(f"{subject.kind} has no page {subject.page}.", hint="Name a route that takes an id.", id="custody.E023")
        for subject in subjects.registry.values()
        if subject.page and not _resolves(subject.page)
    ]


def _resolves(page: str) -> bool:
    try:
        reverse(page, args=[1])
    except NoReverseMatch:
        return False
    return True
