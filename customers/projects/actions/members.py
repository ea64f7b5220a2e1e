"""People from outside a customer who see one of its projects: how they get access, and every way in which it ends."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from console import sql
from console.access import Actor
from console.audit import record_each
from console.audit.kinds import Kind
from console.errors import Refused
from console.models import Member
from console.transactions import retrying
from customers import events
from customers.models import Customer, MemberEnd, MemberStart, Project, ProjectMember

TICK = timedelta(microseconds=1)


@retrying
def let_in(
    project: Project,
    people: Iterable[tuple[Any, str]],
    *,
    by: Actor,
    at: datetime | None = None,
    evidence: str = "",
    note: str = "",
) -> list[ProjectMember]:
    """Give members of the organization access to a project: (user, role) each. Returns the new memberships.

    People with access already keep their role. People who are no longer members of the organization are left out, even
    if they are being removed at this moment.
    """
    at, roles = at or timezone.now(), {user.pk: (user, role) for user, role in people}
    # Simultaneous claims into one project take turns here; the second one sees who has access already.
    Project.objects.select_for_update(no_key=True).filter(pk=project.pk).values_list("pk").first()
    present = _lock_members(project.organization_id, set(roles))
    rows = ProjectMember.objects.filter(project=project, user__in=present)
    inside = set(rows.open().values_list("user", flat=True))
    last = dict(rows.order_by().values_list("user").annotate(Max("ended_at")))
    new = [
        ProjectMember(
            organization_id=project.organization_id,
            project=project,
            user=roles[pk][0],
            role=roles[pk][1],
            # Not before the end of the person's last membership, whatever the clock says.
            started_at=max(at, last.get(pk) or at),
            start_reason=MemberStart.CLAIM,
            started_by=by.label[:200],
            start_evidence=evidence,
            start_note=note[:500],
        )
        for pk in present
        if pk not in inside
    ]
    ProjectMember.objects.bulk_create(new)
    _record(events.PROJECT_MEMBER_JOINED, new, by, at)
    return new


@retrying
def end(
    rows: QuerySet[ProjectMember],
    *,
    reason: str = MemberEnd.ENDED,
    by: Actor,
    note: str = "",
    at: datetime | None = None,
) -> int:
    """End the open memberships among `rows`, from the next request on. Returns how many there were."""
    at = at or timezone.now()
    # A concurrent call for the same memberships waits here, and then finds them ended.
    held = ProjectMember.objects.select_for_update(no_key=True, of=("self",)).filter(
        pk__in=rows.order_by().values("pk"), ended_at=None
    )
    found = list(held.select_related("project__customer", "user").order_by("pk"))
    mine = sql.having_ids(ProjectMember.objects.open(), "id", [row.pk for row in found])
    ending = {"end_reason": reason, "ended_by": by.label[:200], "end_note": note[:500]}
    mine.filter(started_at__gte=at).update(ended_at=F("started_at") + TICK, **ending)
    mine.update(ended_at=at, **ending)
    _record(events.PROJECT_MEMBER_ENDED, found, by, at, note=note)
    return len(found)


def end_one(member: ProjectMember, *, by: Actor, note: str = "") -> None:
    """End one membership. Raises Refused if it has ended already."""
    if not end(ProjectMember.objects.filter(pk=member.pk), by=by, note=note):
        raise Refused("ended_already", _("This access has already ended. Reload the page to see the current list."))


def end_all_of(organization: Any, user: Any, *, by: Actor, at: datetime | None = None) -> int:
    """End the person's access to customers' projects because they leave the organization. Returns how many."""
    rows = ProjectMember.objects.filter(organization=organization, user=user)
    return end(rows, reason=MemberEnd.LEFT, by=by, at=at)


def end_at(customer: Customer, user: Any, *, by: Actor, at: datetime | None = None) -> int:
    """End the person's access to a customer's projects because they are removed from it. Returns how many."""
    rows = ProjectMember.objects.filter(project__customer=customer, user=user)
    return end(rows, reason=MemberEnd.REMOVED, by=by, at=at)


def _lock_members(organization_id: int, user_ids: set[int]) -> list[int]:
    """Return those of the people who are members, and keep them members until this transaction ends.

    Claims of one profile share the lock (FOR SHARE), so only a removal has to wait. On SQLite a writing transaction has
    the only lock.
    """
    rows = Member.objects.filter(organization=organization_id, removed_at=None, user__in=user_ids)
    if connection.vendor == "postgresql" and user_ids:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM {sql.table(Member)} WHERE organization_id = %s AND {sql.in_ids('user_id')} "  # noqa: S608
                "ORDER BY id FOR SHARE",
                [organization_id, sql.id_list(user_ids)],
            )
    return list(rows.order_by("pk").values_list("user", flat=True))


def _record(kind: Kind, rows: list[ProjectMember], by: Actor, at: datetime, note: str = "") -> None:
    """Record one event per membership.

    The person is the subject and the customer the other party; the project is named.
    """
    described = [
        (row, {"project": str(row.project), "role": str(row.get_role_display())} | ({"note": note} if note else {}))
        for row in rows
    ]
    record_each(kind, described, by=by, at=at, about=lambda row: row.project.customer)
