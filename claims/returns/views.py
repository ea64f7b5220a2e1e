"""Console pages of returns: workbench, list, inspection, queue of labels, settings."""

from functools import partial

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from claims.models import Return
from claims.returns import pages, undos
from claims.returns.actions import inspection, returns
from claims.returns.exports import return_table
from claims.returns.filters import ReturnFilter
from claims.returns.forms import ReceiveForm
from claims.returns.tables import LabelQueueTable, ReturnTable
from claims.returns.workbench import open_workbench
from console import undo
from console.access import Permission
from console.bulk import SelectionChanged, selection, tell_refused
from console.export import stream
from console.forms import attempt, page, press
from console.listing import render_list
from console.policies import requires
from console.requests import Request
from devices.filters import DeviceFilter
from devices.models import Device


@requires(Permission.RETURN_RECEIVE)
def return_workbench(request: Request) -> HttpResponse:
    """Put devices on the workbench by scanning them one after another; nothing is changed yet."""
    workbench = open_workbench(request)
    template = "claims/returns/_return_workbench.html" if request.htmx else "claims/returns/return_workbench.html"
    return render(request, template, pages.workbench_context(request, workbench))


@requires(Permission.RETURN_RECEIVE)
def return_receive(request: Request) -> HttpResponse:
    """Receive the devices on the workbench."""
    if request.method != "POST":
        return redirect("claims:return_workbench")
    workbench = open_workbench(request, scans_too=False)
    form = ReceiveForm(request.POST, actor=request.actor, asks_reason=workbench.asks_reason)
    receive = partial(returns.begin_receive, workbench.ids, anyway=workbench.asked, by=request.actor)
    operation = attempt(form, lambda: receive(**pages.terms(request, form)))
    if operation is None:
        context = pages.workbench_context(request, workbench, form)
        return page(request, "claims/returns/return_workbench.html", form, **context)
    if not operation.is_over:
        return redirect(operation)
    if operation.succeeded:
        messages.success(request, pages.received(request.actor, operation))
    tell_refused(request, operation)
    return redirect("claims:return_workbench")


@requires(Permission.RETURN_RECEIVE)
def return_receive_undo(request: Request, pk: int) -> HttpResponse:
    """Show which received devices can be given back to their owners, then give them back."""
    return undo.page(request, pk, undos.RECEIPT)


@requires(Permission.RETURN_EDIT)
def return_inspect_undo(request: Request, pk: int) -> HttpResponse:
    """Show which inspected devices can go back into quarantine, then put them there."""
    return undo.page(request, pk, undos.INSPECTION)


@requires(Permission.VIEW)
def return_list(request: Request) -> HttpResponse:
    """List all returns, filtered and paged."""
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
    """Stream the filtered list as CSV or XLSX."""
    return stream(request, *return_table(request))


@requires(Permission.VIEW)
def return_detail(request: Request, pk: int) -> HttpResponse:
    """Show one return: its state, the findings, the device, its owner at that time, and its shipment."""
    rows = pages.rows(request.actor).select_related("shipment", "operation", "device__customer")
    returned = get_object_or_404(rows, pk=pk)
    context = {"returned": returned, "device": returned.device, "steps": pages.steps(returned)}
    return render(request, "claims/returns/return_detail.html", context)


@requires(Permission.RETURN_EDIT)
def return_inspect(request: Request) -> HttpResponse:
    """Record the findings for the selected devices and the decision about them."""
    chosen = selection(request, Return.objects.visible_to(request.actor), ReturnFilter, mark="state")
    picked = pages.selected(chosen)
    form = pages.inspect_form(request, chosen, picked)
    inspect = partial(inspection.begin, by=request.actor)
    operation = attempt(
        form,
        lambda: inspect(chosen.ids, form.findings, decision=form.decided, return_url=pages.back_from(chosen)),
        only=SelectionChanged,
    )
    if operation is None:
        return page(request, "claims/returns/return_inspect.html", form, chosen=chosen, **picked)
    if not operation.is_over:
        return redirect(operation)
    following = pages.next_of(request.actor, chosen, operation)
    if operation.is_undoable():
        is_named = following is not None
        messages.success(request, pages.inspected(request.actor, operation, form.decided, is_named=is_named))
    tell_refused(request, operation)
    return redirect(f"{reverse('claims:return_inspect')}?ids={following}" if following else operation.return_url)


@requires(Permission.RETURN_EDIT)
@require_POST
def return_cancel(request: Request, pk: int) -> HttpResponse:
    """Cancel a requested return."""
    returned = get_object_or_404(pages.rows(request.actor), pk=pk)
    return press(request, returned, returns.cancel, _("%(code)s is cancelled.") % {"code": returned.code})


@requires(Permission.VIEW)
def return_label_queue(request: Request) -> HttpResponse:
    """List the devices whose label no longer works and that have no new one yet."""
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
    """Ask for confirmation, then record that the selected devices carry a new label."""
    chosen = selection(request, Device.objects.visible_to(request.actor), DeviceFilter)
    form = Form(request.POST if request.method == "POST" else None)
    count = attempt(form, lambda: returns.labels_replaced(chosen.ids, by=request.actor), only=SelectionChanged)
    if count is None:
        devices = chosen.rows.select_related("product").order_by("serial_key", "pk")
        return page(request, "claims/labels/return_label_done.html", form, chosen=chosen, devices=devices)
    messages.success(request, pages.label_sentence(count))
    return redirect(chosen.back or "claims:return_label_queue")


@requires(Permission.ORGANIZATION_EDIT)
def return_settings(request: Request) -> HttpResponse:
    """Edit where customers send devices, the reasons for returns, and the inspection checklist."""
    shown = pages.SettingsPage(request)
    if shown.is_done:
        messages.success(request, _("Saved."))
        return redirect("claims:return_settings")
    return render(request, "claims/returns/return_settings.html", shown.forms, status=shown.status)
