"""Pages for printing labels: the form with its preview, the progress, and the file."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from claims.labels import actions, pages
from claims.labels.tables import LabelSheetTable
from claims.models import LabelSheet
from console.access import Permission
from console.bulk import SelectionChanged
from console.downloads import answer
from console.forms import attempt, page
from console.listing import render_list
from console.operations import IN_REQUEST
from console.policies import requires
from console.requests import Request


@requires(Permission.CODE_VIEW)
def label_sheet_list(request: Request) -> HttpResponse:
    """List the printed labels, newest first."""
    rows = LabelSheet.objects.visible_to(request.actor).select_related("operation")
    return render_list(
        request,
        rows=rows,
        table=LabelSheetTable,
        decorate=pages.name_all,
        template="claims/labels/label_sheet_list.html",
    )


@requires(Permission.CODE_VIEW)
def label_sheet_create(request: Request) -> HttpResponseBase:
    """Choose stock and content with a preview, then print the labels of the selected devices."""
    job = pages.job(request)
    if job.is_preview:
        return render(request, "claims/labels/_label_preview.html", job.context())
    printed = attempt(job.form, lambda: _printed(request, job), only=SelectionChanged) if job.is_final else None
    return printed or page(request, "claims/labels/label_sheet_create.html", job.form, **job.context())


@requires(Permission.CODE_VIEW)
def label_sheet_detail(request: Request, pk: int) -> HttpResponse:
    """Show the progress and, when it is done, the file. The page refreshes itself until then."""
    rows = LabelSheet.objects.visible_to(request.actor).select_related("operation")
    sheet = get_object_or_404(rows, pk=pk)
    template = (
        "claims/labels/_label_sheet.html" if request.htmx.target == "sheet" else "claims/labels/label_sheet_detail.html"
    )
    return render(request, template, pages.detail(sheet))


@requires(Permission.CODE_VIEW)
@require_POST
def label_sheet_download(request: Request, pk: int) -> HttpResponseBase:
    """Return the file. The download is logged."""
    sheet = get_object_or_404(LabelSheet.objects.visible_to(request.actor), pk=pk)
    return answer(pages.download(sheet, by=request.actor))


def _printed(request: Request, job: pages.Job) -> HttpResponseBase:
    """Return the labels at once or, if there are many, start printing and redirect to the page of the sheet."""
    ids, plan = pages.ids_to_print(job), pages.plan(job)
    request.session[pages.REMEMBERED] = job.form.kept
    if len(ids) > IN_REQUEST:
        return redirect("claims:label_sheet_detail", actions.start(ids, by=request.actor, **plan).pk)
    made = actions.make(ids, by=request.actor, **plan)
    return answer(pages.as_file(made.content, made.sheet))
