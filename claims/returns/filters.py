"""Filters of the list of returns. Each is backed by an index of the model."""

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from claims.models import Return, ReturnState
from claims.models.returns import UNDER_WAY
from claims.returns import choices
from console import counts, sql
from console.fields import prefix
from customers.models import Customer
from devices.filters import CustomerFilter
from devices.models import Device

OPEN = "open"


def _customers(request: Any) -> QuerySet[Any]:
    return Customer.objects.visible_to(request.actor)


class ReturnFilter(filters.FilterSet):
    """The filters of the list of returns."""

    q = filters.CharFilter(method="search", label=_("Number or serial"))
    state = filters.ChoiceFilter(
        choices=[(OPEN, _("Under way")), *ReturnState.choices], method="in_state", label=_("State")
    )
    reason = filters.ChoiceFilter(label=_("Reason"), choices=())
    customer = CustomerFilter(queryset=_customers, label=_("Customer"))
    needs_label = filters.BooleanFilter(label=_("Needs a label"), method="needing_label", widget=forms.CheckboxInput)

    class Meta:
        model = Return
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = choices.reasons(self.request.actor.organization, archived=True)
        self.filters["reason"].extra["choices"] = [(choice.text, choice.text) for choice in found]

    def search(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return the return with this number, and those of devices whose serial number starts with the text."""
        low, high = prefix(value[:64])
        if not low:
            return queryset
        units = Device.objects.visible_to(self.request.actor).filter(serial_key__gte=low, serial_key__lt=high)
        # Few matching devices: look up their returns. Many: walking the list in its order soon finds a page of them.
        is_many = sql.capped_count_of_each([units], counts.CAP + 1)[0] > counts.CAP
        met = Exists(units.filter(pk=OuterRef("device")))
        of_units = Q(met) if is_many else Q(device__in=units.order_by().values("pk"))
        number = Return.NUMBERS.number(value, needs_letter=False)
        return queryset.filter(of_units | Q(number=number) if number else of_units)

    def in_state(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return the returns in this state, or all open ones."""
        return queryset.filter(state__in=UNDER_WAY) if value == OPEN else queryset.filter(state=value)

    def needing_label(self, queryset: QuerySet[Any], name: str, value: bool | None) -> QuerySet[Any]:
        """Return only the returns of devices whose label no longer works, if ticked."""
        return queryset.filter(needs_label=True) if value else queryset
