"""Returns: the workbench, the list, the inspection, the queue of labels, the settings."""

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from claims.models import Return
from claims.returns import pages, workbench
from claims.returns.actions import inspection, inspection_undo, receipt_undo, returns
from claims.returns.exports import return_rows
from claims.returns.filters import ReturnFilter
from claims.returns.forms import ReceiveForm
from claims.returns.tables import LabelQueueTable, ReturnTable
from console.access import Permission, requires
from console.bulk import SelectionChanged, selection
from console.errors import Refused
from console.listing import render_list
from console.models import Operation
from console.requests import Request
from devices.filters import DeviceFilter
from devices.models import Device


@requires(Permission.RETURN_RECEIVE)
def return_workbench(request: Request) -> HttpResponse:
    """Put units on the bench, by scanning them one after another; nothing is changed yet."""
    bench = workbench.open_bench(request)
    template = "claims/returns/_return_bench.html" if request.htmx else "claims/returns/return_workbench.html"
    return render(request, template, pages.bench_context(request, bench))


@requires(Permission.RETURN_RECEIVE)
def return_receive(request: Request) -> HttpResponse:
    """Receive the units on the bench."""
    if request.method != "POST":
        return redirect("claims:return_workbench")
    bench = workbench.open_bench(request, scans_too=False)
    form = ReceiveForm(request.POST, actor=request.actor, asks_reason=bench.asks_reason)
    if form.is_valid():
        try:
            terms = pages.terms(request, form)
            operation = returns.begin_receive(bench.ids, anyway=bench.asked, by=request.actor, **terms)
            return pages.received(request, operation)
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
    return render(
        request, "claims/returns/return_workbench.html", pages.bench_context(request, bench, form), status=422
    )


@requires(Permission.RETURN_RECEIVE)
def return_receive_undo(request: Request, pk: int) -> HttpResponse:
    """Take the receiving back: which units can be given back and which can't, then the act."""
    operations = Operation.objects.visible_to(request.actor).filter(undo_route=returns.UNDO)
    operation = get_object_or_404(operations, pk=pk)
    if request.method == "POST":
        return redirect(receipt_undo.begin(operation, by=request.actor))
    context = {"operation": operation, **receipt_undo.preview(operation, shown=pages.SHOWN)}
    return render(request, "claims/returns/return_receive_undo.html", context)


@requires(Permission.RETURN_EDIT)
def return_inspect_undo(request: Request, pk: int) -> HttpResponse:
    """Take an inspection back: which units can be in quarantine again and which can't, then the act."""
    operations = Operation.objects.visible_to(request.actor).filter(undo_route=inspection.UNDO)
    operation = get_object_or_404(operations, pk=pk)
    if request.method == "POST":
        return redirect(inspection_undo.begin(operation, by=request.actor))
    context = {"operation": operation, **inspection_undo.preview(operation, shown=pages.SHOWN)}
    return render(request, "claims/returns/return_inspect_undo.html", context)


@requires(Permission.VIEW)
def return_list(request: Request) -> HttpResponse:
    """All returns, filtered and paged."""
    context = {"bulk_template": "claims/returns/_return_bulk.html", "tab": "list"}
    return render_list(
        request,
        rows=pages.rows(request.actor),
        table=ReturnTable,
        filters=ReturnFilter,
        template="claims/returns/return_list.html",
        context=context,
    )


@requires(Permission.EXPORT)
def return_export(request: Request) -> StreamingHttpResponse:
    """The filtered list as CSV or XLSX, streamed."""
    return return_rows(request)


@requires(Permission.VIEW)
def return_detail(request: Request, pk: int) -> HttpResponse:
    """One return: where it stands, what was found, the unit, its owner then, its shipment."""
    rows = pages.rows(request.actor).select_related("shipment", "operation", "device__customer")
    returned = get_object_or_404(rows, pk=pk)
    context = {"returned": returned, "device": returned.device, "steps": pages.steps(returned)}
    return render(request, "claims/returns/return_detail.html", context)


@requires(Permission.RETURN_EDIT)
def return_inspect(request: Request) -> HttpResponse:
    """Say what was found at the selected units, and what becomes of them."""
    chosen = selection(request, Return.objects.visible_to(request.actor), ReturnFilter, mark="state")
    picked = pages.selected(chosen)
    form = pages.inspect_form(request, chosen, picked)
    if request.method == "POST" and form.is_valid():
        try:
            return pages.inspect(request, chosen, form)
        except SelectionChanged as changed:
            form.add_error(None, changed.sentence)
    context = {"form": form, "chosen": chosen, **picked}
    return render(request, "claims/returns/return_inspect.html", context, status=422 if form.errors else 200)


@requires(Permission.RETURN_EDIT)
@require_POST
def return_cancel(request: Request, pk: int) -> HttpResponse:
    """Cancel a request."""
    returned = get_object_or_404(pages.rows(request.actor), pk=pk)
    returns.cancel(returned, by=request.actor)
    messages.success(request, _("%(code)s is cancelled.") % {"code": returned.code})
    return redirect(returned)


@requires(Permission.VIEW)
def return_label_queue(request: Request) -> HttpResponse:
    """The units whose label is dead, until a new one is printed."""
    context = {"bulk_template": "claims/labels/_return_label_bulk.html", "tab": "labels"}
    return render_list(
        request,
        rows=pages.rows(request.actor).filter(needs_label=True),
        table=LabelQueueTable,
        template="claims/labels/return_label_queue.html",
        context=context,
    )


@requires(Permission.RETURN_RECEIVE)
def return_label_done(request: Request) -> HttpResponse:
    """Ask, then note that the selected units carry a new label."""
    chosen = selection(request, Device.objects.visible_to(request.actor), DeviceFilter)
    changed = None
    if request.method == "POST":
        try:
            count = returns.labels_replaced(chosen.ids, by=request.actor)
            messages.success(request, pages.label_sentence(count))
            return redirect(chosen.back or "claims:return_label_queue")
        except SelectionChanged as refusal:
            changed = refusal.sentence
    devices = chosen.rows.select_related("product").order_by("serial_key", "pk")
    context = {"chosen": chosen, "devices": devices, "changed": changed}
    return render(request, "claims/labels/return_label_done.html", context, status=409 if changed else 200)


@requires(Permission.ORGANIZATION_EDIT)
def return_settings(request: Request) -> HttpResponse:
    """Where customers send units, why they come back, and what is checked then."""
    return pages.SettingsPage(request).answer()
