from typing import ClassVar

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from claims.models.claim_code import ClaimCode
from claims.models.claim_profile import ClaimProfile
from console.access import Actor
from console.tenancy import TenantModel, TenantQuerySet
from customers.models import Customer, Project, ProjectMember

# So many things that a claim gave are named in a line.
SHOWN = 2


class ClaimQuerySet(TenantQuerySet):
    def for_customer(self, actor: Actor) -> "ClaimQuerySet":
        """The claims of the person's customers, and those into the projects that they see, since they see them."""
        mine = Q(customer__in=actor.customers)
        if actor.projects:
            member = ProjectMember.objects.of(actor).filter(project=OuterRef("project"), started_at__lte=OuterRef("at"))
            mine |= Q(Exists(member))
        return self.filter(mine)

    def of_current_codes(self) -> "ClaimQuerySet":
        """The claims whose label still is the one that was redeemed: the unit did not come back since."""
        return self.filter(code_version=F("code__version"))


class Claim(TenantModel):
    """One execution of a profile."""

    profile = models.ForeignKey(ClaimProfile, models.PROTECT, related_name="claims")
    code = models.ForeignKey(ClaimCode, models.PROTECT, related_name="claims")
    # The version of the code that was redeemed: it is raised when the unit comes back, and can then be
    # claimed anew.
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

    # Set for a page of a list: what was asked, and what was answered.
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
    def given_shown(self) -> list[dict]:
        """The first devices that it gave, or documents where there is none, each with its `text`."""
        devices = [thing for thing in self.given if thing["kind"] == "device"]
        first = (devices or self.given)[:SHOWN]
        return [{**thing, "text": thing.get("label") or thing.get("title", "")} for thing in first]

    @property
    def given_more(self) -> int:
        """How many things it gave besides those that are shown."""
        return len(self.given) - len(self.given_shown)
