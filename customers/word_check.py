"""Compares the words that names are found by with the names, over all organizations."""

from itertools import islice

from console import words
from customers.models import Customer

SHOWN = 20


def check() -> list[str]:
    """A sentence for each customer that is found by other words than its name has, the first twenty."""
    return list(islice(words.compare("customer", Customer.objects.order_by("pk")), SHOWN))
