from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.fields import KeyField, fold


def is_set_up() -> bool:
    """Return whether an organization exists."""
    return Organization.objects.exists()


class Organization(models.Model):
    """The company that runs products on this server."""

    name = models.CharField(_("Name"), max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    time_zone = models.CharField(_("Time zone"), max_length=64, default="UTC")
    requires_second_factor = models.BooleanField(_("Require two-factor authentication"), default=True)
    brand_name = models.CharField(_("Brand name"), max_length=120, blank=True)
    support_email = models.EmailField(_("Support email"), blank=True)
    support_phone = models.CharField(_("Support phone"), max_length=40, blank=True)
    support_note = models.CharField(_("Support note"), max_length=200, blank=True)
    # Vendors in some countries must show both.
    imprint_url = models.URLField(_("Imprint"), max_length=300, blank=True)
    privacy_url = models.URLField(_("Privacy policy"), max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=~models.Q(name=""), name="organization_name_not_empty")]

    def __str__(self) -> str:
        return self.name

    @property
    def brand(self) -> str:
        """The name that customers see."""
        return self.brand_name or self.name


class OrganizationDomain(models.Model):
    """A host name that claim links of this organization may carry. Compared exactly, in lower case."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="domains")
    host = KeyField(max_length=253)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["host"],
                name="organization_domain_unique",
                violation_error_message=_("This domain is already registered."),
            )
        ]

    def __str__(self) -> str:
        return self.host

    def clean(self) -> None:
        self.host = fold(self.host)


class OrganizationLogo(models.Model):
    """The logo that customers see: a small PNG, redrawn from what was uploaded."""

    organization = models.OneToOneField(Organization, models.CASCADE, primary_key=True, related_name="logo")
    png = models.BinaryField()
    changed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Logo of {self.organization_id}"
