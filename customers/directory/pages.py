"""What a page of customers shows besides their own columns, loaded for the whole page at once."""

from typing import Any

from django.db.models import QuerySet

from console import counts
from console.requests import Request
from customers.models import Customer, CustomerUser


def with_counts(request: Request, customers: list[Customer]) -> None:
    """Set `device_count` and `people_count` on each customer, with two queries for all."""
    actor, ids = request.actor, [customer.pk for customer in customers]
    devices = counts.of_parents(Customer, ids, _devices(request), "customer_id")
    active = CustomerUser.objects.visible_to(actor).filter(removed_at=None)
    people = counts.of_parents(Customer, ids, active, "customer_id")
    for customer in customers:
        customer.device_count = devices.get(customer.pk, 0)
        customer.people_count = people.get(customer.pk, 0)


def device_count_of(request: Request, customer: Customer) -> int:
    """Return how many devices the customer owns now."""
    return _devices(request).filter(customer=customer).count()


def _devices(request: Request) -> QuerySet[Any]:
    """Return the devices, which this app knows through their relation to customers.

    Owned devices are never archived.
    """
    rows = Customer._meta.get_field("devices").related_model.objects.visible_to(request.actor)  # type: ignore[attr-defined]
    return rows.current()
