"""What a new organization does first. The domain is known by name only."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.utils.translation import gettext_lazy as _

from console.access import Actor, Permission


@dataclass(frozen=True)
class Step:
    """One thing to make; it is done when there is a row of the model."""

    title: Any
    text: Any
    icon: str
    url_name: str
    model: str
    permission: Permission


STEPS = [
    Step(
        _("Make a product"),
        _("A kind of device: its name, its platform, and who may own a unit."),
        "box",
        "devices:product_create",
        "devices.Product",
        Permission.PRODUCT_EDIT,
    ),
    Step(
        _("Import a factory manifest"),
        _("CSV or Excel, as the factory sends it. You see a preview first."),
        "upload",
        "devices:manifest_create",
        "devices.Device",
        Permission.DEVICE_IMPORT,
    ),
    Step(
        _("Make a customer"),
        _("Whom you ship to. Customers who claim by themselves appear on their own."),
        "building-2",
        "customers:customer_create",
        "customers.Customer",
        Permission.CUSTOMER_EDIT,
    ),
    Step(
        _("Make a claim profile"),
        _("A link and a QR code with which customers take their devices."),
        "qr-code",
        "claims:claim_profile_create",
        "claims.ClaimProfile",
        Permission.PROFILE_EDIT,
    ),
]


def of(actor: Actor) -> list[tuple[Step, bool]]:
    """The steps, each with whether it is done; none where all are, or where the actor may take none of them."""
    if not any(actor.may(step.permission) for step in STEPS):
        return []
    found = [(step, apps.get_model(step.model).objects.visible_to(actor).exists()) for step in STEPS]
    return [] if all(done for _step, done in found) else found
