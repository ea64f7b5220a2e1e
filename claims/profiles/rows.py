"""A list of small forms within a form, with a few spare rows: it grows and shrinks without JavaScript.

A row that is left empty does not exist; so a row is removed by emptying it, and more spare ones come when all
are full.
"""

import re
from typing import Any

from django import forms


class Row(forms.Form):
    """A form that is one of several rows; `Rows` numbers it."""

    number: int


class Rows:
    """The rows called `name`, each a `form_class` with the prefix `name-number`; at most `most` of them."""

    def __init__(
        self, form_class: type[Row], name: str, data: Any, *, initial: list[dict], spare: int, most: int, **options: Any
    ) -> None:
        self.form_class, self.name, self.options = form_class, name, options
        if data is None:
            filled = [self._form(number, initial=values) for number, values in enumerate(initial[:most])]
        else:
            filled = [self._form(number, data=data) for number in _numbers(data, name)[:most]]
        self.forms = filled
        free = most - len(filled)
        blank = 0 if data is None else sum(not form.has_changed() for form in filled)
        first = max((form.number for form in filled), default=-1) + 1
        self.spare = [self._form(first + number) for number in range(max(0, min(spare - blank, free)))]

    def __iter__(self) -> Any:
        return iter([*self.forms, *self.spare])

    def is_valid(self) -> bool:
        """Whether every row that is not empty is right. All are looked at: each shows its own errors."""
        right = [form.is_valid() for form in self.forms]
        return all(right)

    @property
    def is_filled(self) -> bool:
        """Whether there is anything to show in the rows."""
        return any(form.has_changed() or form.initial for form in self.forms)

    @property
    def cleaned(self) -> list[dict]:
        """What stands in the rows that are not empty, in their order."""
        return [form.cleaned_data for form in self.forms if form.has_changed()]

    def _form(self, number: int, *, data: Any = None, initial: dict | None = None) -> Row:
        form = self.form_class(
            data,
            prefix=f"{self.name}-{number}",
            initial=initial or {},
            empty_permitted=True,
            use_required_attribute=False,
            **self.options,
        )
        form.number = number
        return form


def _numbers(data: Any, name: str) -> list[int]:
    found = (re.fullmatch(rf"{name}-(\d{{1,3}})-\w+", key) for key in data)
    return sorted({int(match[1]) for match in found if match})
