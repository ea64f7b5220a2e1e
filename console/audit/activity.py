"""The list of the log: one line for each act, with the number of things it concerned and a link to its operation."""

from typing import Any

from console.audit import count_acts
from console.filters import EventFilter
from console.models import Event, Operation
from console.requests import Request


class ActivityFilter(EventFilter):
    """The filters of the log. The list shows an act as one line, unless it is filtered by particular things."""

    @property
    def qs(self) -> Any:
        rows = super().qs
        return rows.filter(is_head=True) if self.has_one_line_for_one_act else rows


def decorate(request: Request, events: list[Event]) -> None:
    """Set `others` on the line of each act, and `operation` where an operation did it, for all lines at once."""
    if not any(request.GET.get(name) for name in ("q", "act", "about", "subject")):
        count_acts(events)
    wanted = {event.operation_id for event in events if event.operation_id is not None}
    found = Operation.objects.visible_to(request.actor).defer("payload").in_bulk(wanted) if wanted else {}
    for event in events:
        event.operation = found.get(event.operation_id)  # type: ignore[attr-defined]
