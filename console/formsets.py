"""Formsets that need no management form: the names of the fields say how many rows there are.

A list of rows can therefore grow and shrink without JavaScript, and programs send rows without counting them.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, cast

from django import forms
from django.forms.formsets import INITIAL_FORM_COUNT, TOTAL_FORM_COUNT, ManagementForm


class Rows(forms.BaseFormSet):  # type: ignore[type-arg]  # not generic at run time
    """A formset that ignores empty rows: a row is removed by emptying it.

    Its `extra` empty rows follow the others, and more are added when all are full. If there are more rows than
    `max_num`, the first ones are taken. Create the class with `rows_of`.
    """

    def __init__(self, data: Any, *, prefix: str, initial: Sequence[dict[str, Any]], **form_kwargs: Any) -> None:
        self.numbers = list(self.numbered(data, prefix, initial))[: self.max_num]
        super().__init__(data, prefix=prefix, initial=self.before(data, initial), form_kwargs=form_kwargs)

    def numbered(self, data: Any, prefix: str, initial: Sequence[dict[str, Any]]) -> Iterable[int]:
        """Return the numbers of the rows: those that were sent or, in an unbound formset, the initial ones."""
        return range(len(initial)) if data is None else _numbers(data, prefix)

    def before(self, data: Any, initial: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]] | None:
        """Return what the rows are compared with: a row that was sent counts as new."""
        return initial if data is None else None

    @cached_property
    def management_form(self) -> ManagementForm:
        counts = {TOTAL_FORM_COUNT: len(self.numbers), INITIAL_FORM_COUNT: 0}
        form = ManagementForm({f"management-{name}": count for name, count in counts.items()}, prefix="management")
        form.full_clean()
        return form

    @cached_property
    def spare(self) -> list[Any]:
        """Return the empty rows, which were not part of what was sent."""
        blank = sum(not form.has_changed() for form in self.forms) if self.is_bound else 0
        count = max(0, min(self.extra - blank, self.max_num - len(self.numbers)))
        first = max(self.numbers, default=-1) + 1
        prefixes = [f"{self.prefix}-{number}" for number in range(first, first + count)]
        return [
            self.form(prefix=each, empty_permitted=True, use_required_attribute=False, **self.form_kwargs)
            for each in prefixes
        ]

    def __iter__(self) -> Any:
        return iter([*self.forms, *self.spare])

    def __len__(self) -> int:
        # The `for` of templates asks for it first, and shows nothing of what has no length.
        return len(self.forms) + len(self.spare)

    def total_form_count(self) -> int:
        return len(self.numbers)

    def initial_form_count(self) -> int:
        return 0

    def add_prefix(self, index: Any) -> str:
        return f"{self.prefix}-{self.numbers[index]}"

    @property
    def is_filled(self) -> bool:
        """Whether any row has something to show."""
        return any(form.has_changed() or form.initial for form in self.forms)

    @property
    def filled(self) -> list[dict[str, Any]]:
        """Return the clean values of the rows that are not empty, in their order."""
        return [form.cleaned_data for form in self.forms if form.has_changed()]


def rows_of(form: type[forms.BaseForm], *, most: int, extra: int = 0, formset: type[Rows] = Rows) -> type[Rows]:
    """Return the class of a formset of up to `most` rows, each of them a `form`, with `extra` empty ones."""
    made = forms.formset_factory(form, formset, extra=extra, max_num=most, absolute_max=most)
    return cast(type[Rows], made)


def _numbers(data: Any, prefix: str) -> list[int]:
    found = (re.fullmatch(rf"{prefix}-([0-9]{{1,3}})-\w+", key) for key in data)
    return sorted({int(match[1]) for match in found if match})
