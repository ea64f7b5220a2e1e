from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.fields import KeyField, Words, fold
from console.numbers import Series
from console.tenancy import TenantModel, TenantQuerySet
from customers.models import Customer
from devices.models import Device, Product


class ShipmentState(Words):
    OPEN = "open", _("Packing")
    SHIPPING = "shipping", _("Being shipped")
    SENT = "sent", _("Awaiting claim")
    SHIPPED = "shipped", _("Shipped")
    CANCELLED = "cancelled", _("Cancelled")


class Shipment(TenantModel):
    """Devices packed under one order for one customer. A scan reserves a device; *ship* assigns all at one instant.

    A shipment that is claimed by code is *sent* instead: its devices stay reserved until the customer claims the whole
    box with the code on the packing list. `number` counts the organization's shipments. `unit_count` is a copy of the
    number of packed devices, updated in the same transaction. While `state` is *being shipped*, nothing can be packed
    or taken out.
    """

    NUMBERS = Series("S")

    number = models.PositiveIntegerField(editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="shipments", verbose_name=_("Customer"))
    order_number = models.CharField(_("Order number"), max_length=60, blank=True)
    order_key = KeyField(max_length=60, blank=True)
    ship_to = models.TextField(
        _("Ship to"), max_length=400, blank=True, help_text=_("Address and notes for the carrier.")
    )
    state = models.CharField(
        max_length=10, choices=ShipmentState.get_choices, default=ShipmentState.OPEN, editable=False
    )
    tells_customer = models.BooleanField(_("Email the customer when it is shipped"), default=False)
    is_claimed_by_code = models.BooleanField(
        _("The customer claims the box with a code on the packing list"),
        default=False,
        help_text=_(
            "The devices stay reserved until then. Otherwise they belong to the customer as soon as they are shipped."
        ),
    )
    # The profile of the one code for the whole box.
    profile = models.OneToOneField(
        "claims.ClaimProfile", models.PROTECT, null=True, editable=False, related_name="shipment"
    )
    operation = models.ForeignKey("console.Operation", models.PROTECT, null=True, editable=False, related_name="+")
    unit_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=200, editable=False)
    shipped_at = models.DateTimeField(null=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="shipment_number_unique"),
            models.CheckConstraint(
                condition=Q(state__in=["sent", "shipped"], shipped_at__isnull=False)
                | (~Q(state__in=["sent", "shipped"]) & Q(shipped_at__isnull=True)),
                name="shipment_gone_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="shipment_by_age"),
            models.Index(fields=["organization", "state", "-id"], name="shipment_by_state"),
            models.Index(fields=["customer", "-id"], name="shipment_by_customer"),
            models.Index(fields=["organization", "order_key", "id"], name="shipment_by_order"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def code(self) -> str:
        """The number as people write it: S-00017."""
        return self.NUMBERS.code(self.number)

    @property
    def is_open(self) -> bool:
        """Whether devices can be packed and taken out."""
        return self.state == ShipmentState.OPEN

    @property
    def is_sent(self) -> bool:
        """Whether it has left and waits for the customer to claim it."""
        return self.state == ShipmentState.SENT

    def get_absolute_url(self) -> str:
        return reverse("claims:shipment_detail", args=[self.pk])

    def set_keys(self) -> None:
        """Update the folded copy of the order number."""
        self.order_key = fold(self.order_number)[:60]


class ShipmentLine(models.Model):
    """How many devices of a product were ordered."""

    shipment = models.ForeignKey(Shipment, models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, models.PROTECT, related_name="+")
    expected = models.PositiveIntegerField(_("Expected"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shipment", "product"], name="shipment_line_once_each_product"),
            models.CheckConstraint(condition=Q(expected__gt=0), name="shipment_line_expects_something"),
        ]

    def __str__(self) -> str:
        return f"{self.expected} × {self.product}"


class ShipmentUnit(models.Model):
    """A device in a shipment. `is_open`: it is packed and not yet shipped, which holds in one shipment at most.

    A device that its customer claimed before the shipment ended is no longer open, and names the claim.
    """

    shipment = models.ForeignKey(Shipment, models.PROTECT, related_name="units")
    device = models.ForeignKey(Device, models.PROTECT, related_name="shipment_units")
    is_open = models.BooleanField(default=True)
    packed_at = models.DateTimeField(default=timezone.now)
    packed_by = models.CharField(max_length=200)
    packed_by_user = models.ForeignKey("console.User", models.PROTECT, null=True, related_name="+")
    claim = models.ForeignKey("claims.Claim", models.PROTECT, null=True, related_name="shipment_units")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(claim=None) | Q(is_open=False), name="shipment_unit_claimed_is_not_open"
            ),
            models.UniqueConstraint(fields=["shipment", "device"], name="shipment_unit_once"),
            models.UniqueConstraint(fields=["device"], condition=Q(is_open=True), name="shipment_unit_in_one_open"),
        ]
        indexes = [models.Index(fields=["shipment", "-id"], name="shipment_unit_newest")]

    def __str__(self) -> str:
        return f"{self.shipment_id} {self.device_id}"


class ShipmentScan(models.Model):
    """A scan that packed something, by the id from its workbench: a scan that is sent again gets the same answers."""

    shipment = models.ForeignKey(Shipment, models.PROTECT, related_name="scans")
    token = models.CharField(max_length=36)
    answers = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shipment", "token"], name="shipment_scan_once")]
        indexes = [models.Index(fields=["at"], name="shipment_scan_by_age")]

    def __str__(self) -> str:
        return f"{self.shipment_id} {self.token}"
