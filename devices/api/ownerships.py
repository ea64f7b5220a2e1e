"""Device ownerships: spans of time; take and release."""

from typing import Any

from django.db.models import Q
from django.shortcuts import get_object_or_404

from console import throttle
from console.access import CustomerScope, Permission
from console.errors import Refused
from console.fields import fold
from console.rest.endpoints import endpoint
from console.rest.paging import page
from devices.actions import taking
from devices.api.shapes import OwnershipOut, OwnershipQuery, TakeIn
from devices.models import Ownership

EXAMPLE = {"serial_number": "AQM26-209002", "device_name": "e00fce68aa209002"}


@endpoint("List device ownerships", may=Permission.VIEW, customer=CustomerScope.READ, answers=OwnershipOut,
          query=OwnershipQuery, is_list=True)  # fmt: skip
def ownership_list(request: Any) -> Any:
    """A customer's key sees its own spans, those that ended too, and nobody else's."""
    query, rows = request.query, Ownership.objects.visible_to(request.actor).select_related("device")
    conditions = Q()
    if query.get("device"):
        conditions &= Q(device=query["device"])
    if query.get("serial_number"):
        conditions &= Q(device__serial_key=fold(query["serial_number"]))
    if query.get("manager"):
        conditions &= Q(customer=query["manager"])
    if query.get("current") is not None:
        conditions &= Q(ended_at__isnull=query["current"])
    if query.get("from"):
        conditions &= Q(ended_at=None) | Q(ended_at__gt=query["from"])
    if query.get("to"):
        conditions &= Q(started_at__lt=query["to"])
    return page(query, rows.filter(conditions), OwnershipOut)


def count_try(request: Any) -> None:
    """Before anything is looked up, for the address and for the key's customer."""
    for who in (throttle.address_of(request._request), f"customer {min(request.actor.customers)}"):
        throttle.spend("take", who, limit=taking.TRIES, seconds=taking.WINDOW)


@endpoint("Take a device", may=None, customer=CustomerScope.TAKE, takes=TakeIn, answers=OwnershipOut, status=201,
          example=EXAMPLE, guard=count_try)  # fmt: skip
def ownership_take(request: Any) -> Any:
    """The key's customer becomes the owner of the device with this serial number and this device name.

    A wrong pair and an unknown serial number get the same answer. Tries are counted.
    """
    return taking.take(by=request.actor, **request.body_data)


@endpoint(
    "Release a device", may=Permission.DEVICE_UNCLAIM, customer=CustomerScope.TAKE, answers=OwnershipOut
)
def ownership_release(request: Any, pk: int) -> Any:
    """Ends the ownership now. Refused where it has ended already."""
    span = get_object_or_404(Ownership.objects.visible_to(request.actor).select_related("device"), pk=pk)
    if span.ended_at is not None:
        raise Refused("not_owner", "This ownership has ended already.")
    return taking.release(span, by=request.actor)
