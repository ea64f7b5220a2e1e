from typing import ClassVar, Self

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console import addresses
from console.access import Actor
from console.fields import KeyField, Words, fold
from console.tenancy import TenantModel, TenantQuerySet


class CustomerKind(Words):
    COMPANY = "company", _("Company")
    PERSON = "person", _("Person")
    INTERNAL = "internal", _("Internal")


def _owned() -> models.Exists:
    """Return the condition that a device names this customer as its owner.

    This app knows devices through the relation only.
    """
    devices = Customer._meta.get_field("devices").related_model
    return models.Exists(devices._base_manager.filter(customer=models.OuterRef("pk")))


class CustomerQuerySet(TenantQuerySet["Customer"]):
    def for_customer(self, actor: Actor) -> Self:
        """Return the customers that the person belongs to."""
        return self.filter(pk__in=actor.customers)

    def current(self) -> Self:
        """Return the customers that are not archived."""
        return self.filter(archived_at=None)

    def listed(self) -> Self:
        """Load only the columns that a row of a list shows."""
        return self.only("kind", "name", "name_key", "reference", "created_at", "archived_at")

    def owning(self) -> Self:
        """Return the customers that own a device now."""
        return self.filter(_owned())

    def owning_none(self) -> Self:
        """Return the customers that own no device now."""
        return self.filter(~_owned())


class Customer(TenantModel):
    """An owner of devices: a company, a person, or an account of the organization itself (internal)."""

    kind = models.CharField(_("Kind"), max_length=10, choices=CustomerKind.get_choices, default=CustomerKind.COMPANY)
    name = models.CharField(_("Name"), max_length=120)
    name_key = KeyField()
    reference = models.CharField(
        _("Your reference"), max_length=60, blank=True, help_text=_("Your own number for the customer.")
    )
    reference_key = KeyField(blank=True)
    email = models.EmailField(_("Email"), blank=True)
    email_key = KeyField(max_length=254, blank=True)
    phone = models.CharField(_("Phone"), max_length=40, blank=True)
    address = models.TextField(_("Address"), max_length=400, blank=True)
    notes = models.TextField(_("Notes"), max_length=2000, blank=True)
    # Off for customers who registered by claiming, because anybody who claims something becomes a customer.
    may_take = models.BooleanField(
        _("May take devices by serial number and device name"),
        default=True,
        help_text=_("Through the API, for products that allow it."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar = CustomerQuerySet.as_manager()

    # Set only for the rows of a list page.
    device_count: int
    people_count: int

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "reference_key"],
                name="customer_reference_unique",
                condition=~models.Q(reference_key=""),
                violation_error_message=_("Another customer has this reference."),
            )
        ]
        indexes = [
            models.Index(fields=["organization", "name_key", "id"], name="customer_by_name"),
            models.Index(fields=["organization", "kind", "name_key", "id"], name="customer_by_kind"),
            models.Index(fields=["organization", "-id"], name="customer_by_age"),
            models.Index(
                fields=["organization", "name_key", "id"],
                name="customer_archived",
                condition=models.Q(archived_at__isnull=False),
            ),
            models.Index(
                fields=["organization", "email_key"], name="customer_by_email", condition=~models.Q(email_key="")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("customers:customer_detail", args=[self.pk])

    def set_keys(self) -> None:
        """Update the folded copies of name, reference and email."""
        self.name_key, self.reference_key = fold(self.name)[:200], fold(self.reference)[:200]
        self.email_key = addresses.normal(self.email)[:254]
