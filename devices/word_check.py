"""Compares the words that names are found by with the names, over all organizations."""

from itertools import islice

from console import words
from devices.models import Product

SHOWN = 20


def check() -> list[str]:
    """A sentence for each product that is found by other words than its name has, the first twenty."""
    return list(islice(words.compare("product", Product.objects.order_by("pk")), SHOWN))
