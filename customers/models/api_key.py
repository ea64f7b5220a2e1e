from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import Actor
from console.tenancy import TenantModel, TenantQuerySet
from customers.models.customer import Customer


class ApiKeyQuerySet(TenantQuerySet["ApiKey"]):
    def for_customer(self, actor: Actor) -> Self:
        """Return the keys of the person's customers."""
        return self.filter(customer__in=actor.customers)

    def usable(self, at: datetime | None = None) -> Self:
        """Return the keys that are neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=at or timezone.now()), revoked_at=None)


class ApiKey(TenantModel):
    """A bearer key of the REST API: of the organization or, with `customer`, of one of its customers.

    The key itself is shown once and stored only as its SHA-256. It acts for the person who created it and can do what
    both its scopes and that person's role allow, so it stops working when they leave. `scopes` are the values of
    Permission or, for a customer's key, of CustomerScope.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="api_keys")
    name = models.CharField(_("Name"), max_length=80)
    # The first characters, by which its owner recognizes it.
    start = models.CharField(max_length=12, editable=False)
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("Scopes"), default=list)
    made_by = models.ForeignKey("console.User", models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("Expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar = ApiKeyQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="api_key_by_age"),
            models.Index(fields=["customer", "-id"], name="api_key_by_customer"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_usable(self) -> bool:
        """Whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())
