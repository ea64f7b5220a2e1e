"""Reconciliation of a shipment: what was ordered and shipped, and what is now owned, returned or missing."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, Value, When

from claims.models import Return, Shipment, ShipmentUnit
from devices.models import Product

OWNED, RETURNED, WAITING, MISSING = "owned", "returned", "waiting", "missing"


@dataclass
class Balance:
    """Numbers of devices of one product in a shipment.

    `claimed` devices are those of the owned ones that the customer claimed; `waiting` ones are not claimed yet;
    `missing` ones are neither waiting, nor owned, nor returned by the customer.
    """

    product: Any
    expected: int | None = None
    shipped: int = 0
    owned: int = 0
    returned: int = 0
    waiting: int = 0
    missing: int = 0
    claimed: int = 0

    @property
    def short(self) -> int:
        """Return how many devices were ordered but not shipped."""
        return max(0, (self.expected or 0) - self.shipped)


def fates(shipment: Shipment) -> Any:
    """Return the rows of a shipment's devices, annotated with `fate`: owned, returned, waiting or missing."""
    # unscoped: returns of a visible shipment
    back = Return.objects.filter(device=OuterRef("device"), shipment=shipment, received_at__isnull=False)
    return ShipmentUnit.objects.filter(shipment=shipment).annotate(  # unscoped: rows of a visible shipment
        fate=Case(
            When(Q(device__customer=shipment.customer_id), then=Value(OWNED)),
            When(Exists(back), then=Value(RETURNED)),
            When(is_open=True, then=Value(WAITING)),
            default=Value(MISSING),
            output_field=CharField(),
        )
    )


def balance(shipment: Shipment) -> list[Balance]:
    """Return the balance of each product that was ordered or shipped. Takes three queries."""
    expected = dict(shipment.lines.values_list("product", "expected"))
    counted = fates(shipment).order_by().values_list(F("device__product"), "fate")
    found: dict[int, dict[str, int]] = {}
    claimed: dict[int, int] = {}
    for product, fate, n, by_claim in counted.annotate(n=Count("pk"), by_claim=Count("claim")):
        found.setdefault(product, {})[fate] = n
        if fate == OWNED:
            claimed[product] = by_claim
    # unscoped: products of a visible shipment
    products = Product.objects.filter(organization=shipment.organization_id, pk__in=[*expected, *found])
    return [
        Balance(
            product,
            expected.get(product.pk),
            sum(by_fate.values()),
            by_fate.get(OWNED, 0),
            by_fate.get(RETURNED, 0),
            by_fate.get(WAITING, 0),
            by_fate.get(MISSING, 0),
            claimed.get(product.pk, 0),
        )
        for product in products.order_by("name_key")
        for by_fate in [found.get(product.pk, {})]
    ]
