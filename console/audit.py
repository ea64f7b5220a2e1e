"""Writes the audit log, in the transaction of what it tells."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone

from console import sql
from console.access import Actor
from console.models import Event
from console.webhooks import fanout


def kind_of(row: models.Model) -> str:
    """The word for a row's kind in the log: its model's name."""
    return row._meta.model_name or ""


def record(
    kind: str,
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

    `about` is the other party. A datum `field=[old, new]` tells a change, any other one belongs to the sentence.
    """
    organization, at = getattr(subject, "organization", None) or by.organization, at or timezone.now()
    fanout.follow(kind, kind_of(subject), organization.pk if organization else 0, [subject.pk], about=about, at=at,
                  label=str(subject), data=data)  # fmt: skip
    return Event.objects.create(
        organization=organization,
        at=at,
        kind=kind,
        subject_kind=kind_of(subject),
        subject_id=subject.pk,
        subject_label=str(subject)[:200],
        object_kind=kind_of(about) if about else "",
        object_id=about.pk if about else None,
        object_label=str(about)[:200] if about else "",
        actor_id=by.user_id,
        actor_label=by.label[:200],
        data=data,
        act=act,
    )


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """`{field: [old, new]}` for the fields that differ, as text."""
    return {
        name: [_plain(before.get(name)), _plain(value)]
        for name, value in after.items()
        if before.get(name) != value
    }


def record_set(
    kind: str,
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

    The organization is that of the row: a customer's person acts for none.
    """
    constants: dict[str, Any] = {
        "at": at or timezone.now(),
        "kind": kind,
        "subject_kind": model._meta.model_name,
        "object_kind": kind_of(about) if about else "",
        "object_id": about.pk if about else None,
        "object_label": str(about)[:200] if about else "",
        "actor_id": by.user_id,
        "actor_label": by.label[:200],
        "data": data,
        "act": act,
    }
    copied = {"organization": sql.quote("organization_id"), "subject_id": sql.quote(sql.field(model).column),
              "subject_label": sql.quote(label)}  # fmt: skip
    sql.insert_from(Event, constants, copied, model, ids)
    owner = (
        model._base_manager.filter(pk=ids[0]).values("organization_id") if ids else model._base_manager.none()
    )
    fanout.follow(kind, constants["subject_kind"], owner, ids, about=about, at=constants["at"], data=data)


def record_each(
    kind: str,
    changed: Iterable[tuple[models.Model, dict[str, Any]]],
    *,
    by: Actor,
    about: Callable[[Any], models.Model] | None = None,
    act: UUID | None = None,
    at: Any = None,
) -> None:
    """Write one line for each row with data of its own: (row, {field: [old, new]}) each.

    `about` names the other party of a row.
    """
    at = at or timezone.now()
    Event.objects.bulk_create(
        [
            Event(
                organization_id=row.organization_id,  # type: ignore[attr-defined]
                at=at, kind=kind, subject_kind=kind_of(row), subject_id=row.pk, subject_label=str(row)[:200],
                actor_id=by.user_id, actor_label=by.label[:200], data=data, act=act, **_party(about and about(row)),
            )
            for row, data in changed
        ],
        batch_size=500,
    )  # fmt: skip


def _party(about: models.Model | None) -> dict[str, Any]:
    if about is None:
        return {}
    return {"object_kind": kind_of(about), "object_id": about.pk, "object_label": str(about)[:200]}


def events_about(reader: Actor, kind: str, pk: int, *, limit: int, is_subject: bool = False) -> list[Event]:
    """The newest events that have this thing as their subject or as the other party. Two short index ranges.

    With `is_subject` only the first: of things that have a line of their own wherever they are the other party.
    """
    rows = Event.objects.visible_to(reader)
    sides = [rows.filter(subject_kind=kind, subject_id=pk)]
    if not is_subject:
        sides.append(rows.filter(object_kind=kind, object_id=pk))
    found = {event.pk: event for side in sides for event in side.order_by("-at", "-pk")[:limit]}
    return sorted(found.values(), key=lambda event: (event.at, event.pk), reverse=True)[:limit]


def label_of(reader: Actor, kind: str, pk: int) -> str:
    """What a thing was called last in the log, or its kind and id where it tells nothing of it."""
    rows = Event.objects.visible_to(reader).filter(subject_kind=kind, subject_id=pk).order_by("-at", "-pk")
    return rows.values_list("subject_label", flat=True).first() or f"{kind} {pk}"


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
