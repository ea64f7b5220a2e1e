"""This app's sidebar entries and settings tabs."""

from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.navigation import Entry
from console.settings_tabs import Tab
from customers.models import Customer


def entries() -> list[Entry]:
    """Return the sidebar entry of customers."""
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


def settings_tabs() -> list[Tab]:
    """Return the settings tab of API keys."""
    may = Permission.API_KEY_MANAGE
    return [Tab("api_keys", _("API keys"), "customers:api_key_list", 60, ("customers:api_key",), may)]
