from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from console.access import Actor
from console.constraints import NoOverlap
from console.tenancy import TenantModel, TenantQuerySet
from devices.models.device import Device


class StartReason(models.TextChoices):
    CLAIM = "claim", _("Claim")
    ASSIGNMENT = "assignment", _("Assignment")
    SHIPMENT = "shipment", _("Shipment")
    TRANSFER = "transfer", _("Transfer")
    GROUP = "group", _("Group")
    IMPORT = "import", _("Import")
    API = "api", _("API")

    @classmethod
    def get_choices(cls) -> list:
        """The choices, for model fields."""
        return cls.choices


class EndReason(models.TextChoices):
    UNCLAIM = "unclaim", _("Unclaimed")
    RETURN = "return", _("Return")
    TRANSFER = "transfer", _("Transfer")
    GROUP = "group", _("Group")
    API = "api", _("API")
    CORRECTION = "correction", _("Correction")

    @classmethod
    def get_choices(cls) -> list:
        """The choices, for model fields."""
        return cls.choices


class SpanQuerySet(TenantQuerySet):
    def open(self) -> Self:
        """The spans that go on."""
        return self.filter(ended_at=None)

    def covering(self, at: models.Expression | object) -> Self:
        """The spans that hold the instant `at`: the one of a handover belongs to the new owner alone."""
        return self.filter(Q(ended_at=None) | Q(ended_at__gt=at), started_at__lte=at)

    def reached_by(self, actor: Actor) -> Self:
        """The spans of the person's customers, and those in a project that he reaches as an additional member."""
        return self.filter(Q(customer__in=actor.customers) | Q(project__in=actor.projects))

    def for_customer(self, actor: Actor) -> Self:
        return self.reached_by(actor)


class Span(TenantModel):
    """One device, one customer, from `started_at` on and before `ended_at`.

    It is never edited but to be closed, and opened again where the unclaim that closed it is undone.
    """

    device = models.ForeignKey(Device, models.PROTECT, related_name="%(class)s_spans")
    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="%(class)s_spans")
    project = models.ForeignKey("customers.Project", models.PROTECT, related_name="%(class)s_spans")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    start_reason = models.CharField(max_length=12, choices=StartReason.get_choices)
    end_reason = models.CharField(max_length=12, choices=EndReason.get_choices, null=True, blank=True)
    # Who did it, and on what evidence: "claim:17", "shipment:4". The note is what the person gave as the reason.
    started_by = models.CharField(max_length=200)
    ended_by = models.CharField(max_length=200, blank=True)
    start_evidence = models.CharField(max_length=60, blank=True)
    end_evidence = models.CharField(max_length=60, blank=True)
    start_note = models.CharField(max_length=500, blank=True)
    end_note = models.CharField(max_length=500, blank=True)

    objects: ClassVar = SpanQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=Q(ended_at__isnull=True) | Q(ended_at__gt=F("started_at")),
                                   name="%(class)s_ends_after_start"),
            models.CheckConstraint(condition=Q(ended_at__isnull=True, end_reason__isnull=True)
                                   | Q(ended_at__isnull=False, end_reason__isnull=False),
                                   name="%(class)s_end_with_reason"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.device} · {self.customer}"


class Ownership(Span):
    """Who owned a device from when to when. It alone decides who may read the device's data."""

    class Meta(Span.Meta):
        abstract = False
        constraints = [
            *Span.Meta.constraints,
            models.UniqueConstraint(
                fields=["device"], condition=Q(ended_at__isnull=True), name="ownership_one_open"
            ),
            NoOverlap(name="ownership_no_overlap", scope="device", start="started_at", end="ended_at"),
        ]
        indexes = [
            models.Index(fields=["customer", "-started_at"], name="ownership_by_customer"),
            models.Index(
                fields=["customer", "-started_at", "-id"],
                name="ownership_past_by_customer",
                condition=Q(ended_at__isnull=False),
            ),
            models.Index(fields=["organization", "-id"], name="ownership_by_organization"),
        ]


class SharedAccess(Span):
    """Who may see a device without owning it, from when to when."""

    class Meta(Span.Meta):
        abstract = False
        constraints = [
            *Span.Meta.constraints,
            models.UniqueConstraint(fields=["device", "project"], condition=Q(ended_at__isnull=True),
                                    name="sharedaccess_one_open_each"),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["customer", "-started_at"], name="sharedaccess_by_customer"),
            models.Index(fields=["project"], name="sharedaccess_open", condition=Q(ended_at__isnull=True)),
        ]
