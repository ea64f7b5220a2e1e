"""Numbers in texts: ids that people and programs send, and the numbers of shipments and returns."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import models
from django.db.models import Max

from console.models import Organization

# This many digits fit into every id column.
DIGITS = 18


def whole(text: str) -> int | None:
    """Return the number that up to 18 ASCII digits form; None for every other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS else None


def id_of(text: Any) -> int | None:
    """Return the id that a text from an address, a form or a key names; None if it names none."""
    return whole(str(text))


def ids_of(texts: Iterable[str]) -> list[int]:
    """Return the ids in a text of ids separated by commas, in their order and without duplicates. Skips invalid ids."""
    parts = (part.strip() for text in texts for part in text.split(","))
    return list(dict.fromkeys(pk for part in parts if (pk := id_of(part)) is not None))


@dataclass(frozen=True)
class Series:
    """The numbers of one kind of document, as people write them: S-00017."""

    letter: str

    def code(self, number: int) -> str:
        """Return the number with its letter."""
        return f"{self.letter}-{number:05d}"

    def number(self, text: str, *, needs_letter: bool = True) -> int | None:
        """Return the number in a text, with or without hyphen and zeros; None if it contains none."""
        found = self._pattern.fullmatch(text.strip())
        return int(found["number"]) if found and (found["letter"] or not needs_letter) else None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(rf"(?P<letter>{self.letter}-?)?0*(?P<number>[1-9]\d{{0,8}})", re.IGNORECASE | re.ASCII)


def next_number(model: type[models.Model], organization_id: int) -> int:
    """Return the number after the last one. No one else gets it until this transaction ends."""
    # unscoped: locks the organization, which serializes all of its numbers
    list(Organization.objects.select_for_update(no_key=True).filter(pk=organization_id).values_list("pk"))
    rows = model._default_manager.filter(organization=organization_id)  # unscoped: all rows of this organization count
    return (rows.aggregate(last=Max("number"))["last"] or 0) + 1
