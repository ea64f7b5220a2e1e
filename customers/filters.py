"""Which customers a list shows. Every filter has its index."""

import django_filters as filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from console.fields import prefix
from customers.models import Customer, CustomerKind


class CustomerFilter(filters.FilterSet):
    """The filters of the customer list. Archived ones are hidden unless they are asked for."""

    q = filters.CharFilter(method="search", label=_("Name, reference or e-mail"))
    kind = filters.MultipleChoiceFilter(
        choices=CustomerKind.choices, label=_("Kind"), widget=forms.CheckboxSelectMultiple
    )
    devices = filters.ChoiceFilter(
        choices=[("yes", _("owns devices")), ("no", _("owns none"))], label=_("Devices"), method="owning"
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
        """Those whose name, reference or address begins with the text."""
        low, high = prefix(value[:200])
        if not low:
            return queryset
        return queryset.filter(
            Q(name_key__gte=low, name_key__lt=high)
            | Q(reference_key__gte=low, reference_key__lt=high)
            | Q(email__gte=low, email__lt=high)
        )

    def owning(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Those with devices, or those without."""
        devices = Customer._meta.get_field("devices").related_model.objects.filter(customer=OuterRef("pk"))  # unscoped
        return queryset.filter(Exists(devices) if value == "yes" else ~Exists(devices))

    def archived_only(self, queryset: QuerySet, name: str, value: bool | None) -> QuerySet:
        """Only archived ones, when ticked."""
        return queryset.filter(archived_at__isnull=False) if value else queryset
