"""The REST API of the audit log."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from console import feed
from console.access import Permission
from console.audit import describe, kinds, subjects
from console.export import newest_first
from console.filters import EventFilter
from console.models import Event
from console.rest.endpoints import endpoint
from console.rest.exports import export, unpaged, written
from console.rest.fields import Text
from console.rest.forms import filtered
from console.rest.paging import FeedQuery, follow, page

TAG = "events"

# The columns of an export, in the order of describe.row.
HEADER = ["at", "actor", "kind", "what", "subject_kind", "subject_id", "subject", "object", "reason", "details"]


class EventOut(serializers.ModelSerializer):
    """One event of the audit log. `data` holds changes as `{field: [old, new]}`."""

    data = serializers.JSONField()
    act = serializers.UUIDField(allow_null=True, help_text="The same for all events of one action.")
    operation = serializers.IntegerField(
        source="operation_id", allow_null=True, help_text="The operation that did it, if any."
    )

    class Meta:
        model = Event
        fields = [
            "id",
            "at",
            "kind",
            "subject_kind",
            "subject_id",
            "subject_label",
            "object_kind",
            "object_id",
            "object_label",
            "actor_label",
            "data",
            "act",
            "operation",
        ]


class KindField(serializers.ChoiceField):
    """A kind of event, by its current name or by a name from an earlier release."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=kinds.names(), **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        known = kinds.find(data) if isinstance(data, str) else None
        return super().to_internal_value(known.name if known else data)


class SubjectField(serializers.ChoiceField):
    """A kind of thing that events are about."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[kind for kind, _label in subjects.choices()], **kwargs)


class EventQuery(FeedQuery):
    """Filters for the events of the audit log."""

    q = Text(required=False, max_length=64, help_text="Only events about things whose name starts with this text.")
    kind = KindField(required=False)
    subject = SubjectField(required=False, help_text="The kind of thing, such as device.")
    who = Text(
        required=False,
        max_length=20,
        pattern="^(system|[0-9]{1,18})$",
        help_text="The ID of a person, or `system` for the server itself.",
    )
    about = Text(
        required=False,
        max_length=40,
        pattern="^[a-z]+:[0-9]{1,18}$",
        help_text="One thing by kind and ID, such as device:17.",
    )
    since = serializers.DateField(required=False, help_text="The first day, in the organization's time zone.")
    until = serializers.DateField(required=False, help_text="The last day, included, in the organization's time zone.")


@endpoint("List events", may=Permission.VIEW, answers=EventOut, query=EventQuery, is_list=True)
def event_list(request: Any) -> Any:
    """Return the events of the audit log, newest first; ascending order is the order in which they were committed."""
    if request.query["order"] == "asc":
        last = feed.settled_up_to(Event, "id", "event_in_order")
        return follow(request.query, _rows(request), EventOut, up_to=last)
    return page(request.query, _rows(request), EventOut, by="at")


@export("Download events", may=Permission.EXPORT, query=unpaged(EventQuery), tag="events")
def event_export(request: Any, form: str) -> Any:
    """Return all events that match the filters, newest first, as a file."""
    lines = (describe.row(event) for event in newest_first(_rows(request), key="at"))
    return written(form, request, "activity", HEADER, lines)


def _rows(request: Any) -> QuerySet[Event]:
    wanted = {name: request.query.get(name) for name in ("q", "kind", "subject", "who", "about", "since", "until")}
    return filtered(EventFilter, Event.objects.visible_to(request.actor), request, **wanted)
