"""This app's entries of the sidebar."""

from django.utils.translation import gettext_lazy as _

from console.navigation import Entry
from customers.models import Customer


def entries() -> list[Entry]:
    """Customers."""
    return [
        Entry(
            _("Customers"),
            "customers:customer_list",
            "building-2",
            30,
            ("customers:customer",),
            rows=lambda actor: Customer.objects.visible_to(actor).current(),
        )
    ]
