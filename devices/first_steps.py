"""The first steps that this app suggests to a new organization."""

from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.first_steps import Step
from devices.models import Device, Product


def steps() -> list[Step]:
    """Return the steps: the first product and its devices."""
    return [
        Step(
            _("Create a product"),
            _("A kind of device: its name, its platform and who may own it."),
            "box",
            "devices:product_create",
            Product.objects.visible_to,
            Permission.PRODUCT_EDIT,
        ),
        Step(
            _("Import a factory manifest"),
            _("CSV or Excel, as the factory sends it. You'll see a preview first."),
            "upload",
            "devices:manifest_create",
            Device.objects.visible_to,
            Permission.DEVICE_IMPORT,
        ),
    ]
