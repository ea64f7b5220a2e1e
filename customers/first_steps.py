"""This app's first steps for a new organization."""

from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.first_steps import Step
from customers.models import Customer


def steps() -> list[Step]:
    """Return the step that creates the first customer."""
    return [
        Step(
            _("Create a customer"),
            _("Companies or people you ship to. Customers who claim a device are added automatically."),
            "building-2",
            "customers:customer_create",
            Customer.objects.visible_to,
            Permission.CUSTOMER_EDIT,
        )
    ]
