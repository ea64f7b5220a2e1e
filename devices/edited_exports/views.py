"""Changing devices in a spreadsheet: export, upload the edited file, preview the changes, apply them."""

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext_lazy as _

from console import forms
from console.access import Permission
from console.imports import pages
from console.imports.preview import UploadForm
from console.policies import requires
from console.requests import Request
from devices import assignment_pages
from devices.actions.ownership import over_unclaim_limit
from devices.edited_exports import actions
from devices.edited_exports.actions import IMPORTER
from devices.edited_exports.columns import COLUMNS, MEANINGS
from devices.edited_exports.pages import RoundTripApplyForm, RoundTripPreview

WAY = pages.Way(
    "devices:device_changes",
    above=(_("Devices"), "devices:device_list"),
    start=(_("Change in Excel"), "devices:device_changes_create"),
)


@requires(Permission.DEVICE_ASSIGN)
def device_changes_create(request: Request) -> HttpResponse:
    """Export the list, and upload it again after editing."""
    form, template = UploadForm(request), "devices/edited_exports/device_changes_create.html"
    return pages.create(request, IMPORTER, form, WAY, template, pages.understood(COLUMNS, MEANINGS))


@requires(Permission.DEVICE_ASSIGN)
def device_changes_detail(request: Request, pk: int) -> HttpResponse:
    """Show what the check found, and what was changed."""
    template = "devices/edited_exports/device_changes_detail.html"
    return pages.detail(request, IMPORTER, pk, WAY, template, RoundTripPreview)


@requires(Permission.DEVICE_ASSIGN)
def device_changes_columns(request: Request, pk: int) -> HttpResponse:
    """Correct how the file is read, and check it again."""
    return pages.columns(request, IMPORTER, pk, WAY)


@requires(Permission.DEVICE_ASSIGN)
def device_changes_apply(request: Request, pk: int) -> HttpResponse:
    """Show how many devices change in which way, ask for the reason, then apply the changes."""
    row = get_object_or_404(IMPORTER.visible_to(request.actor), pk=pk)
    plan = actions.refuse_unfit(row)
    form = RoundTripApplyForm(request.POST if request.method == "POST" else None, row, plan)
    operation = forms.attempt(form, lambda: actions.apply(row, by=request.actor, **form.cleaned_data))
    if operation is not None:
        return redirect(operation)
    limit = over_unclaim_limit(plan.taken, by=request.actor) if plan.taken else ""
    context = {"limit": limit, **assignment_pages.links_of(request, plan.moved)}
    template = "devices/edited_exports/device_changes_apply.html"
    return forms.page(request, template, form, **{"import": row, "plan": plan, **context})


@requires(Permission.DEVICE_ASSIGN)
def device_changes_refused(request: Request, pk: int) -> StreamingHttpResponse:
    """Download the refused rows, to be corrected and uploaded again."""
    return pages.refused(request, IMPORTER, pk)
