"""Which messages a list shows: by name and by day. Each is a range of an index."""

from datetime import date
from typing import Any

import django_filters as filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from console import moments
from devices.models import Message


def _day_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class MessageFilter(filters.FilterSet):
    """The name as it was sent, and from which day to which, where the organization of the devices is.

    A customer's person belongs to none: the view says whose devices they are, as `request.days_of`.
    """

    name = filters.CharFilter(field_name="name", label=_("Name"), max_length=64)
    since = filters.DateFilter(method="from_day", label=_("From"), widget=_day_input())
    until = filters.DateFilter(method="up_to_day", label=_("To"), widget=_day_input())

    class Meta:
        model = Message
        fields: list[str] = []

    def from_day(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        """Those from the beginning of a day on."""
        return queryset.filter(at__gte=moments.begin(value, self._organization))

    def up_to_day(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        """Those up to the end of a day."""
        return queryset.filter(at__lt=moments.end(value, self._organization))

    @property
    def _organization(self) -> Any:
        return getattr(self.request, "days_of", None) or self.request.actor.organization


def filtered(request: Any, rows: QuerySet) -> QuerySet:
    """The rows that the filters of the address leave; none where they make no sense."""
    filterset = MessageFilter(request.GET, queryset=rows, request=request)
    return filterset.qs if filterset.is_valid() else rows.none()
