"""The shipment form of the console."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from claims.models import Shipment
from console.access import Actor
from console.forms import ModelForm, TextGuard
from customers.directory.fields import CustomerField
from customers.models import Customer
from devices.models import Product

# The most products offered as lines. Larger orders are packed without expected numbers.
MOST_PRODUCTS, MOST_EXPECTED = 60, 100_000


class ShipmentForm(TextGuard, ModelForm):
    """A shipment: its customer, its order, and how many devices of each product are expected."""

    customer = CustomerField(label=_("Customer"), help_text=_("Start typing a name."))

    class Meta:
        model = Shipment
        fields = ["customer", "order_number", "ship_to", "tells_customer", "is_claimed_by_code"]
        widgets = {"ship_to": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"].queryset = Customer.objects.visible_to(actor).current()
        if self.instance.pk:
            self.initial["customer"] = self.instance.customer
        expected = dict(self.instance.lines.values_list("product", "expected")) if self.instance.pk else {}
        mine = Product.objects.visible_to(actor).order_by("name_key")
        # Products that are already in the order stay, even if archived since.
        offered = list(mine.current()[: MOST_PRODUCTS + 1])
        self.has_more_products = len(offered) > MOST_PRODUCTS
        products = {*offered[:MOST_PRODUCTS], *mine.filter(pk__in=expected)}
        self.products = {f"expected_{p.pk}": p for p in sorted(products, key=lambda product: product.name_key)}
        for name, product in self.products.items():
            self.fields[name] = forms.IntegerField(
                label=product.name,
                required=False,
                min_value=0,
                max_value=MOST_EXPECTED,
                initial=expected.get(product.pk),
                widget=forms.NumberInput(attrs={"inputmode": "numeric", "class": "narrow"}),
            )

    @property
    def own_fields(self) -> list[Any]:
        """Return the fields of the shipment itself."""
        return [self[name] for name in self.Meta.fields]

    @property
    def line_fields(self) -> list[Any]:
        """Return the fields of the products, one each."""
        return [self[name] for name in self.products]

    def named(self, names: set[str]) -> dict[str, Any]:
        """Return only the named parts of the plan. The name of any product field selects all lines."""
        if any(name in self.products for name in names):
            names = names | {"lines"}
        return {name: value for name, value in self.plan().items() if name in names}

    def plan(self) -> dict[str, Any]:
        """Return the arguments of the action: the fields, and `lines` with the expected number by product."""
        data = self.cleaned_data
        lines = {product: data[name] for name, product in self.products.items() if data[name]}
        return {**{name: data[name] for name in self.Meta.fields}, "lines": lines}
