"""Identifiers in links and in the API, where a number is an id: each has a letter or a hyphen in it."""

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext as _


def proposed(name: str, *, kind: str, longest: int) -> str:
    """A slug made from a name, of `longest` characters at most; `kind` (`product`) stands before a number, or alone."""
    slug = slugify(name)[:longest]
    return f"{kind}-{slug}".rstrip("-")[:longest] if not slug or slug.isdecimal() else slug


def refuse_number(form: forms.BaseForm) -> None:
    """Add an error to the field `slug` of the cleaned form where it could be taken for an id."""
    if form.cleaned_data.get("slug", "").isdecimal() and "slug" in form.changed_data:
        form.add_error("slug", _("Use a letter too: a number would be taken for an id."))
