from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import Actor
from console.constraints import Undeletable
from console.fields import Words
from console.tenancy import TenantModel, TenantQuerySet
from customers.models.customer import Customer
from customers.models.project import Project


class CustomerRole(Words):
    ADMIN = "admin", _("Admin")
    OPERATOR = "operator", _("Operator")
    VIEWER = "viewer", _("Viewer")


class CustomerUser(TenantModel):
    """A person of a customer. As such they have no access to the console."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="people")
    user = models.ForeignKey("console.User", models.PROTECT, related_name="customer_users")
    role = models.CharField(_("Role"), max_length=10, choices=CustomerRole.get_choices, default=CustomerRole.ADMIN)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "user"],
                name="customer_user_unique",
                violation_error_message=_("This person already belongs to the customer."),
            )
        ]
        indexes = [models.Index(fields=["user", "removed_at"], name="customer_user_by_user")]

    def __str__(self) -> str:
        return str(self.user)


class MemberStart(Words):
    CLAIM = "claim", _("Claim")


class MemberEnd(Words):
    ENDED = "ended", _("Ended")
    LEFT = "left", _("Left the organization")
    REMOVED = "removed", _("Removed from the customer")
    PROFILE = "profile", _("Removed from the claim profile")


class ProjectMemberQuerySet(TenantQuerySet["ProjectMember"]):
    def open(self) -> Self:
        """Return the memberships that have not ended."""
        return self.filter(ended_at=None)

    def of(self, actor: Actor) -> Self:
        """Return the person's open memberships, read now rather than when the request began."""
        return self.open().filter(user=actor.user_id)

    def for_customer(self, actor: Actor) -> Self:
        """Return the memberships of the projects that the person can reach."""
        return self.filter(Q(project__customer__in=actor.customers) | Q(project__in=actor.projects))


class ProjectMember(TenantModel):
    """A person from outside the customer who sees one project from `started_at` until just before `ended_at`.

    A membership is never edited except to end it, and never deleted. A person who comes back gets a new one.
    """

    project = models.ForeignKey(Project, models.PROTECT, related_name="members")
    user = models.ForeignKey("console.User", models.PROTECT, related_name="project_members")
    role = models.CharField(_("Role"), max_length=10, choices=CustomerRole.get_choices)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    start_reason = models.CharField(max_length=12, choices=MemberStart.get_choices, default=MemberStart.CLAIM)
    end_reason = models.CharField(max_length=12, choices=MemberEnd.get_choices, null=True, blank=True)
    # Who gave them access, and the evidence for it, such as "claim:17". The note of the start is the claim profile's
    # name at that time; the note of the end is the reason given.
    started_by = models.CharField(max_length=200, blank=True)
    start_evidence = models.CharField(max_length=60, blank=True)
    start_note = models.CharField(max_length=500, blank=True)
    ended_by = models.CharField(max_length=200, blank=True)
    end_note = models.CharField(max_length=500, blank=True)

    objects: ClassVar = ProjectMemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "user"], condition=Q(ended_at__isnull=True), name="project_member_one_open"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=F("started_at")),
                name="project_member_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end_reason__isnull=True)
                | Q(ended_at__isnull=False, end_reason__isnull=False),
                name="project_member_end_with_reason",
            ),
            Undeletable(name="project_member_undeletable"),
        ]

    def __str__(self) -> str:
        return str(self.user)
