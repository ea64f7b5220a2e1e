"""Search across all kinds of objects, over REST."""

from typing import Any

from django.urls import resolve
from rest_framework import serializers
from rest_framework.response import Response

from console.access import Permission
from console.rest.endpoints import endpoint
from console.rest.fields import Body, Text
from console.search import EXACT, MAX_LENGTH, Hit, clean, find_all

TAG = "search"

MOST_OF_EACH = 20
# Kinds of hits by the names of their pages, because the foundation knows the domain by name only.
KINDS = {
    "device_detail": "device",
    "product_detail": "product",
    "customer_detail": "customer",
    "claim_profile_detail": "claim_profile",
    "shipment_detail": "shipment",
    "return_detail": "return",
}


class HitOut(serializers.Serializer):
    """One object that was found."""

    kind = serializers.ChoiceField(choices=sorted(KINDS.values()), help_text="The kind of thing that was found.")
    id = serializers.IntegerField()
    label = serializers.CharField(help_text="Its name, or the name of its person with this email address.")
    detail = serializers.CharField(allow_blank=True)
    is_exact = serializers.BooleanField(help_text="Whether the text is exactly its name or number.")


class SearchQuery(Body):
    """The text to search for."""

    q = Text(max_length=MAX_LENGTH, help_text="The beginning of a name or number, or a scanned claim code.")


@endpoint("Search for everything", may=Permission.VIEW, answers=HitOut, query=SearchQuery, is_list=True)
def search(request: Any) -> Any:
    """Searches devices, products, customers and their people, claim profiles, shipments and returns.

    Returns up to 20 of each, exact matches first, on a single page.
    """
    hits = find_all(request.actor, clean(request.query["q"]), MOST_OF_EACH)
    return Response({"results": HitOut([_row(hit) for hit in hits], many=True).data, "next": None})


def _row(hit: Hit) -> dict[str, Any]:
    """Return a hit for the response. Its kind and id are taken from the address of its page."""
    page = resolve(hit.url)
    return {
        "kind": KINDS[page.url_name or ""],
        "id": page.kwargs["pk"],
        "label": hit.title,
        "detail": hit.detail,
        "is_exact": hit.rank == EXACT,
    }
