from datetime import UTC, datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from console.access import Actor
from console.constraints import InOrder, NoOverlap, Undeletable
from console.fields import Words
from console.tenancy import Row_co, TenantModel, TenantQuerySet
from customers.models import ProjectMember

# The end of an open span.
NEVER = Value(datetime(9999, 12, 31, tzinfo=UTC), output_field=models.DateTimeField())


class StartReason(Words):
    CLAIM = "claim", _("Claim")
    ASSIGNMENT = "assignment", _("Assignment")
    SHIPMENT = "shipment", _("Shipment")
    TRANSFER = "transfer", _("Transfer")
    GROUP = "group", _("Group")
    IMPORT = "import", _("Import")
    API = "api", _("API")


class EndReason(Words):
    UNCLAIM = "unclaim", _("Unclaimed")
    RETURN = "return", _("Return")
    TRANSFER = "transfer", _("Transfer")
    GROUP = "group", _("Group")
    API = "api", _("API")
    CORRECTION = "correction", _("Correction")
    HANDOVER = "handover", _("Change of hands")
    ENDED = "ended", _("Ended")


class SpanQuerySet(TenantQuerySet[Row_co]):
    def open(self) -> Self:
        """Return the spans that have not ended."""
        return self.filter(ended_at=None)

    def covering(self, at: models.Expression | object) -> Self:
        """Return the spans that contain the instant `at`. The instant of a handover belongs to the new owner alone."""
        return self.filter(Q(ended_at=None) | Q(ended_at__gt=at), started_at__lte=at)

    def reached_by(self, actor: Actor, at: Any = None) -> Self:
        """Return the spans of the user's customers, and those in projects of which the user is a member.

        A member sees what lies in the project during the membership, not what left it before. With `at`, returns only
        the spans by which the user may see that instant: none of those in a project before the membership started.
        """
        mine = Q(customer__in=actor.customers)
        if not actor.projects:
            return self.filter(mine)
        before = Q(started_at__lte=at) if at is not None else Q(started_at__lt=Coalesce(OuterRef("ended_at"), NEVER))
        member = ProjectMember.objects.of(actor).filter(before, project=OuterRef("project"))
        return self.filter(mine | Q(Exists(member), project__in=actor.projects))

    def under_owner(self, actor: Actor) -> Self:
        """Return the spans of devices that the user's customers own now, if they overlap that ownership."""
        owned = Ownership.objects.open().reached_by(actor).filter(device=OuterRef("device"))
        return self.filter(Exists(owned.filter(started_at__lt=Coalesce(OuterRef("ended_at"), NEVER))))

    def for_customer(self, actor: Actor) -> Self:
        return self.reached_by(actor)


class Span(TenantModel):
    """The time for which one customer has one device: from `started_at` on and before `ended_at`.

    A span never changes except to be closed, or to be reopened if the unclaim that closed it is undone.
    """

    device = models.ForeignKey("devices.Device", models.PROTECT, related_name="%(class)s_spans")
    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="%(class)s_spans")
    project = models.ForeignKey("customers.Project", models.PROTECT, related_name="%(class)s_spans")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    start_reason = models.CharField(max_length=12, choices=StartReason.get_choices)
    end_reason = models.CharField(max_length=12, choices=EndReason.get_choices, null=True, blank=True)
    # Who did it, and on what evidence: "claim:17", "shipment:4". The note is the reason that the person entered.
    started_by = models.CharField(max_length=200)
    ended_by = models.CharField(max_length=200, blank=True)
    start_evidence = models.CharField(max_length=60, blank=True)
    end_evidence = models.CharField(max_length=60, blank=True)
    start_note = models.CharField(max_length=500, blank=True)
    end_note = models.CharField(max_length=500, blank=True)

    objects: ClassVar = SpanQuerySet.as_manager()

    # Set when one person reads: the membership by which they see the span, if it belongs to none of their customers.
    member: ProjectMember | None = None

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=F("started_at")), name="%(class)s_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end_reason__isnull=True)
                | Q(ended_at__isnull=False, end_reason__isnull=False),
                name="%(class)s_end_with_reason",
            ),
            Undeletable(name="%(class)s_undeletable"),
        ]

    def __str__(self) -> str:
        return f"{self.device} · {self.customer}"

    @property
    def seen_from(self) -> datetime:
        """Return the time from which on the reader may see the span."""
        return max(self.started_at, self.member.started_at) if self.member else self.started_at


class Ownership(Span):
    """Who owned a device from when to when. Only ownerships decide who may read the device's data.

    `change` grows whenever a span begins, ends or is reopened, so a reader who follows it misses nothing.
    """

    change = models.BigIntegerField(db_default=0, editable=False)

    class Meta(Span.Meta):
        abstract = False
        constraints = [
            *Span.Meta.constraints,
            models.UniqueConstraint(fields=["device"], condition=Q(ended_at__isnull=True), name="ownership_one_open"),
            NoOverlap(name="ownership_no_overlap", scope="device", start="started_at", end="ended_at"),
            InOrder(name="ownership_in_order", column="change", numbers_on="ended_at"),
        ]
        indexes = [
            models.Index(fields=["customer", "-started_at"], name="ownership_by_customer"),
            models.Index(
                fields=["customer", "-started_at", "-id"],
                name="ownership_past_by_customer",
                condition=Q(ended_at__isnull=False),
            ),
            models.Index(fields=["organization", "-id"], name="ownership_by_organization"),
            models.Index(fields=["change"], name="ownership_by_change"),
        ]


class SharedAccess(Span):
    """Who may see a device without owning it, from when to when."""

    class Meta(Span.Meta):
        abstract = False
        constraints = [
            *Span.Meta.constraints,
            models.UniqueConstraint(
                fields=["device", "project"], condition=Q(ended_at__isnull=True), name="sharedaccess_one_open_each"
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-started_at"], name="sharedaccess_by_customer"),
            models.Index(fields=["project"], name="sharedaccess_open", condition=Q(ended_at__isnull=True)),
        ]
