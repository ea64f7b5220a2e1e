"""Filters of the customer list. Each one has its index."""

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from console.finding import any_of
from console.widgets import Checkboxes
from customers.directory import lookup
from customers.models import Customer, CustomerKind
from customers.models.customer import CustomerQuerySet


class CustomerFilter(filters.FilterSet):
    """The filters of the customer list. Archived customers are hidden unless requested."""

    q = filters.CharFilter(method="search", label=_("Name, reference or email"))
    kind = filters.MultipleChoiceFilter(
        choices=CustomerKind.choices, label=_("Kind"), widget=Checkboxes, distinct=False
    )
    devices = filters.ChoiceFilter(
        choices=[("yes", _("Owns some")), ("no", _("Owns none"))],
        label=_("Devices"),
        method="owning",
        empty_label=None,
        widget=forms.RadioSelect,
    )
    archived = filters.BooleanFilter(label=_("Archived"), method="archived_only", widget=forms.CheckboxInput)

    class Meta:
        model = Customer
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.form.cleaned_data.get("archived"):
            queryset = queryset.filter(archived_at=None)
        return super().filter_queryset(queryset)

    def search(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return customers whose name contains a word beginning with each word of the text.

        Also returns those whose reference or email begins with the text.
        """
        if not value.strip():
            return queryset
        mine = Customer.objects.visible_to(self.request.actor)
        return queryset.filter(any_of(lookup.ways(mine, value)))

    def owning(self, queryset: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        """Return customers with devices if `value` is "yes", otherwise those without."""
        return queryset.owning() if value == "yes" else queryset.owning_none()

    def archived_only(self, queryset: QuerySet[Any], name: str, value: bool | None) -> QuerySet[Any]:
        """Return only archived customers if the box is ticked."""
        return queryset.filter(archived_at__isnull=False) if value else queryset
