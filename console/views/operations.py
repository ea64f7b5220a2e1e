"""Operations (long and bulk work): their progress and refused rows."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from console.access import Permission
from console.export import stream_csv
from console.filters import OperationFilter
from console.listing import render_list
from console.models import Operation
from console.policies import requires
from console.requests import Request
from console.tables import OperationTable

ROWS_SHOWN = 100


@requires(Permission.VIEW)
def operation_list(request: Request) -> HttpResponse:
    """List all operations, newest first, with the undo of those that can still be undone."""
    rows = Operation.objects.visible_to(request.actor).defer("payload")
    return render_list(
        request, rows=rows, table=OperationTable, filters=OperationFilter, template="console/operation_list.html"
    )


@requires(Permission.VIEW)
def operation_detail(request: Request, pk: int) -> HttpResponse:
    """Show progress, counts and the refused rows. The page refreshes itself until the operation is over."""
    operation = get_object_or_404(Operation.objects.visible_to(request.actor), pk=pk)
    is_partial = request.htmx and request.htmx.target == "operation"
    template = "console/_operation.html" if is_partial else "console/operation_detail.html"
    rows = operation.rows.order_by("position")[:ROWS_SHOWN]
    return render(request, template, {"operation": operation, "rows": rows})


@requires(Permission.VIEW)
def operation_refused(request: Request, pk: int) -> HttpResponseBase:
    """Download all refused rows as a file."""
    operation = get_object_or_404(Operation.objects.visible_to(request.actor), pk=pk)
    rows = operation.rows.order_by("position").values_list("position", "label", "code", "sentence")
    header = [_("Row"), _("Name"), _("Code"), _("Why it was refused")]
    return stream_csv(_("refused"), header, (list(row) for row in rows.iterator(2_000)))
