from typing import ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import Actor
from console.fields import KeyField, Words, fold
from console.numbers import Series
from console.tenancy import TenantModel, TenantQuerySet
from customers.models import Customer
from devices.models import Device, Ownership


class ReturnState(Words):
    REQUESTED = "requested", _("Requested")
    RECEIVED = "received", _("Received")
    INSPECTED = "inspected", _("Inspected")
    RESTOCKED = "restocked", _("Restocked")
    REFURBISHED = "refurbished", _("Refurbished")
    SCRAPPED = "scrapped", _("Scrapped")
    CANCELLED = "cancelled", _("Cancelled")


# The states of a return that still needs work.
UNDER_WAY = (ReturnState.REQUESTED, ReturnState.RECEIVED, ReturnState.INSPECTED)


class Grade(Words):
    NEW = "a", _("A: as new")
    USED = "b", _("B: used, works")
    WORN = "c", _("C: worn or marked, works")
    PARTS = "d", _("D: for parts")


class ReturnReason(TenantModel):
    """A reason for returns, in the organization's words. Archived ones are no longer offered."""

    name = models.CharField(_("Reason"), max_length=80)
    name_key = KeyField(max_length=80)
    position = models.PositiveIntegerField(default=0)
    is_for_customers = models.BooleanField(_("Offered to customers"), default=True)
    archived_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name_key"],
                name="return_reason_unique",
                violation_error_message=_("This reason already exists."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def set_keys(self) -> None:
        """Update the folded copy of the name."""
        self.name_key = fold(self.name)[:80]


class ReturnCheck(TenantModel):
    """A point of the organization's checklist for inspecting returned devices."""

    text = models.CharField(_("Check"), max_length=160)
    position = models.PositiveIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return self.text


class ReturnSettings(TenantModel):
    """What customers who return a device are shown: the address and other instructions. Nothing without a row."""

    organization = models.OneToOneField(
        "console.Organization", models.PROTECT, primary_key=True, related_name="return_settings"
    )
    address = models.TextField(_("Return address"), max_length=400, blank=True)
    note = models.TextField(_("Note on the slip"), max_length=400, blank=True)

    def __str__(self) -> str:
        return f"Returns of {self.organization_id}"


class ReturnQuerySet(TenantQuerySet["Return"]):
    def for_customer(self, actor: Actor) -> Self:
        """Return the returns of the user's customers, and those from visible projects since the user joined them."""
        mine = Q(customer__in=actor.customers)
        if actor.projects:
            begun = OuterRef("created_at")
            spans = Ownership.objects.reached_by(actor, OuterRef(OuterRef("created_at"))).filter(
                Q(ended_at=None) | Q(ended_at__gte=begun),
                device=OuterRef("device"),
                customer=OuterRef("customer"),
                started_at__lte=begun,
            )
            mine |= Q(Exists(spans))
        return self.filter(mine)

    def under_way(self) -> Self:
        """Return those that still need work."""
        return self.filter(state__in=UNDER_WAY)


class Return(TenantModel):
    """A device coming back: requested, received, inspected, then restocked, refurbished or scrapped.

    `number` counts the organization's returns. Owner, shipment and the wording of the reason are copied, so that they
    do not change later. From *received* on, the device is in quarantine.
    """

    NUMBERS = Series("R")

    number = models.PositiveIntegerField(editable=False)
    device = models.ForeignKey(Device, models.PROTECT, related_name="returns")
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="returns")
    shipment = models.ForeignKey("claims.Shipment", models.PROTECT, null=True, related_name="returns")
    state = models.CharField(max_length=12, choices=ReturnState.get_choices)
    reason = models.CharField(_("Reason"), max_length=80, blank=True)
    note = models.TextField(_("Note"), max_length=1000, blank=True)
    customer_note = models.TextField(_("Note"), max_length=1000, blank=True)
    requested_at = models.DateTimeField(null=True)
    requested_by = models.CharField(max_length=200, blank=True)
    received_at = models.DateTimeField(null=True)
    received_by = models.CharField(max_length=200, blank=True)
    inspected_at = models.DateTimeField(null=True)
    inspected_by = models.CharField(max_length=200, blank=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=200, blank=True)
    # [{"text": "Housing whole", "is_ok": true}, …], with the checklist as it was on that day.
    checks = models.JSONField(default=list)
    grade = models.CharField(_("Grade"), max_length=1, choices=Grade.get_choices, blank=True)
    # The device's status when it was received, restored by the undo.
    status_before = models.CharField(max_length=10, blank=True)
    # Whether the device still carries the label that became invalid on receipt; see the reprint queue.
    needs_label = models.BooleanField(default=False)
    operation = models.ForeignKey("console.Operation", models.PROTECT, null=True, editable=False, related_name="+")
    # The last inspection, and the values of the return before it, which the undo restores.
    inspection = models.ForeignKey("console.Operation", models.PROTECT, null=True, editable=False, related_name="+")
    before = models.JSONField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar = ReturnQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="return_number_unique"),
            models.UniqueConstraint(
                fields=["device"],
                condition=Q(state__in=["requested", "received", "inspected"]),
                name="return_one_under_way",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="return_by_age"),
            models.Index(fields=["organization", "state", "-id"], name="return_by_state"),
            models.Index(fields=["customer", "-id"], name="return_by_customer"),
            models.Index(fields=["shipment"], name="return_by_shipment"),
            models.Index(fields=["organization", "reason", "-id"], name="return_by_reason"),
            models.Index(
                fields=["organization", "-id"],
                name="return_under_way",
                condition=Q(state__in=["requested", "received", "inspected"]),
            ),
            models.Index(fields=["organization", "-id"], name="return_needs_label", condition=Q(needs_label=True)),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def code(self) -> str:
        """The number as people write it and as the slip's QR code holds it: R-00017."""
        return self.NUMBERS.code(self.number)

    @property
    def is_over(self) -> bool:
        """Whether the return is closed."""
        return self.state not in UNDER_WAY

    def get_absolute_url(self) -> str:
        return reverse("claims:return_detail", args=[self.pk])
