"""The filters of message lists: by name and by day, each a range of an index."""

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
    """The name as it was sent, and a range of days in the time zone of the devices' organization.

    A customer's person belongs to no organization, so the view sets the devices' organization as `request.days_of`.
    """

    name = filters.CharFilter(field_name="name", label=_("Name"), max_length=64)
    since = filters.DateFilter(method="from_day", label=_("From"), widget=_day_input())
    until = filters.DateFilter(method="up_to_day", label=_("To"), widget=_day_input())

    class Meta:
        model = Message
        fields: list[str] = []

    def from_day(self, queryset: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        """Keep messages from the beginning of a day on."""
        return queryset.filter(at__gte=moments.begin(value, self._organization))

    def up_to_day(self, queryset: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        """Keep messages up to the end of a day."""
        return queryset.filter(at__lt=moments.end(value, self._organization))

    @property
    def _organization(self) -> Any:
        return getattr(self.request, "days_of", None) or self.request.actor.organization


def filtered(request: Any, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the rows that match the filters in the URL; none if the filters are invalid."""
    filterset = MessageFilter(request.GET, queryset=rows, request=request)
    return filterset.qs if filterset.is_valid() else rows.none()
