"""Fields that behave the same on both databases, and choices of words."""

import unicodedata
from typing import Any

from django.db import models


def fold(text: str) -> str:
    """Return the form in which two texts are compared: NFKC, case folded, each run of white space as one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class Words(models.TextChoices):
    """The values that a field of a model may hold, with their names: `choices=Role.get_choices`."""

    @classmethod
    def get_choices(cls) -> list[Any]:
        """Return the choices. A field that is given this function needs no migration for a new value."""
        return cls.choices


class KeyField(models.CharField):  # type: ignore[type-arg]  # not generic at run time
    """The folded copy of a text, for uniqueness, order and prefix search.

    It is compared byte by byte on both databases ("C" on PostgreSQL), so that `>=`, an index and a cursor agree.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 200)
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        parameters["collation"] = "C" if connection.vendor == "postgresql" else "BINARY"
        return parameters

    def deconstruct(self) -> tuple[Any, ...]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, kwargs


def prefix(text: str) -> tuple[str, str]:
    """Return the half-open range of keys that begin with `text`, for `key__gte` and `key__lt`."""
    key = fold(text)
    return key, key + "\U0010ffff"
