"""Identifiers in links and in the API, where a number is an id: each contains a letter or a hyphen."""

from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext as _

from console.numbers import id_of


def proposed(name: str, *, kind: str, longest: int) -> str:
    """Return a slug from a name, at most `longest` characters; `kind` (`product`) precedes a number or stands alone."""
    slug = slugify(name)[:longest]
    return f"{kind}-{slug}".rstrip("-")[:longest] if not slug or slug.isdecimal() else slug


def refuse_number(form: forms.BaseForm) -> None:
    """Add an error to the field `slug` of the cleaned form if it could be mistaken for an id."""
    if form.cleaned_data.get("slug", "").isdecimal() and "slug" in form.changed_data:
        form.add_error("slug", _("Use at least one letter; a number alone looks like an ID."))


def named(key: str, *, pk: str = "pk", slug: str = "slug") -> dict[str, Any]:
    """Return the arguments of `filter()` for the row with this id or slug; `pk` and `slug` are their look-ups."""
    number = id_of(key)
    return {slug: key} if number is None else {pk: number}
