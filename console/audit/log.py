"""Writes the audit log, in the same transaction as the change that it records."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone

from console import counts, sql
from console.access import Actor
from console.audit import acts
from console.audit.kinds import Kind
from console.models import Event
from console.slots import Slot


@Slot.declare
def followers(
    kind: Kind,
    organization: models.QuerySet[Any] | int,
    ids: list[int],
    *,
    about: models.Model | None,
    at: datetime,
    label: str = "",
    data: dict[str, Any],
) -> None:
    """Called with the lines that are written, one for each id, in the same transaction."""


def kind_of(row: models.Model) -> str:
    """Return the log's word for a row's kind: the name of its model."""
    return row._meta.model_name or ""


def record(
    kind: Kind,
    subject: models.Model,
    /,
    *,
    by: Actor,
    about: models.Model | None = None,
    act: UUID | None = None,
    at: Any = None,
    **data: Any,
) -> Event:
    """Write one line.

    `about` is the other party. A datum `field=[old, new]` is a change; any other datum belongs to the sentence.
    """
    organization, at = getattr(subject, "organization", None) or by.organization, at or timezone.now()
    followers.call(
        kind,
        organization.pk if organization else 0,
        [subject.pk],
        about=about,
        at=at,
        label=str(subject),
        data=data,
    )
    return Event.objects.create(
        organization=organization,
        subject_kind=kind_of(subject),
        subject_id=subject.pk,
        subject_label=str(subject)[:200],
        data=data,
        **_said(kind, by, about, at),
        **_act(kind, act, about.pk if about else None),
    )


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return `{field: [old, new]}` for the fields that differ, as text."""
    return {
        name: [_plain(before.get(name)), _plain(value)] for name, value in after.items() if before.get(name) != value
    }


def record_set(
    kind: Kind,
    model: type[models.Model],
    ids: list[int],
    *,
    label: str,
    by: Actor,
    about: models.Model | None = None,
    act: UUID | None = None,
    at: Any = None,
    **data: Any,
) -> None:
    """Write one line for each row of `model` in `ids`, in one statement. `label` is the column to copy.

    The organization is that of the row, because a customer's user acts for none.
    """
    if not ids:
        return
    at = at or timezone.now()
    belongs = _act(kind, act, about.pk if about else None)
    is_head = belongs.pop("is_head")
    constants = {"subject_kind": model._meta.model_name, "data": data, **_said(kind, by, about, at), **belongs}
    copied = {
        "organization": sql.quote("organization_id"),
        "subject_id": sql.quote(sql.field(model).column),
        "subject_label": sql.quote(label),
        "is_head": f"{sql.quote(sql.field(model).column)} = %s" if is_head else "FALSE",
    }
    if belongs["act"] is None:
        copied["is_head"], is_head = "TRUE", False
    sql.insert_from(Event, constants, copied, model, ids, [min(ids)] if is_head else [])
    owner = model._base_manager.filter(pk=ids[0]).values("organization_id")
    followers.call(kind, owner, ids, about=about, at=at, data=data)


def record_each(
    kind: Kind,
    changed: Iterable[tuple[models.Model, dict[str, Any]]],
    *,
    by: Actor,
    about: Callable[[Any], models.Model] | None = None,
    act: UUID | None = None,
    at: Any = None,
) -> None:
    """Write one line for each row, with its own data: `changed` holds (row, {field: [old, new]}).

    `about` returns the other party of a row.
    """
    at, changed = at or timezone.now(), list(changed)
    belongs = _act(kind, act, None, is_asked=False)
    events = [
        Event(
            organization_id=row.organization_id,  # type: ignore[attr-defined]
            subject_kind=kind_of(row),
            subject_id=row.pk,
            subject_label=str(row)[:200],
            data=data,
            **_said(kind, by, about and about(row), at),
            **belongs,
        )
        for row, data in changed
    ]
    if belongs["act"] is not None and events:
        _mark_heads(events)
    Event.objects.bulk_create(events, batch_size=500)
    if kind.webhook is not None:
        for row, data in changed:
            owner = row.organization_id  # type: ignore[attr-defined]
            followers.call(kind, owner, [row.pk], about=about and about(row), at=at, label=str(row), data=data)


def _act(kind: Kind, act: UUID | None, object_id: int | None, *, is_asked: bool = True) -> dict[str, Any]:
    """Return the act of a line, and whether the line is its first. Within an operation, the operation is the act."""
    current = acts.current()
    if current is not None:
        act = current.id
    is_head = True
    if act is not None and is_asked:
        is_head = not Event.objects.filter(act=act, kind=kind.name, object_id=object_id).exists()
    return {"act": act, "operation_id": current.operation_id if current else None, "is_head": is_head}


def _mark_heads(events: list[Event]) -> None:
    """Mark the first line for each other party as the head of its act and kind, unless an earlier chunk wrote one."""
    rows = Event.objects.filter(act=events[0].act, kind=events[0].kind, is_head=True)
    known = set(rows.values_list("object_id", flat=True))
    for event in events:
        event.is_head = event.object_id not in known
        known.add(event.object_id)


def _said(kind: Kind, by: Actor, about: models.Model | None, at: datetime) -> dict[str, Any]:
    """Return what a line says besides its subject: what was done, when, by whom, and with which other party."""
    return {
        "at": at,
        "kind": kind.name,
        "object_kind": kind_of(about) if about else "",
        "object_id": about.pk if about else None,
        "object_label": str(about)[:200] if about else "",
        "actor_id": by.user_id,
        "actor_label": by.label[:200],
    }


def events_about(reader: Actor, kind: str, pk: int, *, limit: int, is_subject: bool = False) -> list[Event]:
    """Return the newest events with this thing as subject or as the other party, from two short index ranges.

    An act on many things with this one as the other party is one line. With `is_subject`, only the first range is
    searched: for things that have a line of their own wherever they are the other party.
    """
    rows = Event.objects.visible_to(reader)
    sides = [rows.filter(subject_kind=kind, subject_id=pk)]
    if not is_subject:
        sides.append(rows.filter(object_kind=kind, object_id=pk, is_head=True))
    found = {event.pk: event for side in sides for event in side.order_by("-at", "-pk")[:limit]}
    return sorted(found.values(), key=lambda event: (event.at, event.pk), reverse=True)[:limit]


def count_acts(events: list[Event]) -> None:
    """Set `others` on each event that represents an act: how many more lines it has, capped as counts are."""
    heads = [event for event in events if event.act is not None and event.is_head]
    same: list[models.QuerySet[Any]] = [
        Event.objects.filter(act=e.act, kind=e.kind, object_id=e.object_id) for e in heads
    ]
    for event, number in zip(heads, counts.of_each(same) if same else [], strict=True):
        event.others = number - 1  # type: ignore[attr-defined]


def label_of(reader: Actor, kind: str, pk: int) -> str:
    """Return the last name that the log has for a thing, or its kind and id if the log has nothing about it."""
    rows = Event.objects.visible_to(reader).filter(subject_kind=kind, subject_id=pk).order_by("-at", "-pk")
    return rows.values_list("subject_label", flat=True).first() or f"{kind} {pk}"


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
