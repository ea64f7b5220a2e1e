"""Converts the calls of the OpenAPI document to what the documentation page shows."""

import json
from typing import Any

METHODS = ["get", "post", "put", "patch", "delete"]
NO_NUL = r"^[^\x00]*$"
# Objects up to this depth are listed field by field; deeper or small ones only by the names of their fields.
DEEPEST, SMALL = 2, 4
# Limits from here on are never reached in practice and are not shown.
ENDLESS = 2**31 - 1
UNITS = {
    "string": ("minLength", "maxLength", "character"),
    "array": ("minItems", "maxItems", "item"),
    "integer": ("minimum", "maximum", ""),
    "number": ("minimum", "maximum", ""),
}

Shape = dict[str, Any]


def grouped(schema: Shape) -> list[dict[str, Any]]:
    """Return the calls grouped by their tags."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for address, path in schema["paths"].items():
        for method in METHODS:
            if method in path:
                call = path[method]
                groups.setdefault(call["tags"][0], []).append(
                    {
                        "id": call["operationId"],
                        "method": method.upper(),
                        "path": address,
                        "summary": call["summary"],
                        "text": call.get("description", ""),
                        "query": _parameters(schema, call),
                        **_body(schema, call),
                        "answer": _answer(schema, call),
                    }
                )
    return [{"name": name, "calls": calls} for name, calls in sorted(groups.items())]


def _parameters(schema: Shape, call: Shape) -> list[dict[str, Any]]:
    return [
        _field(
            schema,
            p["name"],
            {"description": p.get("description", ""), **p["schema"]},
            takes=True,
            required=p.get("required", False),
        )
        | {"is_header": p["in"] == "header"}
        for p in call.get("parameters", [])
        if p["in"] != "path"
    ]


def _body(schema: Shape, call: Shape) -> dict[str, Any]:
    """Return the fields of the body and, if there is one, an example of it as JSON."""
    content: Shape = call.get("requestBody", {}).get("content", {}).get("application/json", {})
    examples: dict[str, Shape] = content.get("examples", {})
    example = next(iter(examples.values()), {}).get("value")
    written = json.dumps(example, ensure_ascii=False, indent=2) if example is not None else ""
    return {"body": _fields(schema, content.get("schema", {}), takes=True), "example": written}


def _answer(schema: Shape, call: Shape) -> dict[str, Any]:
    status = next(status for status in call["responses"] if status.startswith("2"))
    content: dict[str, Shape] = call["responses"][status].get("content", {})
    inner = next(iter(content.values()), {}).get("schema", {})
    return {"status": status, "fields": _fields(schema, inner), "media": [m for m in content if "json" not in m]}


def _fields(schema: Shape, shape: Shape, *, takes: bool = False, above: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return one entry for each field of an object; `above` contains the names of the shapes around this one."""
    above = (*above, _name(shape))
    shape = _resolved(schema, shape)
    required = shape.get("required", [])
    return [
        _field(schema, name, inner, takes=takes, required=takes and name in required, above=above)
        for name, inner in shape.get("properties", {}).items()
    ]


def _field(
    schema: Shape, name: str, shape: Shape, *, takes: bool, required: bool, above: tuple[str, ...] = ()
) -> dict[str, Any]:
    whole = _resolved(schema, shape)
    inner = whole.get("items", {}) if whole.get("type") == "array" else shape
    item = _resolved(schema, inner)
    is_told = len(above) <= DEEPEST and _name(inner) not in above and (takes or not _is_small(schema, item))
    # The description of a shape does not describe this field; a choice is the exception, as it lists its words.
    said = whole if "enum" in whole else shape
    return {
        "name": name,
        "type": _type(schema, shape),
        "required": required,
        "text": said.get("description", ""),
        "values": whole.get("enum") or item.get("enum") or [],
        "limits": _limits(schema, whole) if takes else "",
        "default": json.dumps(whole["default"]) if "default" in whole else "",
        "pattern": _pattern(schema, whole, takes),
        "fields": _fields(schema, inner, takes=takes, above=above) if is_told else [],
    }


def _resolved(schema: Shape, shape: Shape) -> Shape:
    """Return the shape with its reference resolved; keys beside the reference take precedence."""
    name = _name(shape)
    return schema["components"]["schemas"][name] | shape if name else shape


def _name(shape: Shape) -> str:
    refers = [shape, *shape.get("allOf", [])]
    return next((each["$ref"].rsplit("/", 1)[1] for each in refers if "$ref" in each), "")


def _is_small(schema: Shape, shape: Shape) -> bool:
    inner = [_resolved(schema, each) for each in shape.get("properties", {}).values()]
    return len(inner) <= SMALL and not any(
        each.get("properties") or each.get("items") or each.get("description") for each in inner
    )


def _type(schema: Shape, shape: Shape) -> str:
    """Return the type in words: `date-time or null`, `list of {id, name}`."""
    whole = _resolved(schema, shape)
    kinds = _alternatives(schema, whole)
    said = _plain_type(schema, kinds[0]) if kinds else "JSON"
    return f"{said} or null" if whole.get("nullable") else said


def _plain_type(schema: Shape, shape: Shape) -> str:
    kind, form = shape.get("type"), shape.get("format", "")
    if kind == "array":
        of = _type(schema, shape.get("items", {}))
        return f"list of {of}s" if of in {"string", "integer", "object"} else f"list of {of}"
    if shape.get("properties"):
        if _is_small(schema, shape):
            return f"{{{', '.join(shape['properties'])}}}"
        return "object"
    if kind == "object" and isinstance(shape.get("additionalProperties"), dict):
        return f"object of {_type(schema, shape['additionalProperties'])}"
    return (form if kind == "string" and form else kind) or "JSON"


def _alternatives(schema: Shape, shape: Shape) -> list[Shape]:
    """Return the alternatives of `oneOf`, except the empty text and null of optional fields."""
    found = [_resolved(schema, each) for each in shape.get("oneOf", [shape])]
    return [each for each in found if each.get("maxLength") != 0 and each.get("enum") not in ([""], [None])]


def _limits(schema: Shape, shape: Shape) -> str:
    """Return the limits of a field in words, such as `1 to 120 characters`."""
    kinds = _alternatives(schema, shape)
    if not kinds:
        return ""
    said = _limit(kinds[0])
    of_each = _limits(schema, _resolved(schema, kinds[0].get("items", {}))) if kinds[0].get("items") else ""
    return ", each ".join(filter(None, [said, of_each]))


def _limit(shape: Shape) -> str:
    lowest, highest, unit = UNITS.get(shape.get("type", ""), ("", "", ""))
    least, most = shape.get(lowest), shape.get(highest)
    if "enum" in shape or (most is not None and most >= ENDLESS):
        most = None
    if most is None:
        return f"from {least}" if least is not None and not unit else ""
    amount = f"{least} to {most:,}" if least is not None else f"up to {most:,}"
    return f"{amount} {unit}{'' if most == 1 else 's'}" if unit else amount


def _pattern(schema: Shape, shape: Shape, takes: bool) -> str:
    kinds = _alternatives(schema, shape)
    inner = _resolved(schema, kinds[0].get("items", kinds[0])) if kinds else {}
    pattern = inner.get("pattern", NO_NUL)
    return pattern if takes and pattern != NO_NUL else ""
