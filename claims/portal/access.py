"""Who sees a project or a device of a customer, and what its admins may end of that."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import CharField, DateTimeField, QuerySet, Value
from django.db.models.functions import Coalesce

from console.access import Actor
from customers.models import CustomerRole, CustomerUser, MemberEnd, Project, ProjectMember
from customers.people import may_end_access
from devices.models import Device, Ownership, SharedAccess

# So many whose access has ended are listed.
PAST = 10


class Row(NamedTuple):
    """A person who sees a project, or saw it: of the customer, or a member from outside."""

    is_member: int
    pk: int
    name: str
    email: str
    role: str
    started_at: datetime
    ended_at: datetime | None
    end_reason: str
    start_note: str

    def __str__(self) -> str:
        return self.name or self.email

    def get_role_display(self) -> str:
        """The role in words."""
        return str(CustomerRole(self.role).label)

    def get_end_reason_display(self) -> str:
        """Why it ended, in words."""
        return str(MemberEnd(self.end_reason).label)


def of_project(actor: Actor, project: Project) -> dict[str, Any]:
    """The people of the customer, the members from outside, and the last whose access has ended: in one query."""
    who = ("pk", "user__name", "user__email", "role")
    none, empty = Value(None, DateTimeField()), Value("", CharField())
    # unscoped: all who see a project see each other
    people = CustomerUser.objects.filter(customer=project.customer_id, removed_at=None).order_by()
    members = members_of(actor, project).order_by()
    found = people.values_list(Value(0), *who, "created_at", none, empty, empty).union(
        members.values_list(Value(1), *who, "started_at", "ended_at", Coalesce("end_reason", empty), "start_note"),
        all=True,
    )
    rows = sorted(Row(*each) for each in found)
    past = sorted((row for row in rows if row.ended_at), key=lambda row: (row.ended_at, row.pk), reverse=True)
    return {
        "people": [row for row in rows if not row.is_member],
        "members": [row for row in rows if row.is_member and row.ended_at is None],
        "past_members": past[:PAST],
        "may_end": may_end_access(actor, project),
    }


def members_of(actor: Actor, project: Project) -> QuerySet[ProjectMember]:
    """The members of a project, which the person sees."""
    return ProjectMember.objects.visible_to(actor).filter(project=project).select_related("user")


def of_device(actor: Actor, device: Device) -> dict[str, Any]:
    """Who sees a device that the person's customer owns, now and since it owns it; nothing of anybody else's."""
    owned = Ownership.objects.reached_by(actor).open().filter(device=device).select_related("project").first()
    if owned is None:
        return {}
    shares = list(shares_of(actor, device).order_by("-ended_at", "-pk"))
    return {
        "shares": [share for share in shares if share.ended_at is None],
        "past_shares": [share for share in shares if share.ended_at][:PAST],
        "may_end": may_end_access(actor, owned.project),
    }


def shares_of(actor: Actor, device: Device) -> QuerySet[SharedAccess]:
    """The shares of a device in the time in which the person's customer has owned it."""
    return SharedAccess.objects.under_owner(actor).filter(device=device).select_related("customer")


def may_end_of(actor: Actor, device: Device) -> bool:
    """Whether the person may end what others see of the device: as an admin of its owner, or of its project."""
    owned = Ownership.objects.reached_by(actor).open().filter(device=device).select_related("project").first()
    return owned is not None and may_end_access(actor, owned.project)
