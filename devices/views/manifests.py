"""Factory manifests: upload, look at the check, correct the columns, apply, take the refused rows home."""

from django.http import HttpRequest, HttpResponse

from console.access import Permission, requires


@requires(Permission.DEVICE_IMPORT)
def manifest_create(request: HttpRequest) -> HttpResponse:
    """Upload a file for a product."""
    raise NotImplementedError


@requires(Permission.DEVICE_IMPORT)
def manifest_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What the check found."""
    raise NotImplementedError


@requires(Permission.DEVICE_IMPORT)
def manifest_columns(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct how the columns are read."""
    raise NotImplementedError


@requires(Permission.DEVICE_IMPORT)
def manifest_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Register what the check found good."""
    raise NotImplementedError


@requires(Permission.DEVICE_IMPORT)
def manifest_refused(request: HttpRequest, pk: int) -> HttpResponse:
    """The refused rows, to correct and send again."""
    raise NotImplementedError
