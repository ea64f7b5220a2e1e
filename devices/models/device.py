from typing import ClassVar, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import Actor
from console.fields import KeyField, Words, fold
from console.sql import Joined
from console.tenancy import TenantModel, TenantQuerySet
from customers.models import CustomerKind, ProjectMember
from devices.fields import FIELDS
from devices.models.ownership import Ownership, SharedAccess
from devices.models.product import Product
from devices.models.tag import DeviceTag


class DeviceStatus(Words):
    IN_STOCK = "in_stock", _("In stock")
    RESERVED = "reserved", _("Reserved")
    OWNED = "owned", _("Owned")
    RETURNED = "returned", _("Returned")
    SCRAPPED = "scrapped", _("Scrapped")


class DeviceQuerySet(TenantQuerySet["Device"]):
    def for_customer(self, actor: Actor) -> Self:
        """Return the devices that the user's customers own now, and those shared with a project visible to the user."""
        owned, shared = (spans.objects.open().reached_by(actor).values("device") for spans in (Ownership, SharedAccess))
        # One list of ids: with two conditions joined by OR, PostgreSQL would check every device.
        return self.filter(pk__in=owned.union(shared, all=True))

    def current(self) -> Self:
        """Return the devices that are not archived."""
        return self.filter(archived_at=None)

    def operated_by(self, actor: Actor) -> Self:
        """Return the devices the user may call and return: of their customers, or in projects where they operate."""
        mine = Q(customer__in=actor.operates)
        if actor.operates_in:
            # Reads the memberships as they are now, not as they were when the request began.
            projects = ProjectMember.objects.of(actor).filter(project__in=actor.operates_in).values("project")
            within = Ownership.objects.open().filter(project__in=projects, device=OuterRef("pk"))
            mine |= Q(Exists(within))
        return self.filter(mine)

    def given_away(self) -> Self:
        """Return the devices owned by a customer rather than by the organization itself."""
        return self.filter(customer__isnull=False).exclude(customer__kind=CustomerKind.INTERNAL)

    def with_what_it_has(self) -> Self:
        """Add `has_tags` and `is_shared`, so that tags and shares are read only for the few devices that have any."""
        tags = DeviceTag.objects.filter(device=OuterRef("pk"))
        shares = SharedAccess.objects.open().filter(device=OuterRef("pk"))
        return self.annotate(has_tags=Exists(tags), is_shared=Exists(shares))

    def listed(self) -> Self:
        """Load only what a row of a list shows. `since` is when the current ownership began."""
        began = Ownership.objects.open().filter(device=OuterRef("pk")).values("started_at")[:1]
        names = DeviceTag.objects.filter(device=OuterRef("pk")).order_by().values("device")
        tags = names.annotate(joined=Joined("tag__name")).values("joined")
        return (
            self.annotate(since=Subquery(began), joined_tags=Subquery(tags))
            .select_related("product", "customer")
            .only(
                *(name for field in FIELDS if field.is_listed and field.column is not None for name in field.columns),
                "device_name",
                "name_key",
                "status",
                "archived_at",
                "created_at",
                "product__name",
                "customer__name",
            )
        )


