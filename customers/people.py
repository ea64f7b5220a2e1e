"""Tells who a signed-in person is as a customer. The foundation reaches this by name."""

from typing import Any

from django.db.models import QuerySet, Value

from console.access import Actor
from customers.models import Customer, CustomerRole, CustomerUser, ProjectMember

# Who may claim for a customer.
CLAIMING = (CustomerRole.ADMIN, CustomerRole.OPERATOR)
# Where a role stands: he was let into one project.
GUEST = ""


def actor_for(user: Any) -> Actor:
    """The person as a customer: the customers that he belongs to, and the projects that he was let into."""
    customers = CustomerUser.objects.filter(user=user, removed_at=None, customer__archived_at=None)
    projects = ProjectMember.objects.filter(user=user, project__customer__archived_at=None)
    found = customers.values_list("customer_id", "role").union(
        projects.values_list("project_id", Value(GUEST)), all=True
    )
    reached = list(found)
    return Actor(
        kind="customer",
        user=user,
        customers=frozenset(pk for pk, role in reached if role != GUEST),
        projects=frozenset(pk for pk, role in reached if role == GUEST),
        operates=frozenset(pk for pk, role in reached if role in CLAIMING),
        administers=frozenset(pk for pk, role in reached if role == CustomerRole.ADMIN),
        label=str(user),
    )


def administered(actor: Actor) -> QuerySet[Customer]:
    """The customers of which the person is an admin, by name."""
    customers = Customer.objects.visible_to(actor).current().filter(pk__in=actor.administers)
    return customers.order_by("name_key", "pk")


def claiming_customers(user: Any, organization: Any) -> QuerySet[Customer]:
    """The organization's customers for which the person may claim: as admin or operator."""
    return Customer.objects.filter(
        organization=organization, archived_at=None, people__user=user, people__removed_at=None,
        people__role__in=CLAIMING,
    ).order_by("name_key", "pk")  # fmt: skip
