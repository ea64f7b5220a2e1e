from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.fields import KeyField, Words, fold
from console.tenancy import TenantModel, TenantQuerySet


class OwnershipMode(Words):
    CUSTOMER = "customer", _("Customer")
    SINGLE_ACCOUNT = "single_account", _("Single account")
    UNOWNED = "unowned", _("Unowned")


class ProductQuerySet(TenantQuerySet["Product"]):
    def current(self) -> Self:
        """Return the products that are not archived."""
        return self.filter(archived_at=None)


class Product(TenantModel):
    """A kind of device."""

    name = models.CharField(_("Name"), max_length=120)
    name_key = KeyField()
    slug = models.SlugField(_("Slug"), max_length=60, help_text=_("Used in links and the API."))
    platform = models.CharField(
        _("Platform"), max_length=60, blank=True, help_text=_("The hardware, such as ESP32-S3.")
    )
    description = models.TextField(
        _("Description"), max_length=400, blank=True, help_text=_("Customers read this before they claim.")
    )
    ownership_mode = models.CharField(
        _("Ownership"), max_length=20, choices=OwnershipMode.get_choices, default=OwnershipMode.CUSTOMER
    )
    single_account = models.ForeignKey(
        "customers.Customer", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Account")
    )
    unowned_may_subscribe = models.BooleanField(
        _("Devices without an owner may receive messages"),
        default=False,
        help_text=_("They can always publish and answer calls."),
    )
    customers_may_take = models.BooleanField(
        _("Customers may take devices by serial number and device name"),
        default=False,
        help_text=_(
            "Through the API, with the key of a customer that may take devices. Both are printed on the label, "
            "so anyone who has seen it can take the device while it is in stock."
        ),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar = ProductQuerySet.as_manager()

    # Set for a page of a list.
    device_count: int

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "slug"],
                name="product_slug_unique",
                violation_error_message=_("Another product has this slug."),
            ),
            models.UniqueConstraint(
                fields=["organization", "name_key"],
                name="product_name_unique",
                violation_error_message=_("Another product has this name."),
            ),
            models.CheckConstraint(
                condition=Q(ownership_mode="single_account", single_account__isnull=False)
                | (~Q(ownership_mode="single_account") & Q(single_account__isnull=True)),
                name="product_account_with_mode",
                violation_error_message=_("Choose the account that new devices are assigned to."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("devices:product_detail", args=[self.pk])

    def set_keys(self) -> None:
        """Update the folded copy of the name."""
        self.name_key = fold(self.name)[:200]
