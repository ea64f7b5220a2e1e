"""Which deliveries of messages may still be sent to customers' webhooks."""

from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from console import sql
from console.access import Actor
from customers.models import Customer
from devices.models import Device, Message


def visible_now(deliveries: QuerySet[Any]) -> QuerySet[Any]:
    """Return the deliveries that the webhook's customer may read. Their devices must be unlocked."""
    wanted = Q()
    ids = set(deliveries.values_list("webhook__customer_id", flat=True))
    # unscoped: the webhooks' own customers
    for customer in Customer.objects.current().filter(pk__in=ids).values_list("pk", flat=True):
        reader = Actor(kind="customer", customers=frozenset({customer}))
        # unscoped: what the webhook's customer holds
        theirs = Message.objects.held_by(reader).filter(device=OuterRef("device_id"), at=OuterRef("at"))
        wanted |= Q(Exists(theirs), webhook__customer_id=customer)
    return deliveries.filter(wanted) if wanted else deliveries.none()


def unlocked(device_ids: set[int]) -> set[int]:
    """Return the devices that no running transaction is changing; none can be changed until this one ends.

    A change of ownership locks the devices before it chooses its instant, so that instant is later than everything
    published by now.
    """
    if connection.vendor != "postgresql":
        # On SQLite the only writer has the only lock, so nothing else is running.
        return device_ids
    with connection.cursor() as cursor:
        cursor.execute(  # unscoped: locks the given rows
            f"SELECT id FROM {sql.table(Device)} WHERE {sql.in_ids('id')} FOR SHARE SKIP LOCKED",  # noqa: S608
            [sql.id_list(device_ids)],
        )
        return {pk for (pk,) in cursor.fetchall()}
