"""The entries of this app in the sidebar."""

from django.utils.translation import gettext_lazy as _

from console.navigation import Entry
from devices.models import Device


def entries() -> list[Entry]:
    """Return the entries for devices and products."""
    return [
        Entry(
            _("Devices"),
            "devices:device_list",
            "cpu",
            10,
            ("devices:device", "devices:manifest"),
            rows=lambda actor: Device.objects.visible_to(actor).current(),
        ),
        Entry(_("Products"), "devices:product_list", "box", 20, ("devices:product",)),
    ]
