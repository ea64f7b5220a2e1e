from typing import Self

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import Actor
from console.fields import KeyField, fold
from console.tenancy import TenantModel, TenantQuerySet


class CustomerKind(models.TextChoices):
    COMPANY = "company", _("Company")
    PERSON = "person", _("Person")
    INTERNAL = "internal", _("Internal")

    @classmethod
    def get_choices(cls) -> list:
        """The choices, for model fields."""
        return cls.choices


class CustomerQuerySet(TenantQuerySet):
    def for_customer(self, actor: Actor) -> Self:
        """The customers that the person belongs to."""
        return self.filter(pk__in=actor.customers)

    def current(self) -> Self:
        """Those that are not archived."""
        return self.filter(archived_at=None)


class Customer(TenantModel):
    """Who can own devices: a company, a person, or an account of the organization itself (internal)."""

    kind = models.CharField(_("Kind"), max_length=10, choices=CustomerKind.get_choices, default=CustomerKind.COMPANY)
    name = models.CharField(_("Name"), max_length=120)
    name_key = KeyField()
    reference = models.CharField(
        _("Your reference"), max_length=60, blank=True, help_text=_("The number that your own books know them by.")
    )
    reference_key = KeyField(max_length=60, blank=True)
    email = models.EmailField(_("E-mail"), blank=True)
    phone = models.CharField(_("Phone"), max_length=40, blank=True)
    address = models.TextField(_("Address"), max_length=400, blank=True)
    notes = models.TextField(_("Notes"), max_length=2000, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "reference_key"],
                name="customer_reference_unique",
                condition=~models.Q(reference_key=""),
                violation_error_message=_("Another customer has this reference."),
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "name_key", "id"], name="customer_by_name"),
            models.Index(fields=["organization", "kind", "name_key", "id"], name="customer_by_kind"),
            models.Index(fields=["organization", "email"], name="customer_by_email"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("customers:customer_detail", args=[self.pk])

    def set_keys(self) -> None:
        """Bring the folded copies in step with name and reference."""
        self.name_key, self.reference_key = fold(self.name)[:200], fold(self.reference)
