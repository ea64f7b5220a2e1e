"""Pages of customer imports: upload, check results, columns, apply, refused rows."""

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.imports import pages
from console.imports.preview import UploadForm
from console.policies import requires
from console.requests import Request
from customers.imports.actions import IMPORTER
from customers.imports.columns import COLUMNS, MEANINGS

WAY = pages.Way(
    "customers:customer_import",
    above=(_("Customers"), "customers:customer_list"),
    start=(_("Import customers"), "customers:customer_import"),
)


@requires(Permission.CUSTOMER_IMPORT)
def customer_import(request: Request) -> HttpResponse:
    """Upload a file; `?template=1` returns a template to fill in."""
    if "template" in request.GET:
        return pages.template_file(COLUMNS, "custody-customers")
    form, template = UploadForm(request), "customers/imports/customer_import.html"
    return pages.create(request, IMPORTER, form, WAY, template, pages.understood(COLUMNS, MEANINGS))


@requires(Permission.CUSTOMER_IMPORT)
def customer_import_detail(request: Request, pk: int) -> HttpResponse:
    """Show what the check found, and what was done."""
    return pages.detail(request, IMPORTER, pk, WAY, "customers/imports/customer_import_detail.html")


@requires(Permission.CUSTOMER_IMPORT)
def customer_import_columns(request: Request, pk: int) -> HttpResponse:
    """Correct how the file is read, and check it again."""
    return pages.columns(request, IMPORTER, pk, WAY)


@requires(Permission.CUSTOMER_IMPORT)
def customer_import_apply(request: Request, pk: int) -> HttpResponse:
    """Create and change the customers whose rows passed the check."""
    return pages.apply(request, IMPORTER, pk)


@requires(Permission.CUSTOMER_IMPORT)
def customer_import_refused(request: Request, pk: int) -> StreamingHttpResponse:
    """Return the refused rows, for correction and another upload."""
    return pages.refused(request, IMPORTER, pk)
