"""Compares the search words of products with their names, over all organizations."""

from itertools import islice

from console import words
from devices.models import Product

SHOWN = 20


def check() -> list[str]:
    """Return a sentence for each product whose search words differ from its name, the first twenty."""
    return list(islice(words.compare("product", Product.objects.order_by("pk")), SHOWN))
