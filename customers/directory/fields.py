"""A form field to choose one of very many customers: typed by name, with suggestions."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from console.fields import fold
from console.numbers import id_of
from customers.directory.lookup import named
from customers.models import Customer

WITH_ID = re.compile(r"\((\d{1,18})\)\s*$")


class CustomerInput(forms.TextInput):
    """A text field whose suggestions come from the server while a person types."""

    template_name = "customers/directory/customer_input.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"autocomplete": "off", "spellcheck": "false", **(attrs or {})})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["options_url"] = reverse_lazy("customers:customer_options")
        return context


class CustomerField(forms.Field):
    """Accepts an id, "Name (id)", or words that occur in the name of one customer only.

    `queryset` limits who can be chosen. The error says whether none or several were found.
    """

    widget = CustomerInput

    def __init__(self, *, queryset: Any = None, **kwargs: Any) -> None:
        # ModelChoiceFilter passes arguments that only its own field needs.
        for unused in ("empty_label", "null_label", "null_value", "to_field_name", "limit_choices_to"):
            kwargs.pop(unused, None)
        super().__init__(**kwargs)
        self.queryset: QuerySet[Any] = queryset if queryset is not None else Customer.objects.none()

    def to_python(self, value: Any) -> Customer | None:
        text = str(value or "").strip()[:200]
        if not text:
            return None
        named = WITH_ID.search(text)
        pk = id_of(named[1] if named else text)
        if pk is not None:
            found = self.queryset.filter(pk=pk).first()
            if found is not None:
                return found
        return self._by_name(text)

    def prepare_value(self, value: Any) -> Any:
        return f"{value} ({value.pk})" if isinstance(value, Customer) else value

    def _by_name(self, text: str) -> Customer:
        exact = list(self.queryset.filter(name_key=fold(text))[:2])
        if len(exact) == 1:
            return exact[0]
        found = list(self.queryset.filter(named(text))[:101])
        if len(found) == 1:
            return found[0]
        if not found:
            raise ValidationError(
                _("No customer has this name. Choose one from the list, or create the customer first.")
            )
        raise ValidationError(
            ngettext(
                "%(n)s customer starts like this. Choose one.",
                "%(n)s customers start like this. Choose one.",
                len(found),
            )
            % {"n": len(found) if len(found) <= 100 else "100+"}
        )
