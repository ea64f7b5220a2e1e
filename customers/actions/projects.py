"""Projects of customers."""

from typing import Any

from django.db import transaction

from console.access import Actor
from console.audit import record
from customers.models import Customer, Project, ProjectMember


@transaction.atomic
def make_default(customer: Customer) -> Project:
    """Make the project that a customer's devices lie in unless another is named."""
    return Project.objects.create(
        organization_id=customer.organization_id, customer=customer, name=customer.name, is_default=True
    )


def default_of(customer: Customer) -> Project:
    """The customer's default project."""
    return Project.objects.get(customer=customer, is_default=True)


@transaction.atomic
def make(customer: Customer, *, name: str, by: Actor) -> Project:
    """Make another project for the customer."""
    project = Project.objects.create(
        organization_id=customer.organization_id, customer=customer, name=name.strip()
    )
    record("project.made", project, by=by, about=customer)
    return project


@transaction.atomic
def add_members(project: Project, members: list[tuple[Any, str]]) -> None:
    """Let people from outside the customer into the project: (user, role) each. A standing role is kept."""
    ProjectMember.objects.bulk_create(
        [
            ProjectMember(organization_id=project.organization_id, project=project, user=user, role=role)
            for user, role in members
        ],
        ignore_conflicts=True,
    )
