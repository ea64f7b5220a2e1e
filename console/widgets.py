"""Widgets of the filters, rendered in one go: Django renders each choice by a template, and a list has hundreds."""

from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


class Checkboxes(forms.CheckboxSelectMultiple):
    """One box for each choice; choices without groups."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """Return the same markup as Django's widget."""
        base, chosen = (attrs or {}).get("id", f"id_{name}"), {str(each) for each in value or ()}
        boxes = format_html_join(
            "",
            '<div><label for="{}_{}"><input type="checkbox" name="{}" value="{}" id="{}_{}"{}> {}</label></div>',
            (
                (base, number, name, key, base, number, _mark("checked", str(key) in chosen), label)
                for number, (key, label) in enumerate(self.choices)
            ),
        )
        return format_html('<div id="{}">{}</div>', base, boxes)


class Choice(forms.Select):
    """A select of one choice; choices without groups."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """Return the same markup as Django's widget."""
        chosen = "" if value is None else str(value)
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            (
                ("" if key is None else key, _mark("selected", str(key or "") == chosen), label)
                for key, label in self.choices
            ),
        )
        base = (attrs or {}).get("id", f"id_{name}")
        return format_html('<select name="{}" id="{}">{}</select>', name, base, options)


def _mark(word: str, is_set: bool) -> str:
    return format_html(" {}", word) if is_set else ""