class Device(TenantModel):
    """A device of a product, and who owns it now.

    `customer` is the current owner, a copy of the open ownership. Only `devices.ledger` writes it and `status`. The
    keys are the folded identifiers, which are unique and by which devices are ordered and found.
    """

    product = models.ForeignKey(Product, models.PROTECT, related_name="devices", verbose_name=_("Product"))
    serial_number = models.CharField(_("Serial number"), max_length=64)
    serial_key = KeyField(max_length=64)
    device_name = models.CharField(
        _("Device name"), max_length=64, help_text=_("The factory identifier: 6 to 64 letters, digits, - or _.")
    )
    name_key = KeyField(max_length=64)
    imei = models.CharField("IMEI", max_length=15, blank=True)
    iccid = models.CharField("ICCID", max_length=20, blank=True)
    mac = models.CharField("MAC", max_length=23, blank=True)
    hardware_revision = models.CharField(_("Hardware revision"), max_length=40, blank=True)
    manufactured_on = models.DateField(_("Manufactured on"), null=True, blank=True)
    secret_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    status = models.CharField(
        _("Status"), max_length=10, choices=DeviceStatus.get_choices, default=DeviceStatus.IN_STOCK, editable=False
    )
    customer = models.ForeignKey(
        "customers.Customer",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="devices",
        verbose_name=_("Owner"),
    )
    is_development = models.BooleanField(
        _("Development device"),
        default=False,
        help_text=_("For your own engineers. Gets no automatic firmware updates."),
    )
    notes = models.TextField(_("Notes"), max_length=2000, blank=True)
    # The newest wipe request, which the device confirms, and the oldest that is not confirmed. The ownerships that
    # ended since the oldest say whose data may still be on the device. Written by the ledger.
    wipe_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    wipe_since = models.DateTimeField(null=True, blank=True, editable=False)
    wipe_confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("Registered"), default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar = DeviceQuerySet.as_manager()

    # Set by `with_what_it_has`.
    has_tags: bool
    is_shared: bool

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["product", "serial_key"],
                name="device_serial_unique",
                violation_error_message=_("This serial number is already registered."),
            ),
            models.UniqueConstraint(
                fields=["organization", "name_key"],
                name="device_name_unique",
                violation_error_message=_("This device name is already registered."),
            ),
            models.UniqueConstraint(
                fields=["organization", "iccid"],
                name="device_iccid_unique",
                condition=~Q(iccid=""),
                violation_error_message=_("This ICCID is already registered."),
            ),
            models.UniqueConstraint(
                fields=["organization", "mac"],
                name="device_mac_unique",
                condition=~Q(mac=""),
                violation_error_message=_("This MAC is already registered."),
            ),
            models.CheckConstraint(
                condition=Q(status="owned", customer__isnull=False) | (~Q(status="owned") & Q(customer__isnull=True)),
                name="device_owned_has_owner",
            ),
            models.CheckConstraint(
                condition=Q(archived_at__isnull=True) | Q(customer__isnull=True), name="device_archived_unowned"
            ),
            # Wipe pending since, or confirmed, or never requested.
            models.CheckConstraint(
                condition=Q(
                    wipe_asked_at__isnull=False,
                    wipe_confirmed_at__isnull=True,
                    wipe_since__isnull=False,
                    wipe_since__lte=F("wipe_asked_at"),
                )
                | Q(wipe_asked_at__isnull=False, wipe_confirmed_at__isnull=False, wipe_since__isnull=True)
                | Q(wipe_asked_at__isnull=True, wipe_confirmed_at__isnull=True, wipe_since__isnull=True),
                name="device_wipe_is_one_of_three",
            ),
        ]
        # One index for each filter of the list in each of its orders. None of them contains archived devices.
        indexes = [
            models.Index(
                fields=["organization", "serial_key", "id"],
                name="device_by_serial",
                condition=Q(archived_at__isnull=True),
            ),
            models.Index(fields=["organization", "-id"], name="device_by_age", condition=Q(archived_at__isnull=True)),
            models.Index(
                fields=["organization", "product", "status", "serial_key", "id"],
                name="device_by_product_status",
                condition=Q(archived_at__isnull=True),
            ),
            models.Index(
                fields=["organization", "status", "serial_key", "id"],
                name="device_by_status",
                condition=Q(archived_at__isnull=True),
            ),
            models.Index(
                fields=["organization", "customer", "serial_key", "id"],
                name="device_by_customer",
                condition=Q(customer__isnull=False, archived_at__isnull=True),
            ),
            # Not unique: factories do send an IMEI twice, which is theirs to correct and no reason to refuse a device.
            models.Index(fields=["organization", "imei"], name="device_by_imei", condition=~Q(imei="")),
            models.Index(
                fields=["organization", "serial_key", "id"],
                name="device_development",
                condition=Q(is_development=True, archived_at__isnull=True),
            ),
            models.Index(
                fields=["organization", "serial_key", "id"],
                name="device_archived",
                condition=Q(archived_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.serial_number

    def get_absolute_url(self) -> str:
        return reverse("devices:device_detail", args=[self.pk])

    @property
    def tag_names(self) -> list[str]:
        """Return the names of the tags of a device that was loaded by `listed`."""
        joined = getattr(self, "joined_tags", None)
        return sorted(joined.split(Joined.SEPARATOR)) if joined else []

    @property
    def is_kept(self) -> bool:
        """Whether the organization owns the device itself: it has no owner, or an internal account is the owner."""
        return self.customer is None or self.customer.kind == CustomerKind.INTERNAL

    @property
    def serial_tail(self) -> str:
        """Return the last four characters of the serial number, for pages that strangers may see."""
        return self.serial_number[-4:]

    def set_keys(self) -> None:
        """Update the folded copies of the serial number and the device name."""
        self.serial_key, self.name_key = fold(self.serial_number), fold(self.device_name)
