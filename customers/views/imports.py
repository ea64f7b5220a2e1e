"""Files of customers: upload, look at the check, correct the columns, apply, take the refused rows home."""

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from console.access import Permission, requires
from console.imports import refused
from console.imports.pages import earlier, progress, same_files, template_file, urls
from console.imports.preview import ApplyForm, ColumnsForm, Preview
from console.requests import Request
from customers.actions import imports
from customers.imports import CustomerFileKind
from customers.imports.columns import COLUMNS
from customers.imports.pages import CustomerFileForm, understood
from customers.models import CustomerImport


def _visible(request: Request) -> QuerySet:
    rows = CustomerImport.objects.visible_to(request.actor)
    return rows.select_related("organization", "operation")


@requires(Permission.CUSTOMER_IMPORT)
def customer_import(request: Request) -> HttpResponse:
    """Upload a file; `?template=1` is a file to fill in."""
    if "template" in request.GET:
        return template_file(COLUMNS, "custody-customers")
    form = CustomerFileForm(request)
    if request.method == "POST" and form.is_valid():
        row = form.receive(by=request.actor)
        if row is not None:
            imports.check(row, by=request.actor)
            return redirect(row)
    context = {"form": form, "earlier": earlier(_visible(request)), "understood": understood()}
    return render(request, "customers/customer_import.html", context, status=422 if form.errors else 200)


@requires(Permission.CUSTOMER_IMPORT)
def customer_import_detail(request: Request, pk: int) -> HttpResponse:
    """What the check found, and what was done."""
    row = get_object_or_404(_visible(request), pk=pk)
    if request.htmx.target == "progress":
        return progress(request, row)
    context = {
        "import": row,
        "preview": Preview(row, CustomerFileKind),
        "same": same_files(_visible(request), row),
        "urls": urls("customers:customer_import", row.pk),
    }
    return render(request, "customers/customer_import_detail.html", context)


@requires(Permission.CUSTOMER_IMPORT)
def customer_import_columns(request: Request, pk: int) -> HttpResponse:
    """Correct how the file is read, and check it anew."""
    row = get_object_or_404(_visible(request), pk=pk)
    form = ColumnsForm(request.POST if request.method == "POST" else None, row, CustomerFileKind)
    if request.method == "POST" and form.is_valid():
        imports.check(row, by=request.actor, reading=form.reading())
        return redirect(row)
    context = {"import": row, "form": form}
    return render(request, "customers/customer_import_columns.html", context, status=422 if form.errors else 200)


@requires(Permission.CUSTOMER_IMPORT)
def customer_import_apply(request: Request, pk: int) -> HttpResponse:
    """Make and change what the check found good."""
    row = get_object_or_404(_visible(request), pk=pk)
    form = ApplyForm(request.POST)
    if request.method == "POST" and form.is_valid():
        imports.apply(row, by=request.actor, **form.cleaned_data)
    return redirect(row)


@requires(Permission.CUSTOMER_IMPORT)
def customer_import_refused(request: Request, pk: int) -> StreamingHttpResponse:
    """The refused rows, to be corrected and sent again."""
    return refused.answer(request, get_object_or_404(_visible(request), pk=pk), CustomerFileKind)
