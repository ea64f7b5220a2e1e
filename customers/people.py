"""Tells who a signed-in person is as a customer. The foundation reaches this by name."""

from typing import Any

from console.access import Actor
from customers.models import CustomerUser, ProjectMember


def actor_for(user: Any) -> Actor:
    """The person as a customer: the customers that he belongs to, and the projects that he was let into."""
    customers = CustomerUser.objects.filter(user=user, removed_at=None, customer__archived_at=None)
    projects = ProjectMember.objects.filter(user=user)
    return Actor(
        kind="customer",
        user=user,
        customers=frozenset(customers.values_list("customer_id", flat=True)),
        projects=frozenset(projects.values_list("project_id", flat=True)),
        label=str(user),
    )
