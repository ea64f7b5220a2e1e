"""Import devices from factory manifests."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404

from console.access import Permission
from console.imports import api as imports
from console.imports import refused
from console.imports.api import ApplyIn, ImportOut, ImportQuery
from console.rest.endpoints import endpoint
from console.rest.fields import Text
from console.rest.paging import page
from devices.api.products import find_named
from devices.manifest import ManifestKind
from devices.manifest.actions import IMPORTER
from devices.models import ManifestImport

TAG = "imports"

EXAMPLE = {"product": "aqua-meter", "csv": "serial_number,device_name\nAQM26-209010,e00fce68aa209010\n"}


class ManifestIn(imports.ImportIn):
    """A manifest, and the product of its devices."""

    product = Text(max_length=60, help_text="The id or slug of the product.")


@endpoint(
    "Import devices",
    may=Permission.DEVICE_IMPORT,
    takes=ManifestIn,
    query=ImportQuery,
    answers=ImportOut,
    status=201,
    example=EXAMPLE,
)
def device_import_create(request: Any) -> Any:
    """Checks the file and applies it, all or nothing; `dry_run=true` only checks it. Large files become an operation.

    The request is refused (422, `missing_columns`) if the file lacks a required column; `ignored_columns` in the answer
    lists columns that are not known.
    """
    data = request.body_data
    product = find_named(request, data["product"])
    content, reading = imports.content_of(data), imports.reading_of(data)
    received = IMPORTER.receive(data["file_name"], [content], by=request.actor, product=product, reading=reading)
    return imports.take(request, IMPORTER, received)


@endpoint("List device imports", may=Permission.DEVICE_IMPORT, answers=ImportOut, is_list=True)
def device_import_list(request: Any) -> Any:
    """Returns the newest imports first, including those made in the console."""
    return page(request.query, _rows(request), ImportOut)


@endpoint("See a device import", may=Permission.DEVICE_IMPORT, answers=ImportOut)
def device_import_detail(request: Any, pk: int) -> Any:
    """Returns what the check of the file found, and what was imported."""
    return get_object_or_404(_rows(request), pk=pk)


@endpoint(
    "Apply a device import", may=Permission.DEVICE_IMPORT, takes=ApplyIn, answers=ImportOut, example={"version": 1}
)
def device_import_apply(request: Any, pk: int) -> Any:
    """Registers the devices that the check accepted. `version` is that of the check you looked at."""
    row = get_object_or_404(_rows(request), pk=pk)
    IMPORTER.apply(row, by=request.actor, **request.body_data)
    return get_object_or_404(_rows(request), pk=pk)


@endpoint("Download the refused rows of a device import", may=Permission.DEVICE_IMPORT, media=["text/csv"])
def device_import_refused(request: Any, pk: int) -> HttpResponseBase:
    """Returns the refused rows as they were in the file, each with its reason."""
    return refused.answer(request._request, get_object_or_404(_rows(request), pk=pk), ManifestKind)


def _rows(request: Any) -> QuerySet[ManifestImport]:
    return ManifestImport.objects.visible_to(request.actor).select_related("product", "operation")
