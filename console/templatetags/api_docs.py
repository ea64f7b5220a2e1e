"""Filters that format the API page and the payloads of webhooks."""

import json
import re

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()
# drf-spectacular adds one line for each choice to a description: "* `in_stock` - In stock".
CHOICE = re.compile(r"^\* `(?P<value>[^`]*)` - (?P<label>.*)$")


@register.filter
def ticked(text: str) -> SafeString:
    """Return the text with backticks as code elements, without choices whose label only repeats the value."""
    lines = [line for line in map(_line, str(text).splitlines()) if line]
    parts = " ".join(lines).split("`")
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if at % 2 else part,) for at, part in enumerate(parts))
    )


@register.filter
def titled(name: str) -> str:
    """Return the name of a component as a heading."""
    return "API keys" if name == "api keys" else name[:1].upper() + name[1:]


@register.filter
def pretty(text: str) -> str:
    """Return JSON with line breaks, for reading; any other text as it is."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except ValueError:
        return str(text)


def _line(line: str) -> str:
    choice = CHOICE.match(line)
    if choice is None:
        return line.strip()
    value, label = choice["value"], choice["label"]
    same = value.replace("_", " ").casefold() == label.replace("_", " ").casefold()
    return "" if same else f"`{value}`: {label}."
