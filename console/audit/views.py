"""The pages of the audit log."""

from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from console.access import Permission
from console.audit import activity, describe
from console.export import newest_first, stream
from console.filters import EventFilter
from console.listing import render_list
from console.models import Event
from console.policies import requires
from console.requests import Request
from console.tables import EventTable


@requires(Permission.VIEW)
def activity_list(request: Request) -> HttpResponse:
    """List who did what, newest first: one line for each act, with a link to all of its lines."""
    rows = Event.objects.visible_to(request.actor)
    return render_list(
        request,
        rows=rows,
        table=EventTable,
        filters=activity.ActivityFilter,
        template="console/audit/activity_list.html",
        decorate=activity.decorate,
    )


@requires(Permission.EXPORT)
def activity_export(request: Request) -> HttpResponseBase:
    """Download the lines that match the filters, as CSV or XLSX."""
    filterset = EventFilter(request.GET, queryset=Event.objects.visible_to(request.actor), request=request)
    rows = newest_first(filterset.qs, key="at") if filterset.is_valid() else ()
    header = [
        _("Time"),
        _("Who"),
        _("Kind"),
        _("What"),
        _("Kind of subject"),
        _("Id"),
        _("Subject"),
        _("Other party"),
        _("Reason"),
        _("Details"),
    ]
    return stream(request, _("activity"), header, (describe.row(event) for event in rows))
