"""What a signed-in person may do as a customer."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet, Value

from console.access import Actor, CustomerScope
from customers.models import Customer, CustomerRole, CustomerUser, Project, ProjectMember

# Roles that may act for a customer or in a project: claim, call and return devices.
CLAIMING = (CustomerRole.ADMIN, CustomerRole.OPERATOR)
ADMIN = (CustomerRole.ADMIN,)
CUSTOMER, PROJECT = 0, 1


def actor_for(user: Any) -> Actor:
    """Return the person as an actor, with their current customers and projects."""
    # unscoped: finds out who is acting
    customers = CustomerUser.objects.filter(user=user, removed_at=None, customer__archived_at=None)
    # unscoped: finds out who is acting
    projects = ProjectMember.objects.open().filter(user=user, project__customer__archived_at=None)
    reached = list(
        customers.values_list("customer_id", "role", Value(CUSTOMER)).union(
            projects.values_list("project_id", "role", Value(PROJECT)), all=True
        )
    )

    def those(kind: int, roles: Sequence[str] = tuple(CustomerRole)) -> frozenset[int]:
        return frozenset(pk for pk, role, what in reached if what == kind and role in roles)

    return Actor(
        kind="customer",
        user=user,
        customers=those(CUSTOMER),
        projects=those(PROJECT),
        operates=those(CUSTOMER, CLAIMING),
        administers=those(CUSTOMER, ADMIN),
        operates_in=those(PROJECT, CLAIMING),
        administers_in=those(PROJECT, ADMIN),
        label=str(user),
    )


def may_end_access(actor: Actor, project: Project) -> bool:
    """Whether a person of a customer, or its key, may rename this project and end other people's access to it."""
    if actor.permissions:
        return actor.may(CustomerScope.ACCESS) and project.customer_id in actor.customers
    return project.customer_id in actor.administers or project.pk in actor.administers_in


def administered(actor: Actor) -> QuerySet[Customer]:
    """Return the customers that the person administers, ordered by name."""
    customers = Customer.objects.visible_to(actor).current().filter(pk__in=actor.administers)
    return customers.order_by("name_key", "pk")


def claiming_customers(user: Any, organization: Any) -> QuerySet[Customer]:
    """Return the organization's customers for which the person may claim, as admin or operator."""
    return Customer.objects.filter(  # unscoped: the person's own customers
        organization=organization,
        archived_at=None,
        people__user=user,
        people__removed_at=None,
        people__role__in=CLAIMING,
    ).order_by("name_key", "pk")


def recipients(customer: Customer) -> list[tuple[str, str]]:
    """Return who gets email about the customer's devices: (address, language) each.

    These are its admins or, without any, the customer's own address.
    """
    # unscoped: finds the recipients of an email to the customer itself
    admins = CustomerUser.objects.filter(
        customer=customer, removed_at=None, role=CustomerRole.ADMIN, user__is_active=True
    )
    people = list(admins.order_by("pk").values_list("user__email", "user__language"))
    return people or ([(customer.email, "")] if customer.email else [])
