"""Lets a person become a customer who does not belong to one yet."""

from typing import Any

from console import throttle
from console.access import Actor
from console.models import Organization, User
from console.transactions import retrying
from customers.directory import actions as customers
from customers.models import Customer, CustomerKind, CustomerRole, CustomerUser
from customers.people.roles import claiming_customers


@retrying
def join(organization: Organization, *, user: Any, kind: str, name: str, by: Actor) -> Customer:
    """Create a customer of this organization with the person as its admin. It may not take devices.

    The customer gets its default project. A person who may already act for a customer gets that one, so two
    simultaneous requests create one customer.
    """
    throttle.take_turn("join", f"{organization.pk}:{user.pk}")
    past = claiming_customers(user, organization).first()
    if past is not None:
        return past
    customer = customers.create(
        by=by.within(organization), kind=kind, name=name.strip(), email=user.email, may_take=False
    )
    CustomerUser.objects.create(organization=organization, customer=customer, user=user, role=CustomerRole.ADMIN)
    if kind == CustomerKind.PERSON:
        User.objects.filter(pk=user.pk, name="").update(name=customer.name)
    return customer
