"""The filters of the lists of devices and products. Every filter has an index in the model."""

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from console.access import Actor
from console.fields import fold, prefix
from console.finding import either
from console.widgets import Checkboxes, Choice
from customers.directory.fields import CustomerField
from customers.models import Customer
from devices.models import Device, DeviceStatus, DeviceTag, Product, Tag


def _customers(request: Any) -> QuerySet[Any]:
    return Customer.objects.visible_to(request.actor)


def _choices(actor: Actor) -> tuple[list[Any], list[Any]]:
    """Return the products and the tags to choose from, read in one query."""
    products = Product.objects.visible_to(actor).current().values_list(Value("product"), "pk", "name")
    tags = Tag.objects.visible_to(actor).values_list(Value("tag"), "pk", "name")
    found = sorted(products.union(tags, all=True), key=lambda row: fold(row[2]))
    return tuple([(str(pk), name) for kind, pk, name in found if kind == wanted] for wanted in ("product", "tag"))  # type: ignore[return-value]


class CustomerFilter(filters.ModelChoiceFilter):
    """A customer, by id in links and by name in the form."""

    field_class = CustomerField


class DeviceFilter(filters.FilterSet):
    """The filters of the list of devices. Archived devices are hidden unless they are asked for."""

    q = filters.CharFilter(method="search", label=_("Serial or device name"))
    # `distinct=False`: a distinct list would have to be read completely.
    product = filters.MultipleChoiceFilter(label=_("Product"), widget=Checkboxes, distinct=False)
    status = filters.MultipleChoiceFilter(
        choices=DeviceStatus.choices, label=_("Status"), widget=Checkboxes, distinct=False
    )
    customer = CustomerFilter(queryset=_customers, label=_("Owner"))
    tag = filters.ChoiceFilter(method="tagged", label=_("Tag"), widget=Choice)
    development = filters.BooleanFilter(
        field_name="is_development", label=_("Development"), method="development_only", widget=forms.CheckboxInput
    )
    archived = filters.BooleanFilter(label=_("Archived"), method="archived_only", widget=forms.CheckboxInput)

    class Meta:
        model = Device
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        products, tags = _choices(self.request.actor)
        self.filters["product"].extra["choices"], self.filters["tag"].extra["choices"] = products, tags

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.form.cleaned_data.get("archived"):
            queryset = queryset.filter(archived_at=None)
        return super().filter_queryset(queryset)

    def search(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return devices whose serial number or device name begins with the text, each found by its own index."""
        low, high = prefix(value[:64])
        if not low:
            return queryset
        is_archived = bool(self.form.cleaned_data.get("archived"))
        # There is one index of serial numbers for archived devices and one for all others.
        mine = Device.objects.visible_to(self.request.actor).filter(archived_at__isnull=not is_archived).order_by()
        by_serial, by_name = (Q(serial_key__gte=low, serial_key__lt=high), Q(name_key__gte=low, name_key__lt=high))
        return either(queryset, mine, [by_serial, by_name])

    def tagged(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Return the devices that carry the tag."""
        carried = DeviceTag.objects.filter(tag=int(value))  # unscoped: the tag was visible
        return queryset.filter(pk__in=carried.values("device"))

    def development_only(self, queryset: QuerySet[Any], name: str, value: bool | None) -> QuerySet[Any]:
        """Return only development devices if ticked."""
        return queryset.filter(is_development=True) if value else queryset

    def archived_only(self, queryset: QuerySet[Any], name: str, value: bool | None) -> QuerySet[Any]:
        """Return only archived devices if ticked."""
        return queryset.filter(archived_at__isnull=False) if value else queryset


class ProductFilter(filters.FilterSet):
    """The filters of the product list."""

    archived = filters.BooleanFilter(label=_("Archived"), method="archived_only", widget=forms.CheckboxInput)

    class Meta:
        model = Product
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.form.cleaned_data.get("archived"):
            queryset = queryset.filter(archived_at=None)
        return super().filter_queryset(queryset)

    def archived_only(self, queryset: QuerySet[Any], name: str, value: bool | None) -> QuerySet[Any]:
        """Return only archived products if ticked."""
        return queryset.filter(archived_at__isnull=False) if value else queryset
