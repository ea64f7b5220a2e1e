"""The audit log over REST."""

from typing import Any

from rest_framework import serializers

from console import sentences
from console.access import Permission
from console.filters import EventFilter
from console.models import Event
from console.rest.endpoints import endpoint
from console.rest.fields import Text
from console.rest.forms import filtered
from console.rest.paging import PageQuery, page

KINDS = sorted(kind for _label, kinds in sentences.GROUPS for kind in kinds)


class EventOut(serializers.ModelSerializer):
    """One line of the log. `data` tells changes as `{field: [old, new]}`."""

    data = serializers.JSONField()

    class Meta:
        model = Event
        fields = ["id", "at", "kind", "subject_kind", "subject_id", "subject_label", "object_kind", "object_id",
                  "object_label", "actor_label", "data"]  # fmt: skip


class EventQuery(PageQuery):
    """Which lines."""

    kind = serializers.ChoiceField(choices=KINDS, required=False)
    about = Text(
        required=False,
        max_length=40,
        pattern="^[a-z]+:[0-9]{1,18}$",
        help_text="One thing, such as device:17.",
    )
    since = serializers.DateField(required=False, help_text="From this day on.")
    until = serializers.DateField(required=False, help_text="Up to this day.")


@endpoint("List events", may=Permission.VIEW, answers=EventOut, query=EventQuery, is_list=True)
def event_list(request: Any) -> Any:
    """The audit log, the newest first."""
    query = request.query
    rows = filtered(EventFilter, Event.objects.visible_to(request.actor), request, kind=query.get("kind"),
                    about=query.get("about"), since=query.get("since"), until=query.get("until"))  # fmt: skip
    return page(query, rows, EventOut, by="at")
