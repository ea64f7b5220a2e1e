"""Converts API request bodies into the input of the console's shipment form and packing workbench."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import Http404
from django.utils import timezone

from claims.models import Shipment
from claims.scanning import scans
from claims.scanning.answers import Answer
from claims.shipments import packing
from claims.shipments.actions import contents
from claims.shipments.forms import MOST_EXPECTED, ShipmentForm
from console.rest.forms import checked
from console.rest.problems import Unfit
from console.transactions import retrying
from customers.models import Customer
from devices.api.products import find as find_product
from devices.models import Device, Product


class LinesForm(ShipmentForm):
    """The console's shipment form with a field for each product in `named`, even beyond the page's limit."""

    def __init__(self, *args: Any, named: Iterable[Product] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for product in named:
            name = f"expected_{product.pk}"
            if name not in self.products and product.archived_at is None:
                self.products[name] = product
                self.fields[name] = forms.IntegerField(min_value=1, max_value=MOST_EXPECTED)


def plan(request: Any, shipment: Shipment | None = None) -> dict[str, Any]:
    """Return the arguments of the shipment actions; for an existing shipment, only those named in the body.

    Raises Unfit if the body is not valid.
    """
    body = dict(request.body_data)
    lines = _lines(request, body.pop("lines")) if "lines" in body else _saved_lines(shipment)
    if "customer" in body:
        _check_customer(request, body["customer"])
    data = body | {f"expected_{product.pk}": number for product, number in lines.items()}
    existing: dict[str, Any] = {} if shipment is None else {"instance": shipment}
    form = checked(LinesForm, data, actor=request.actor, named=lines, **existing)
    left_out = [product.slug for product in lines if f"expected_{product.pk}" not in form.products]
    if left_out:
        raise Unfit({"lines": [f"{slug} is archived." for slug in left_out]})
    return form.plan() if shipment is None else form.named(set(request.body_data))


@retrying
def pack(request: Any, shipment: Shipment) -> list[dict[str, Any]]:
    """Pack the scanned devices and return one result per scan, in order.

    Runs in one transaction, so that nobody can remove a device before its result is determined.
    """
    texts, by, at = request.body_data["scans"], request.actor, timezone.now()
    chosen = packing.choose(shipment, scans.find_all(by, texts))
    found = {each.pk: each for each in chosen if isinstance(each, Device)}
    answers = contents.pack(shipment, found.values(), by=by, at=at) if found else []
    # All packed devices share one answer, so they are identified by the time of this call.
    packed = shipment.units.filter(packed_at=at, device__in=found)
    inside = set(packed.values_list("device_id", flat=True))
    refusals = iter(answers[1:] if inside else answers)
    said = {pk: packing.added([device]) if pk in inside else next(refusals) for pk, device in found.items()}
    results = []
    for text, each in zip(texts, chosen, strict=True):
        if isinstance(each, Answer):
            results.append({"scan": text, "code": each.code, "detail": each.text, "device": None})
            continue
        answer = said[each.pk]
        results.append({"scan": text, "code": answer.code, "detail": answer.text, "device": each.pk})
        if each.pk in inside:
            said[each.pk] = packing.already_here(each)
    return results


def _lines(request: Any, rows: list[dict[str, Any]]) -> dict[Product, int]:
    lines: dict[Product, int] = {}
    for place, row in enumerate(rows):
        try:
            product = find_product(request, row["product"])
        except Http404:
            raise Unfit({f"lines[{place}].product": ["There is no such product."]}) from None
        if product in lines:
            raise Unfit({f"lines[{place}].product": ["This product is named twice."]})
        lines[product] = row["expected"]
    return lines


def _saved_lines(shipment: Shipment | None) -> dict[Product, int]:
    if shipment is None:
        return {}
    return {line.product: line.expected for line in shipment.lines.select_related("product")}


def _check_customer(request: Any, pk: int) -> None:
    """Check that the id is a customer's. The form's field would also accept digits as the beginning of a name."""
    if not Customer.objects.visible_to(request.actor).current().filter(pk=pk).exists():
        raise Unfit({"customer": ["There is no such customer."]})
