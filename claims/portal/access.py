"""Who has access to a project or a device of a customer, and whose access its admins may end."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import CharField, DateTimeField, QuerySet, Value
from django.db.models.functions import Coalesce

from console.access import Actor
from customers.models import CustomerRole, CustomerUser, MemberEnd, Project, ProjectMember
from customers.people.roles import may_end_access
from devices.models import Device, Ownership, SharedAccess

# How many entries with ended access are listed.
PAST = 10


class Row(NamedTuple):
    """A person who has or had access to a project: a user of the customer, or an outside member."""

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
        """Return the role in the reader's language."""
        return str(CustomerRole(self.role).label)

    def get_end_reason_display(self) -> str:
        """Return why the access ended, in the reader's language."""
        return str(MemberEnd(self.end_reason).label)


def of_project(actor: Actor, project: Project) -> dict[str, Any]:
    """Return the customer's users, the outside members, and the last members whose access ended, in one query."""
    who = ("pk", "user__name", "user__email", "role")
    none, empty = Value(None, DateTimeField()), Value("", CharField())
    # unscoped: people who see a project may see everyone else who does
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
    """Return the members of a project that the person may see."""
    return ProjectMember.objects.visible_to(actor).filter(project=project).select_related("user")


def of_device(actor: Actor, device: Device) -> dict[str, Any]:
    """Return who has, or had, access to a device since the person's customer has owned it.

    Returns an empty dict for a device that is not theirs.
    """
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
    """Return the shares of a device during the time that the person's customer has owned it."""
    return SharedAccess.objects.under_owner(actor).filter(device=device).select_related("customer")


def may_end_of(actor: Actor, device: Device) -> bool:
    """Whether the person may end others' access to the device, as an admin of its owner or of its project."""
    owned = Ownership.objects.reached_by(actor).open().filter(device=device).select_related("project").first()
    return owned is not None and may_end_access(actor, owned.project)
