"""Parts of pages that wrap content: the frame of a table, a fact in a list of facts."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


# A keyword of a template tag may be called `class`, a parameter in Python may not.
@register.simple_block_tag
def fact(content: SafeString, label: Any, **more: str) -> SafeString:
    """Return a line of a list of facts: `{% fact _("Owner") class="mono" %}…{% endfact %}`."""
    return format_html("<dt>{}</dt><dd{}>{}</dd>", label, _class(more.get("class", "")), content)


@register.simple_block_tag
def table(content: SafeString, caption: Any, *, labelledby: str = "", label: Any = "", **more: str) -> SafeString:
    """Return a table that scrolls sideways if it is too wide; the content is its head and body.

    Args:
        caption: what the table shows, for screen readers.
        labelledby: the id of the heading that names it; without one, `label` or else the caption does.
        class: further classes of the table.
    """
    name = (
        format_html('aria-labelledby="{}"', labelledby)
        if labelledby
        else format_html('aria-label="{}"', label or caption)
    )
    return format_html(
        '<div class="table-wrap" tabindex="0" role="group" {}><table class="{}">'
        '<caption class="visually-hidden">{}</caption>{}</table></div>',
        name,
        f"table {more.get('class', '')}".strip(),
        caption,
        content,
    )


def _class(names: str) -> SafeString | str:
    return format_html(' class="{}"', names) if names else ""
