"""Change devices in a spreadsheet: export, upload the edited file, look at what would change, apply."""

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from console.access import Permission, requires
from console.errors import Refused
from console.imports import refused
from console.imports.pages import earlier, progress, same_files, urls
from console.imports.preview import ColumnsForm
from console.requests import Request
from devices import assignment_pages
from devices.actions.ownership import over_unclaim_limit
from devices.edited_exports import RoundTripKind, actions
from devices.edited_exports.pages import RoundTripApplyForm, RoundTripForm, RoundTripPreview, understood
from devices.models import RoundTrip


def _visible(request: Request) -> QuerySet:
    return RoundTrip.objects.visible_to(request.actor).select_related("organization", "operation")


@requires(Permission.DEVICE_ASSIGN)
def device_changes_create(request: Request) -> HttpResponse:
    """Export the list, and upload it again once it is edited."""
    form = RoundTripForm(request)
    if request.method == "POST" and form.is_valid():
        row = form.receive(by=request.actor)
        if row is not None:
            actions.check(row, by=request.actor)
            return redirect(row)
    context = {"form": form, "earlier": earlier(_visible(request)), "understood": understood()}
    return render(
        request, "devices/edited_exports/device_changes_create.html", context, status=422 if form.errors else 200
    )


@requires(Permission.DEVICE_ASSIGN)
def device_changes_detail(request: Request, pk: int) -> HttpResponse:
    """What the check found, and what was done."""
    row = get_object_or_404(_visible(request), pk=pk)
    if request.htmx.target == "progress":
        return progress(request, row)
    context = {
        "import": row,
        "preview": RoundTripPreview(row),
        "same": same_files(_visible(request), row),
        "urls": urls("devices:device_changes", row.pk),
    }
    return render(request, "devices/edited_exports/device_changes_detail.html", context)


@requires(Permission.DEVICE_ASSIGN)
def device_changes_columns(request: Request, pk: int) -> HttpResponse:
    """Correct how the file is read, and check it anew."""
    row = get_object_or_404(_visible(request), pk=pk)
    form = ColumnsForm(request.POST if request.method == "POST" else None, row, RoundTripKind)
    if request.method == "POST" and form.is_valid():
        actions.check(row, by=request.actor, reading=form.reading())
        return redirect(row)
    context = {"import": row, "form": form}
    return render(
        request, "devices/edited_exports/device_changes_columns.html", context, status=422 if form.errors else 200
    )


@requires(Permission.DEVICE_ASSIGN)
def device_changes_apply(request: Request, pk: int) -> HttpResponse:
    """Say how many units change in which way, ask why, then do it."""
    row = get_object_or_404(_visible(request), pk=pk)
    plan = actions.refuse_unfit(row)
    form = RoundTripApplyForm(request.POST if request.method == "POST" else None, row, plan)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(actions.apply(row, by=request.actor, **form.cleaned_data))
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
    limit = over_unclaim_limit(plan.taken, by=request.actor) if plan.taken else ""
    said = {"limit": limit, **assignment_pages.links_of(request, plan.moved)}
    context = {"import": row, "plan": plan, "form": form, **said}
    return render(
        request, "devices/edited_exports/device_changes_apply.html", context, status=422 if form.errors else 200
    )


@requires(Permission.DEVICE_ASSIGN)
def device_changes_refused(request: Request, pk: int) -> StreamingHttpResponse:
    """The refused rows, to be corrected and sent again."""
    return refused.answer(request, get_object_or_404(_visible(request), pk=pk), RoundTripKind)
