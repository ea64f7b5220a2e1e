"""Filters of the shipment list. The model has an index for each of them."""

from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from claims.models import Shipment, ShipmentState
from console.fields import prefix
from console.finding import by_index
from console.widgets import Choice
from customers.models import Customer
from devices.filters import CustomerFilter


def _customers(request: Any) -> QuerySet[Any]:
    return Customer.objects.visible_to(request.actor)


class ShipmentFilter(filters.FilterSet):
    """Filters of the shipment list, in the console and in the REST API."""

    q = filters.CharFilter(method="search", label=_("Number or order"))
    state = filters.ChoiceFilter(choices=ShipmentState.choices, label=_("State"), widget=Choice)
    customer = CustomerFilter(queryset=_customers, label=_("Customer"))

    class Meta:
        model = Shipment
        fields: list[str] = []

    def search(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Filter by exact shipment number or by the beginning of the order number."""
        low, high = prefix(value[:60])
        if not low:
            return queryset
        mine = Shipment.objects.visible_to(self.request.actor)
        of_order = by_index(mine, Q(order_key__gte=low, order_key__lt=high))
        number = Shipment.NUMBERS.number(value, needs_letter=False)
        return queryset.filter(of_order | Q(number=number) if number else of_order)
