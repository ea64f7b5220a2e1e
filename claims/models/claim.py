from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from claims.models.claim_code import ClaimCode
from claims.models.claim_profile import ClaimProfile
from console.access import Actor
from console.tenancy import TenantModel, TenantQuerySet
from customers.models import Customer, Project, ProjectMember

# How many things that a claim gave are named in one line.
SHOWN = 2


class ClaimQuerySet(TenantQuerySet["Claim"]):
    def for_customer(self, actor: Actor) -> "ClaimQuerySet":
        """Return the claims of the user's customers, and those into visible projects since the user joined them."""
        mine = Q(customer__in=actor.customers)
        if actor.projects:
            member = ProjectMember.objects.of(actor).filter(project=OuterRef("project"), started_at__lte=OuterRef("at"))
            mine |= Q(Exists(member))
        return self.filter(mine)

    def of_current_codes(self) -> "ClaimQuerySet":
        """Return the claims whose code is still current: the device has not come back since."""
        return self.filter(code_version=F("code__version"))


class Claim(TenantModel):
    """One redemption of a claim profile."""

    profile = models.ForeignKey(ClaimProfile, models.PROTECT, related_name="claims")
    code = models.ForeignKey(ClaimCode, models.PROTECT, related_name="claims")
    # The version of the code that was redeemed. It is raised when the device comes back, which can then be claimed
    # again.
    code_version = models.PositiveIntegerField()
    is_unit = models.BooleanField()
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="claims")
    user = models.ForeignKey("console.User", models.PROTECT, related_name="+")
    project = models.ForeignKey(Project, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)
    # [{"kind": "device", "id": 1, "label": "AQM26-…"}, {"kind": "document", "title": …, "link": …}]
    given = models.JSONField(default=list)
    answers = models.JSONField(default=dict)

    objects: ClassVar = ClaimQuerySet.as_manager()

    # Set for a page of a list: the questions and their answers.
    replies: list[tuple[str, str]]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["profile", "customer"], condition=Q(is_unit=False), name="claim_once_each_customer"
            ),
            models.UniqueConstraint(
                fields=["code", "code_version", "customer"], condition=Q(is_unit=True), name="claim_once_each_version"
            ),
        ]
        indexes = [
            models.Index(fields=["profile", "-id"], name="claim_by_profile"),
            models.Index(fields=["profile", "at"], name="claim_by_profile_day"),
            models.Index(fields=["organization", "-id"], name="claim_by_organization"),
            models.Index(fields=["organization", "at"], name="claim_by_day"),
            models.Index(fields=["customer", "-id"], name="claim_by_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.profile} · {self.customer}"

    @property
    def given_shown(self) -> list[dict[str, Any]]:
        """Return the first devices that it gave, or documents if it gave no device, each with its `text`."""
        devices = [thing for thing in self.given if thing["kind"] == "device"]
        first = (devices or self.given)[:SHOWN]
        return [{**thing, "text": thing.get("label") or thing.get("title", "")} for thing in first]

    @property
    def given_more(self) -> int:
        """Return how many things it gave besides those that are shown."""
        return len(self.given) - len(self.given_shown)
