"""Which customers a list shows. Every filter has its index."""

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from console import counts, sql
from console.widgets import Checkboxes
from customers import lookup
from customers.models import Customer, CustomerKind
from customers.models.customer import CustomerQuerySet


class CustomerFilter(filters.FilterSet):
    """The filters of the customer list. Archived ones are hidden unless they are asked for."""

    q = filters.CharFilter(method="search", label=_("Name, reference or e-mail"))
    kind = filters.MultipleChoiceFilter(
        choices=CustomerKind.choices, label=_("Kind"), widget=Checkboxes, distinct=False
    )
    devices = filters.ChoiceFilter(
        choices=[("yes", _("owns some now")), ("no", _("owns none now"))],
        label=_("Devices"),
        method="owning",
        empty_label=None,
        widget=forms.RadioSelect,
    )
    archived = filters.BooleanFilter(label=_("Archived"), method="archived_only", widget=forms.CheckboxInput)

    class Meta:
        model = Customer
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        if not self.form.cleaned_data.get("archived"):
            queryset = queryset.filter(archived_at=None)
        return super().filter_queryset(queryset)

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Those whose name, reference or e-mail begins with the text, each found by its own index."""
        if not value.strip():
            return queryset
        mine, conditions = (
            Customer.objects.visible_to(self.request.actor).order_by(),
            lookup.beginning_with(value),
        )
        any_found = sql.capped_count_of_each([mine.filter(condition) for condition in conditions], 1)
        fitting = [condition for condition, count in zip(conditions, any_found, strict=True) if count]
        if len(fitting) < 2:
            # One range of one index, which the order and the cursor can use; that is nearly every search.
            return queryset.filter(fitting[0] if fitting else conditions[0])
        found = [
            Q(pk__in=mine.filter(condition).values_list("pk", flat=True)[: counts.CAP + 1])
            for condition in fitting
        ]
        return queryset.filter(Q(*found, _connector=Q.OR))

    def owning(self, queryset: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        """Those with devices, or those without."""
        return queryset.owning() if value == "yes" else queryset.owning_none()

    def archived_only(self, queryset: QuerySet, name: str, value: bool | None) -> QuerySet:
        """Only archived ones, when ticked."""
        return queryset.filter(archived_at__isnull=False) if value else queryset
