"""The OpenAPI document of the API, and its page for people."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator

from console.access import public
from console.errors import problem

PREFIX = "/api/v1"
METHODS = ["get", "post", "put", "patch", "delete"]
NO_NUL = r"^[^\x00]*$"
PROBLEM = {
    "type": "object",
    "description": "Why it was refused (RFC 9457).",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "A sentence for people."},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "A word for programs; it stays."},
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
    "400": "It is not as documented here.", "401": "No key, or one that is not valid.", "403": "The key may not do that.",
    "404": "There is no such thing for this key.", "409": "The rules do not allow it now.", "413": "It is too large.",
    "415": "Send JSON.", "422": "A field can't be taken, though it is as documented.", "429": "Too many calls.",
}  # fmt: skip


class KeyScheme(OpenApiAuthenticationExtension):
    """Tells drf-spectacular how a call is authorized."""

    target_class = "console.rest.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A bearer key."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, `cst_…`, made under Settings > API keys.",
        }


def add_problems(result: dict, generator: Any, request: Any, public: bool) -> dict:
    """Say of each call how it may be refused."""
    _forbid_nul(result)
    for name, shape in result["components"]["schemas"].items():
        # Fields that are not known are refused, see console.rest.fields.Body.
        if name.endswith("Request"):
            shape["additionalProperties"] = False
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    shape = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for method in METHODS:
            if method in path:
                for status, sentence in REFUSALS.items():
                    path[method]["responses"].setdefault(status, {"description": sentence, "content": shape})
    return result


def _forbid_nul(part: Any) -> None:
    """No text holds a NUL character: no database keeps one."""
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
    """The document, built once in a process."""
    return SchemaGenerator().get_schema(request=None, public=True)


@public("It tells how the API is called, and nothing of anybody.")
def document(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document."""
    response = JsonResponse(built())
    response["Access-Control-Allow-Origin"], response["Cache-Control"] = "*", "public, max-age=3600"
    return response


@public("It tells how the API is called, and nothing of anybody.")
def docs(request: HttpRequest) -> HttpResponse:
    """The same for people."""
    return render(
        request, "console/api_docs.html", {"groups": grouped(built()), "base_url": settings.BASE_URL}
    )


@csrf_exempt
def nothing_here(request: HttpRequest, rest: str) -> HttpResponse:
    """What every other address of the API answers, whatever the method."""
    return problem("not_found", _("The API has no such address. See /api/v1/docs/."), 404)


nothing_here.policy = "public"  # type: ignore[attr-defined]


def grouped(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls by their tags, as the page shows them."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for address, path in schema["paths"].items():
        for method in METHODS:
            if method in path:
                call = path[method]
                groups.setdefault(call["tags"][0], []).append({
                    "id": call["operationId"], "method": method.upper(), "path": address, "summary": call["summary"],
                    "text": call.get("description", ""), "query": _parameters(call), "body": _body(schema, call),
                    "answer": _answer(schema, call),
                })  # fmt: skip
    return [{"name": name, "calls": calls} for name, calls in sorted(groups.items())]


def _parameters(call: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": p["name"], "type": _type(p["schema"]), "text": p.get("description", ""), "where": p["in"],
             "required": p.get("required", False)} for p in call.get("parameters", []) if p["in"] != "path"]  # fmt: skip


def _body(schema: dict[str, Any], call: dict[str, Any]) -> list[dict[str, Any]]:
    content = call.get("requestBody", {}).get("content", {}).get("application/json", {})
    return _fields(schema, content.get("schema", {}))


def _answer(schema: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    status = next(status for status in call["responses"] if status.startswith("2"))
    content: dict[str, dict[str, Any]] = call["responses"][status].get("content", {})
    inner = next(iter(content.values()), {}).get("schema", {})
    return {"status": status, "fields": _fields(schema, inner)}


def _fields(schema: dict[str, Any], shape: dict[str, Any]) -> list[dict[str, Any]]:
    shape = _resolved(schema, shape)
    required = shape.get("required", [])
    return [{"name": name, "type": _type(_resolved(schema, inner) | inner), "required": name in required,
             "text": inner.get("description", "")} for name, inner in shape.get("properties", {}).items()]  # fmt: skip


def _resolved(schema: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    name = shape.get("$ref", "") or next(
        (each["$ref"] for each in shape.get("allOf", []) if "$ref" in each), ""
    )
    return schema["components"]["schemas"][name.rsplit("/", 1)[1]] if name else shape


def _type(shape: dict[str, Any]) -> str:
    if "enum" in shape:
        return " | ".join(str(each) for each in shape["enum"])
    if shape.get("type") == "array":
        return f"[{_type(shape.get('items', {}))}]"
    if "$ref" in shape:
        return shape["$ref"].rsplit("/", 1)[1]
    return shape.get("format") or shape.get("type") or "object"
