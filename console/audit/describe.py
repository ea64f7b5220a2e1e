"""Describes each line of the audit log as a sentence, in the words that its kind declares."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import ngettext

from console import counts
from console.access import Actor
from console.audit import kinds, subjects
from console.models import Event

# Data that belong to the sentence itself and are not changes, even if they are a list of two.
NOT_CHANGES = {"note", "reason", "given", "members", "not_in_order"}
LONGEST = 80


@dataclass(frozen=True)
class Sentence:
    """An event as a reader sees it. `changes` are (field, old, new); `details` are all its other data."""

    event: Event
    icon: str
    text: SafeString
    note: str = ""
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    details: list[tuple[str, str]] = field(default_factory=list)


def sentence(event: Event, reader: Actor, page: tuple[str, int] | None = None) -> Sentence:
    """Return the event as a sentence with links that the reader may follow, except to `page`, the current page."""
    kind = kinds.find(event.kind)
    words: dict[str, Any] = {
        "actor": format_html('<strong class="strong">{}</strong>', event.actor_label),
        "subject": _subject(event, reader, page),
        "object": _named(event.object_kind, event.object_id, event.object_label, reader, page),
    }
    text = str(kind.sentence) if kind else ""
    if not kind or ("{object}" in text and not event.object_label):
        text = _plain(event)
        words["what"] = capfirst(event.kind.rpartition(".")[2].replace("_", " "))
    changes, details = _described(event)
    note = str(event.data.get("note") or event.data.get("reason") or "")
    # Changes differ from one thing to the next, so an act on many shows none; the reader unfolds its lines.
    if getattr(event, "others", 0):
        changes, details = [], []
    return Sentence(event, kind.icon if kind else "circle-dot", format_html(text, **words), note, changes, details)


def _subject(event: Event, reader: Actor, page: tuple[str, int] | None) -> SafeString:
    """Return the subject of a line; for an act, also the number of other things, with a link to all its lines."""
    named = _named(event.subject_kind, event.subject_id, event.subject_label, reader, page)
    others = getattr(event, "others", 0)
    if not others:
        return named
    more = ngettext("%(n)s more", "%(n)s more", others) % {
        "n": number_format(min(others, counts.CAP), force_grouping=True)
    }
    more += "+" if others > counts.CAP else ""
    link = f"{reverse('console:activity_list')}?act={event.pk}"
    both = _now("{subject} and {more}")
    return format_html(both, subject=named, more=format_html('<a class="strong" href="{}">{}</a>', link, more))


def label(kind: str) -> str:
    """Return the label of the kind, for lists and exports."""
    known = kinds.find(kind)
    return str(known.label) if known else capfirst(kind.rpartition(".")[2].replace("_", " "))


def _plain(event: Event) -> str:
    return _now("{actor}: {what}, {subject}, {object}") if event.object_label else _now("{actor}: {what}, {subject}")


def _named(kind: str, pk: int | None, text: str, reader: Actor, page: tuple[str, int] | None) -> SafeString:
    url = "" if (kind, pk) == page else subjects.page_of(kind, pk, reader)
    style = "mono strong" if subjects.is_mono(kind) else "strong"
    if url:
        return format_html('<a class="{}" href="{}">{}</a>', style, url, text)
    return format_html('<strong class="{}">{}</strong>', style, text)


def _described(event: Event) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    changes, details = [], []
    for name, value in event.data.items():
        title = field_label(event.subject_kind, name)
        if name in {"note", "reason"}:
            continue
        if isinstance(value, list) and len(value) == 2 and name not in NOT_CHANGES:
            old, new = (_worded(event.subject_kind, name, each) for each in value)
            changes.append((title, old, new))
        elif value not in (None, "", [], {}):
            details.append((title, _worded(event.subject_kind, name, value)))
    return changes, details


def field_label(kind: str, name: str) -> str:
    """Return the label of a field of this kind of thing."""
    found = _field(kind, name)
    known = getattr(found, "verbose_name", "") or _now("Set" if name == "given" else name.replace("_", " "))
    return str(capfirst(known))


def _worded(kind: str, name: str, value: Any) -> str:
    if value in (None, "", []):
        return "—"
    if isinstance(value, bool):
        return _now("yes") if value else _now("no")
    if isinstance(value, list):
        text = ", ".join(_worded(kind, name, each) for each in value)
    else:
        text = str(dict(getattr(_field(kind, name), "flatchoices", None) or ()).get(value, value))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _field(kind: str, name: str) -> Any:
    try:
        return _models()[kind]._meta.get_field(name)
    except (KeyError, FieldDoesNotExist):
        return None


@cache
def _models() -> dict[str, type[models.Model]]:
    return {model._meta.model_name or "": model for model in apps.get_models()}


def row(event: Event) -> list[Any]:
    """Return the event as a line of an export."""
    changes, details = _described(event)
    described = [f"{name}: {old} → {new}" for name, old, new in changes] + [f"{name}: {text}" for name, text in details]
    note = event.data.get("note") or event.data.get("reason") or ""
    at: datetime = event.at
    return [
        at,
        event.actor_label,
        event.kind,
        label(event.kind),
        event.subject_kind,
        event.subject_id,
        event.subject_label,
        event.object_label,
        str(note),
        "; ".join(described),
    ]
