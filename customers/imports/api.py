"""Imports of customer files over REST."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404

from console.access import Permission
from console.imports import api as imports
from console.imports import refused
from console.imports.api import ApplyIn, ImportIn, ImportOut, ImportQuery
from console.rest.endpoints import endpoint
from console.rest.paging import page
from customers.imports import CustomerFileKind
from customers.imports.actions import IMPORTER
from customers.models import CustomerImport

TAG = "imports"

MAY = Permission.CUSTOMER_IMPORT


@endpoint(
    "Import customers",
    may=MAY,
    takes=ImportIn,
    query=ImportQuery,
    answers=ImportOut,
    status=201,
    example={"csv": "name,reference\nWasserwerk Nord,C-2001\n"},
)
def customer_import_create(request: Any) -> Any:
    """Checks the file and applies it, all or nothing; `dry_run=true` only checks it.

    Large files are processed by an operation. Refused (422, `missing_columns`) if the file lacks a required column;
    `ignored_columns` in the response names the columns that are not known.
    """
    data = request.body_data
    content, reading = imports.content_of(data), imports.reading_of(data)
    received = IMPORTER.receive(data["file_name"], [content], by=request.actor, reading=reading)
    return imports.take(request, IMPORTER, received)


@endpoint("List customer imports", may=MAY, answers=ImportOut, is_list=True)
def customer_import_list(request: Any) -> Any:
    """Returns the imports of customers, newest first, including those from the console."""
    return page(request.query, _rows(request), ImportOut)


@endpoint("See a customer import", may=MAY, answers=ImportOut)
def customer_import_detail(request: Any, pk: int) -> Any:
    """Returns what the check of the file found, and what was done with it."""
    return get_object_or_404(_rows(request), pk=pk)


@endpoint("Apply a customer import", may=MAY, takes=ApplyIn, answers=ImportOut, example={"version": 1})
def customer_import_apply(request: Any, pk: int) -> Any:
    """Creates and changes the customers whose rows passed the check.

    `version` is the version of the check that you looked at.
    """
    IMPORTER.apply(get_object_or_404(_rows(request), pk=pk), by=request.actor, **request.body_data)
    return get_object_or_404(_rows(request), pk=pk)


@endpoint("Download the refused rows of a customer import", may=MAY, media=["text/csv"])
def customer_import_refused(request: Any, pk: int) -> HttpResponseBase:
    """Returns the refused rows as they were sent, each with its reason."""
    return refused.answer(request._request, get_object_or_404(_rows(request), pk=pk), CustomerFileKind)


def _rows(request: Any) -> QuerySet[CustomerImport]:
    return CustomerImport.objects.visible_to(request.actor).select_related("organization", "operation")
