"""Problem documents (RFC 9457) for every response that reports an error."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions

from console.errors import Refused, problem

CODES = {
    400: "malformed",
    401: "no_key",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
}


class Unfit(exceptions.ValidationError):
    """Fields that are as documented but cannot be accepted (422). A field that is not as documented is a 400."""


def handle(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Return the response to an error raised by an endpoint, or None to let an unexpected error be logged."""
    if isinstance(error, Refused):
        return problem(error.code, error.sentence, error.status, headers=error.headers, **error.facts)
    if isinstance(error, exceptions.ValidationError):
        status = 422 if isinstance(error, Unfit) else 400
        return problem("invalid", _("Some fields are invalid."), status, errors=flat(error.detail))
    if isinstance(error, Http404):
        return problem("not_found", _("There is no such resource."), 404)
    if isinstance(error, PermissionDenied):
        return problem("not_allowed", _("This key isn't allowed to do that."), 403)
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    return None


def flat(detail: Any, path: str = "") -> list[dict[str, str]]:
    """Return the errors as `{field, detail}`; a field in a list is called `items[3].serial_number`."""
    if isinstance(detail, dict):
        found = []
        for name, inner in detail.items():
            here = "" if name in ("non_field_errors", "__all__") else str(name)
            step = f"[{name}]" if isinstance(name, int) else f".{here}" if path and here else here
            found += flat(inner, path + step)
        return found
    if isinstance(detail, list) and any(isinstance(each, dict) for each in detail):
        return [found for number, each in enumerate(detail) for found in flat(each, f"{path}[{number}]") if each]
    if isinstance(detail, list):
        return [{"field": path, "detail": str(each)} for each in detail]
    return [{"field": path, "detail": str(detail)}]


def _of_framework(error: exceptions.APIException) -> JsonResponse:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait) + 1)
    detail = error.detail if isinstance(error.detail, str) else _("This request can't be answered.")
    return problem(CODES.get(error.status_code, "refused"), detail, error.status_code, headers=headers)
