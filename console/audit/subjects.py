"""The things that events are about. Each app registers its models: their pages, and how the log finds them by name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse

from console.access import Actor, Permission


@dataclass(frozen=True)
class Subject:
    """A kind of thing: its model, its page and who may open it. Without a page nothing links to it.

    With a `title` the filter of the log offers it, in the order of `place`. With a `search_key`, the column with its
    folded name, the log finds it by the beginning of that name; `search_in` are the ranges of the index, one condition
    each.
    """

    model: type[models.Model]
    page: str = ""
    may: Permission = Permission.VIEW
    title: Any = ""
    place: int = 0
    search_key: str = ""
    search_in: tuple[dict[str, Any], ...] = ({},)
    is_mono: bool = False

    @property
    def kind(self) -> str:
        """Return the log's word for it: the name of its model."""
        return self.model._meta.model_name or ""


registry: dict[str, Subject] = {}


def register(subject: Subject) -> None:
    """Register a kind of thing. Called by the `events.py` of its room."""
    registry[subject.kind] = subject


def choices() -> list[tuple[str, Any]]:
    """Return the kinds of things that the filter offers, as choices of a form."""
    return [(subject.kind, subject.title) for subject in _placed() if subject.title]


def searched(actor: Actor) -> Iterator[tuple[str, str, QuerySet[Any]]]:
    """Yield the kind, the folded column and the visible rows of everything that the log finds by name.

    Each is one range of an index.
    """
    for subject in _placed():
        for condition in subject.search_in if subject.search_key else ():
            rows = subject.model.objects.visible_to(actor).filter(**condition)  # type: ignore[attr-defined]
            yield subject.kind, subject.search_key, rows


def page_of(kind: str, pk: int | None, reader: Actor) -> str:
    """Return the URL of a thing's page, or an empty string if it has none or the reader may not open it."""
    subject = registry.get(kind)
    if subject is None or not subject.page or pk is None or not reader.may(subject.may):
        return ""
    try:
        return reverse(subject.page, args=[pk])
    except NoReverseMatch:
        return ""


def is_mono(kind: str) -> bool:
    """Whether names of this kind of thing are set in the typeface of serial numbers."""
    return kind in registry and registry[kind].is_mono


def _placed() -> list[Subject]:
    return sorted(registry.values(), key=lambda subject: subject.place)
