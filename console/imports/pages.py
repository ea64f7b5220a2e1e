"""What the pages of all kinds of imports need."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from console.columns import Column
from console.models import FileImport

EARLIER_SHOWN = 8


def earlier(visible: QuerySet) -> list[Any]:
    """The last imports, for the page where the next one begins."""
    return list(visible.order_by("-pk")[:EARLIER_SHOWN])


def same_files(visible: QuerySet, row: FileImport) -> list[Any]:
    """Where the very same file was applied before."""
    rows = visible.filter(organization=row.organization_id, sha256=row.sha256, applied_at__isnull=False)
    return list(rows.exclude(pk=row.pk).order_by("-applied_at")[:3])


def urls(page: str, pk: int) -> dict[str, str]:
    """Where an import's page leads to, for a `page` such as "customers:customer_import"."""
    return {name: reverse(f"{page}_{name}", args=[pk]) for name in ("columns", "apply", "refused")}


def progress(request: HttpRequest, row: FileImport) -> HttpResponse:
    """How far the worker came, for the page that asks every second; when it is done, the page loads anew."""
    if not row.is_running:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "components/_import_progress.html", {"operation": row.operation})


def template_file(columns: Iterable[Column], name: str) -> HttpResponse:
    """Answer with a CSV file that has the headers and nothing else."""
    content = "\ufeff" + ",".join(column.name for column in columns) + "\r\n"
    answer = HttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def understood(columns: Iterable[Column], meanings: Mapping[str, Any]) -> list[tuple[Any, Any, str]]:
    """(label, what it must be, how others call it) of every column that a file may have."""
    # The aliases begin in English and end in German.
    return [
        (column.label, meanings[column.name], ", ".join(dict.fromkeys((*column.aliases[:3], *column.aliases[-3:]))))
        for column in columns
    ]
