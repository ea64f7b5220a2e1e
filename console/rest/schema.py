"""The OpenAPI document of the API, and its page for people."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator

from console.errors import problem
from console.policies import public
from console.rest.endpoints import SINGLE
from console.rest.reference import METHODS, NO_NUL, grouped

PREFIX = "/api/v1"
PROBLEM = {
    "type": "object",
    "description": "Describes why a call was refused, as in RFC 9457.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "A sentence for people."},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "A stable word for programs."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
REFUSALS = {
    "400": "The request doesn't match this document.",
    "401": "The key is missing or invalid.",
    "403": "The key isn't allowed to do that.",
    "404": "The resource doesn't exist, or this key can't see it.",
    "409": "The current state doesn't allow it.",
    "413": "The request is too large.",
    "415": "Send JSON.",
    "422": "A field has the documented form, but its value can't be accepted.",
    "429": "Too many calls.",
}


class KeyScheme(OpenApiAuthenticationExtension):
    """Describes to drf-spectacular how a call is authorized."""

    target_class = "console.rest.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the security scheme of a bearer key."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, `cst_…`, created under Settings > API keys.",
        }


TAG_HEADER = {"ETag": {"schema": {"type": "string"}, "description": "Changes whenever the response does."}}
IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The ETag of the version that was read. If it has changed since, the response is a 412.",
}
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The ETag of the version that the caller has. If it hasn't changed, the response is a 304.",
}


def _add_preconditions(paths: dict[str, Any], problem: dict[str, Any]) -> None:
    """Document the ETags of each single object, and the conditional headers of the calls that change it."""
    singles = {path for path, methods in paths.items() if methods.get("get", {}).pop(SINGLE, False)}
    for path, methods in paths.items():
        for method in METHODS:
            if method not in methods or (method == "get" and path not in singles):
                continue
            call = methods[method]
            if method == "get":
                call.setdefault("parameters", []).extend([IF_NONE_MATCH, IF_MATCH])
                call["responses"]["304"] = {"description": "The resource hasn't changed.", "headers": TAG_HEADER}
                call["responses"]["200"]["headers"] = TAG_HEADER
            elif _single_of(path, singles):
                call.setdefault("parameters", []).append(IF_MATCH)
            else:
                continue
            call["responses"]["412"] = {
                "description": "The resource has changed since it was read.",
                "content": problem,
            }


def _single_of(path: str, singles: set[str]) -> str:
    """Return the address of the object that a call changes, as `console.rest.preconditions` finds it."""
    if path in singles:
        return path
    parts = path.split("/")
    above = ["/".join(parts[:end]) for end in range(len(parts) - 1, 1, -1)]
    return "" if parts[-1].endswith("}") else next((each for each in above if each in singles), "")


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Document the problem responses of each call."""
    _forbid_nul(result)
    for name, shape in result["components"]["schemas"].items():
        # Unknown fields are refused, see console.rest.fields.Body.
        if name.endswith("Request"):
            shape["additionalProperties"] = False
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    shape = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    _add_preconditions(result["paths"], shape)
    for path in result["paths"].values():
        for method in METHODS:
            if method in path:
                for status, sentence in REFUSALS.items():
                    path[method]["responses"].setdefault(status, {"description": sentence, "content": shape})
    return result


def _forbid_nul(part: Any) -> None:
    """Exclude the NUL character from every text, because the database cannot store it."""
    if isinstance(part, dict):
        if part.get("type") == "string" and not {"format", "enum", "pattern"} & set(part):
            part["pattern"] = NO_NUL
        for inner in part.values():
            _forbid_nul(inner)
    if isinstance(part, list):
        for inner in part:
            _forbid_nul(inner)


@cache
def built() -> dict[str, Any]:
    """Return the OpenAPI document, built once per process."""
    return SchemaGenerator().get_schema(request=None, public=True)


@cache
def calls() -> list[dict[str, Any]]:
    """Return the calls of the document grouped by tag, for the page."""
    return grouped(built())


@cache
def written(language: str | None) -> str:
    """Return the HTML of the calls in this language. It is long and the same for everybody, so it is cached."""
    return render_to_string("console/_api_calls.html", {"groups": calls()})


@public("It tells how the API is called, and nothing of anybody.")
def document(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI document."""
    response = JsonResponse(built())
    response["Access-Control-Allow-Origin"], response["Cache-Control"] = "*", "public, max-age=3600"
    return response


@public("It tells how the API is called, and nothing of anybody.")
def docs(request: HttpRequest) -> HttpResponse:
    """Show the documentation of the API as a page."""
    context = {"groups": calls(), "calls": written(get_language()), "base_url": settings.BASE_URL}
    return render(request, "console/api_docs.html", context)


@csrf_exempt
def nothing_here(request: HttpRequest, rest: str) -> HttpResponse:
    """Return a 404 for every other address of the API, whatever the method."""
    return problem("not_found", _("The API has no such address. See /api/v1/docs/."), 404)


nothing_here.policy = "public"  # type: ignore[attr-defined]
