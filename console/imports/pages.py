"""The pages of all kinds of imports: upload, result of the check, columns, apply, refused rows.

Each route is a view of its own with its policy mark; it calls the function of the same name here with its importer.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from console import forms, way_back
from console.columns import Column
from console.imports import refused as refused_rows
from console.imports.lifecycle import Importer
from console.imports.preview import ApplyForm, ColumnsForm, Preview, UploadForm
from console.models import FileImport
from console.requests import Request

EARLIER_SHOWN = 8


@dataclass(frozen=True)
class Way:
    """The routes of the pages of one kind of import.

    `route` is that of one import; the others add `_columns`, `_apply` and `_refused`. `above` and `start` are pairs of
    label and route: the list above the imports, and the page where the next import begins.
    """

    route: str
    above: tuple[Any, str]
    start: tuple[Any, str]

    def crumbs(self, request: Request) -> list[tuple[Any, str]]:
        """Return label and URL of the pages above one import; the list keeps its last filters."""
        return [(self.above[0], way_back.to_list(request, self.above[1])), (self.start[0], reverse(self.start[1]))]

    def urls(self, pk: int) -> dict[str, str]:
        """Return the URLs that the page of an import links to."""
        return {name: reverse(f"{self.route}_{name}", args=[pk]) for name in ("columns", "apply", "refused")}


def create(
    request: Request,
    importer: Importer,
    form: UploadForm,
    way: Way,
    template: str,
    understood: list[tuple[Any, Any, str]],
) -> HttpResponse:
    """Answer with the page where a file is uploaded; check an accepted file, and redirect to its page."""
    row = forms.attempt(form, lambda: importer.receive_form(form, by=request.actor), field="file")
    if row is not None:
        importer.check(row, by=request.actor)
        return redirect(row)
    earlier = importer.visible_to(request.actor).order_by("-pk")[:EARLIER_SHOWN]
    return forms.page(request, template, form, way=way, earlier=list(earlier), understood=understood)


def detail(
    request: Request,
    importer: Importer,
    pk: int,
    way: Way,
    template: str,
    preview: Callable[[Any, Any], Preview] = Preview,
) -> HttpResponse:
    """Answer with the page of one import: what the check found, and what was done."""
    rows = importer.visible_to(request.actor)
    row = get_object_or_404(rows, pk=pk)
    if request.htmx.target == "progress":
        return _progress(request, row)
    context = {
        "import": row,
        "preview": preview(row, importer.kind),
        "same": _same_files(rows, row),
        "crumbs": way.crumbs(request),
        "urls": way.urls(row.pk),
    }
    return render(request, template, context)


def columns(
    request: Request,
    importer: Importer,
    pk: int,
    way: Way,
    form_class: Callable[[Any, Any, Any], ColumnsForm] = ColumnsForm,
) -> HttpResponse:
    """Answer with the page that corrects how a file is read; then the file is checked again."""
    row = get_object_or_404(importer.visible_to(request.actor), pk=pk)
    form = form_class(request.POST if request.method == "POST" else None, row, importer.kind)
    if form.is_valid():
        importer.check(row, by=request.actor, reading=form.reading())
        return redirect(row)
    crumbs = [*way.crumbs(request), (row, row.get_absolute_url())]
    return forms.page(request, "components/import_columns_edit.html", form, **{"import": row, "crumbs": crumbs})


def apply(request: Request, importer: Importer, pk: int) -> HttpResponse:
    """Apply the rows that passed the check, and redirect to the import."""
    row = get_object_or_404(importer.visible_to(request.actor), pk=pk)
    form = ApplyForm(request.POST)
    if request.method == "POST" and form.is_valid():
        importer.apply(row, by=request.actor, **form.cleaned_data)
    return redirect(row)


def refused(request: Request, importer: Importer, pk: int) -> StreamingHttpResponse:
    """Answer with the refused rows, to be corrected and uploaded again."""
    row = get_object_or_404(importer.visible_to(request.actor), pk=pk)
    return refused_rows.answer(request, row, importer.kind)


def template_file(columns: Iterable[Column], name: str) -> HttpResponse:
    """Answer with a CSV file that contains only the headers."""
    content = "\ufeff" + ",".join(column.name for column in columns) + "\r\n"
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def understood(columns: Iterable[Column], meanings: Mapping[str, Any]) -> list[tuple[Any, Any, str]]:
    """Return (label, meaning, other accepted names) of every column that a file may have."""
    # The aliases begin in English and end in German.
    return [
        (column.label, meanings[column.name], ", ".join(dict.fromkeys((*column.aliases[:3], *column.aliases[-3:]))))
        for column in columns
    ]


def _same_files(visible: QuerySet[Any], row: FileImport) -> list[Any]:
    """Return the imports that applied the very same file."""
    rows = visible.filter(organization=row.organization_id, sha256=row.sha256, applied_at__isnull=False)
    return list(rows.exclude(pk=row.pk).order_by("-applied_at")[:3])


def _progress(request: HttpRequest, row: FileImport) -> HttpResponse:
    """Answer the page's poll every second with the worker's progress; when the work is done, the page reloads."""
    if not row.is_running:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "components/_import_progress.html", {"operation": row.operation})
