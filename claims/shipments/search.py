"""Shipments in the global search, by number and order number."""

from django.utils.translation import gettext as _

from claims.models import Shipment
from console.access import Actor
from console.fields import fold, prefix
from console.search import EXACT, Hit, listed


def find(actor: Actor, text: str, limit: int) -> list[Hit]:
    """Return the shipment with this number, and up to `limit` whose order number begins with the text."""
    low, high = prefix(text[:60])
    mine = Shipment.objects.visible_to(actor).select_related("customer")
    found = list(mine.filter(order_key__gte=low, order_key__lt=high).order_by("order_key", "pk")[:limit])
    if number := Shipment.NUMBERS.number(text):
        found += mine.filter(number=number)
    return [
        Hit(
            kind=_("Shipment"),
            icon="package",
            title=row.code,
            url=row.get_absolute_url(),
            rank=EXACT if fold(text) in {row.order_key, fold(row.code)} else 1,
            more=listed("claims:shipment_list", text),
            detail=" · ".join(filter(None, [str(row.customer), row.order_number, row.get_state_display()])),
        )
        for row in found
    ]
