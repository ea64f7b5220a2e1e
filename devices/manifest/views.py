"""Pages of factory manifests: upload, check results, columns, apply, refused rows."""

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.imports import pages
from console.policies import requires
from console.requests import Request
from devices.manifest.actions import IMPORTER
from devices.manifest.kind import COLUMNS
from devices.manifest.pages import ManifestColumnsForm, ManifestForm, understood

WAY = pages.Way(
    "devices:manifest",
    above=(_("Devices"), "devices:device_list"),
    start=(_("Import manifest"), "devices:manifest_create"),
)


@requires(Permission.DEVICE_IMPORT)
def manifest_create(request: Request) -> HttpResponse:
    """Upload a file for a product; `?template=1` downloads an empty file to fill in."""
    if "template" in request.GET:
        return pages.template_file(COLUMNS, "custody-manifest")
    form, template = ManifestForm(request), "devices/manifest/manifest_create.html"
    return pages.create(request, IMPORTER, form, WAY, template, understood())


@requires(Permission.DEVICE_IMPORT)
def manifest_detail(request: Request, pk: int) -> HttpResponse:
    """Show what the check found, and what was imported."""
    return pages.detail(request, IMPORTER, pk, WAY, "devices/manifest/manifest_detail.html")


@requires(Permission.DEVICE_IMPORT)
def manifest_columns(request: Request, pk: int) -> HttpResponse:
    """Correct how the file is read, and check it again."""
    return pages.columns(request, IMPORTER, pk, WAY, ManifestColumnsForm)


@requires(Permission.DEVICE_IMPORT)
def manifest_apply(request: Request, pk: int) -> HttpResponse:
    """Register the devices that the check accepted."""
    return pages.apply(request, IMPORTER, pk)


@requires(Permission.DEVICE_IMPORT)
def manifest_refused(request: Request, pk: int) -> StreamingHttpResponse:
    """Download the refused rows, to be corrected and uploaded again."""
    return pages.refused(request, IMPORTER, pk)
