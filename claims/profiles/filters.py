"""Filters of the lists of claim profiles and of their devices."""

from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from claims.models import ClaimProfile, Grant, Scope
from console import words
from console.fields import prefix
from devices.models import Device

STATES = [("enabled", _("Enabled")), ("disabled", _("Disabled"))]


class ClaimProfileFilter(filters.FilterSet):
    """The filters of the list of claim profiles."""

    q = filters.CharFilter(method="search", label=_("Name or identifier"))
    scope = filters.ChoiceFilter(choices=Scope.choices, label=_("Codes"))
    grant = filters.ChoiceFilter(choices=Grant.choices, label=_("Grants"))
    state = filters.ChoiceFilter(choices=STATES, method="switched", label=_("State"))

    class Meta:
        model = ClaimProfile
        fields: list[str] = []

    def search(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep the profiles whose identifier, or a word of whose name, begins with the text."""
        if not value.strip():
            return queryset
        low, high = prefix(value[:120])
        slug = value.strip().lower()[:60]
        named = words.beginning("claim_profile", value[:120]) or Q()
        return queryset.filter(Q(name_key__gte=low, name_key__lt=high) | named | Q(slug__startswith=slug))

    def switched(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        """Keep the profiles that are enabled, or those that are disabled."""
        return queryset.filter(is_enabled=value == "enabled")


class UnitFilter(filters.FilterSet):
    """The filter of the devices of a profile."""

    q = filters.CharFilter(method="search", label=_("Serial"))

    class Meta:
        model = Device
        fields: list[str] = []

    def search(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep the devices whose serial number begins with the text."""
        if not value.strip():
            return queryset
        low, high = prefix(value[:64])
        return queryset.filter(serial_key__gte=low, serial_key__lt=high)
