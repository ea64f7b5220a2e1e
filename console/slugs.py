"""Identifiers in links and in the API, where a number is an id: each has a letter or a hyphen in it."""

from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext as _

from console.numbers import id_of


def proposed(name: str, *, kind: str, longest: int) -> str:
    """A slug made from a name, of `longest` characters at most; `kind` (`product`) stands before a number, or alone."""
    slug = slugify(name)[:longest]
    return f"{kind}-{slug}".rstrip("-")[:longest] if not slug or slug.isdecimal() else slug


def refuse_number(form: forms.BaseForm) -> None:
    """Add an error to the field `slug` of the cleaned form where it could be taken for an id."""
    if form.cleaned_data.get("slug", "").isdecimal() and "slug" in form.changed_data:
        form.add_error("slug", _("Use a letter too: a number would be taken for an id."))


def named(key: str, *, pk: str = "pk", slug: str = "slug") -> dict[str, Any]:
    """Return the arguments of `filter()` for what has this id or slug; `pk` and `slug` are the look-ups of the two."""
    number = id_of(key)
    return {slug: key} if number is None else {pk: number}
