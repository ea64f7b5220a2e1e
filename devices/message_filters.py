"""Which messages a list shows: by name and by day. Each is a range of an index."""

from datetime import date, datetime, time, timedelta
from typing import Any

import django_filters as filters
from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from devices.models import Message


def _day_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class MessageFilter(filters.FilterSet):
    """The name as it was sent, and from when to when, where the reader is."""

    name = filters.CharFilter(field_name="name", label=_("Name"), max_length=64)
    since = filters.DateFilter(method="from_day", label=_("From"), widget=_day_input())
    until = filters.DateFilter(method="up_to_day", label=_("To"), widget=_day_input())

    class Meta:
        model = Message
        fields: list[str] = []

    def from_day(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        """Those from the beginning of a day on."""
        return queryset.filter(at__gte=_midnight(value))

    def up_to_day(self, queryset: QuerySet, name: str, value: date) -> QuerySet:
        """Those up to the end of a day."""
        return queryset.filter(at__lt=_midnight(value) + timedelta(days=1))


def filtered(request: Any, rows: QuerySet) -> QuerySet:
    """The rows that the filters of the address leave; none where they make no sense."""
    filterset = MessageFilter(request.GET, queryset=rows, request=request)
    return filterset.qs if filterset.is_valid() else rows.none()


def _midnight(day: date) -> datetime:
    # The first and the last years have moments that no other time zone has.
    day = min(max(day, date(1900, 1, 1)), date(9990, 1, 1))
    return timezone.make_aware(datetime.combine(day, time.min))
