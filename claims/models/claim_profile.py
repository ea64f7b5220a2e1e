from typing import ClassVar, Self

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.fields import KeyField, Words, fold
from console.models import Member, OrganizationDomain
from console.tenancy import TenantModel, TenantQuerySet
from customers.models import CustomerKind, CustomerRole, Project
from devices.models import Device, DeviceStatus, Product


class Scope(Words):
    LINK = "link", _("One shared code")
    UNIT = "unit", _("One code per device")


class Grant(Words):
    OWNERSHIP = "ownership", _("Ownership")
    ACCESS = "access", _("Access")


class ResourceKind(Words):
    DEVICE = "device", _("Device")
    DOCUMENT = "document", _("Document")


class State(Words):
    """Whether a profile can be claimed now, and if not, why.

    *Blocked*: the profile's only code gives devices, and one of them can't be given; a claim gives everything or
    nothing. *Empty*: the profile's only code gives nothing.
    """

    ENABLED = "enabled", _("Enabled")
    EMPTY = "empty", _("Nothing to claim")
    BLOCKED = "blocked", _("Can’t be claimed")
    DISABLED = "disabled", _("Disabled")
    USED_UP = "used_up", _("Used up")
    EXPIRED = "expired", _("Expired")
    NOT_YET = "not_yet", _("Not yet")


class ClaimProfileQuerySet(TenantQuerySet["ClaimProfile"]):
    def with_state(self) -> Self:
        """Add `is_blocked` and `is_empty`, which `state` needs beyond the profile's own row."""
        things = ClaimProfileResource.objects.filter(profile=OuterRef("pk"))
        listed = things.filter(device__isnull=False)
        gone = Q(device__archived_at__isnull=False) | Q(device__status=DeviceStatus.SCRAPPED)
        is_given = Q(device__status__in=(DeviceStatus.OWNED, DeviceStatus.RETURNED))
        is_kept = Q(device__customer__isnull=True) | Q(device__customer__kind=CustomerKind.INTERNAL)
        return self.annotate(
            is_blocked=Case(
                When(~Q(scope=Scope.LINK), then=Value(False)),
                When(Q(grant=Grant.OWNERSHIP), then=Exists(listed.filter(gone | is_given))),
                default=Exists(listed.filter(gone | ~is_kept)),
                output_field=models.BooleanField(),
            ),
            is_empty=Case(
                When(Q(scope=Scope.UNIT) | Q(shipment__isnull=False), then=Value(False)),
                default=~Exists(things),
                output_field=models.BooleanField(),
            ),
        )


class ClaimProfile(TenantModel):
    """A named offer that can be switched on and off: what redeeming its code gives to a customer, and how often.

    With scope *link*, one code gives the listed resources. With scope *unit*, each device of the product (or of a
    selection) has its own code, which gives that device and the listed documents.
    """

    slug = models.SlugField(_("Identifier"), max_length=60, help_text=_("A short name for your own use and the API."))
    name = models.CharField(_("Name"), max_length=120)
    name_key = KeyField()
    description = models.TextField(
        _("Description"), max_length=400, blank=True, help_text=_("Customers read this before they claim.")
    )
    scope = models.CharField(_("Codes"), max_length=8, choices=Scope.get_choices, default=Scope.LINK)
    grant = models.CharField(_("Grants"), max_length=10, choices=Grant.get_choices, default=Grant.OWNERSHIP)
    product = models.ForeignKey(
        Product,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="claim_profiles",
        verbose_name=_("Product"),
        help_text=_("Every device of the product gets a code, including those registered later."),
    )
    is_enabled = models.BooleanField(_("Enabled"), default=True)
    max_claims = models.PositiveIntegerField(
        _("Max claims"),
        null=True,
        blank=True,
        help_text=_("How often it can be claimed. Leave empty (or 0) for no limit."),
    )
    claim_count = models.PositiveIntegerField(default=0, editable=False)
    valid_from = models.DateTimeField(_("Valid from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("Valid until"), null=True, blank=True)
    domain = models.ForeignKey(
        OrganizationDomain,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Claim domain"),
        help_text=_("The codes only work there. Leave empty to allow any address of this server."),
    )
    additional_project = models.ForeignKey(
        Project,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Additional project"),
        help_text=_("One of your internal projects, which also gets access to every claimed device."),
    )
    # [{"name": "site", "label": "Site name", "required": true}, …]. Asked before the claim; the answers are stored with
    # the claim.
    form = models.JSONField(_("Short form"), default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_claimed_at = models.DateTimeField(null=True, editable=False)
    # Raised by every change, so that conflicting edits are detected.
    version = models.PositiveIntegerField(default=1, editable=False)

    objects: ClassVar = ClaimProfileQuerySet.as_manager()

    # Set by `with_state`.
    is_blocked = is_empty = False

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "slug"],
                name="claim_profile_slug_unique",
                violation_error_message=_("Another claim profile has this identifier."),
            ),
            models.CheckConstraint(
                condition=Q(max_claims__isnull=True) | Q(claim_count__lte=F("max_claims")),
                name="claim_profile_within_limit",
                violation_error_message=_("It has already been claimed more often than that."),
            ),
            models.CheckConstraint(
                condition=Q(max_claims__isnull=True) | Q(max_claims__gt=0), name="claim_profile_limit_positive"
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="claim_profile_window",
                violation_error_message=_("The end must be after the start."),
            ),
            models.CheckConstraint(
                condition=Q(product__isnull=True) | Q(scope="unit"), name="claim_profile_product_with_unit"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "name_key", "id"], name="claim_profile_by_name"),
            models.Index(fields=["organization", "-id"], name="claim_profile_by_age"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("claims:claim_profile_detail", args=[self.pk])

    @property
    def state(self) -> State:
        """Whether the profile can be claimed now, or the first reason why it can't."""
        now = timezone.now()
        if not self.is_enabled:
            return State.DISABLED
        if self.valid_until and now >= self.valid_until:
            return State.EXPIRED
        if self.valid_from and now < self.valid_from:
            return State.NOT_YET
        if self.max_claims is not None and self.claim_count >= self.max_claims:
            return State.USED_UP
        if self.is_empty:
            return State.EMPTY
        return State.BLOCKED if self.is_blocked else State.ENABLED

    def set_keys(self) -> None:
        """Update the folded copy of the name."""
        self.name_key = fold(self.name)[:200]


class ClaimProfileResource(models.Model):
    """One thing that a claim gives: a device, or a document by title and link. A claim creates none of them."""

    profile = models.ForeignKey(ClaimProfile, models.CASCADE, related_name="resources")
    kind = models.CharField(max_length=10, choices=ResourceKind.get_choices)
    device = models.ForeignKey(Device, models.PROTECT, null=True, blank=True, related_name="+")
    title = models.CharField(_("Title"), max_length=120, blank=True)
    link = models.URLField(_("Link"), max_length=500, blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["profile", "device"], condition=Q(device__isnull=False), name="claim_profile_device_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="device", device__isnull=False, link="")
                | (~Q(kind="device") & Q(device__isnull=True)),
                name="claim_profile_resource_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.device)


class ClaimProfileMember(models.Model):
    """A member of the organization who gets access to the claimant's project, with a role there."""

    profile = models.ForeignKey(ClaimProfile, models.CASCADE, related_name="members")
    member = models.ForeignKey(Member, models.PROTECT, related_name="+")
    role = models.CharField(_("Role"), max_length=10, choices=CustomerRole.get_choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "member"], name="claim_profile_member_once")]

    def __str__(self) -> str:
        return str(self.member)
