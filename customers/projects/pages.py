"""What pages show about who sees a project."""

from typing import Any

from console.requests import Request
from customers.models import Project, ProjectMember

# How many past members of a project are listed.
PAST = 50


def with_members(request: Request, projects: list[Project]) -> list[Project]:
    """Set `open_members` on each project: people from outside the customer who see it now. Takes one query."""
    rows = ProjectMember.objects.visible_to(request.actor).open().filter(project__in=projects)
    members: dict[int, list[ProjectMember]] = {}
    for member in rows.select_related("user").order_by("pk"):
        members.setdefault(member.project_id, []).append(member)
    for project in projects:
        project.open_members = members.get(project.pk, [])
    return projects


def members_of(request: Request, project: Project) -> dict[str, Any]:
    """Return who sees the project without being a person of the customer: current and latest past members."""
    rows = ProjectMember.objects.visible_to(request.actor).filter(project=project).select_related("user")
    return {
        "members": rows.filter(ended_at=None).order_by("pk"),
        "past_members": rows.exclude(ended_at=None).order_by("-ended_at", "-pk")[:PAST],
    }
