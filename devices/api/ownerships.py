"""REST endpoints of ownerships: list them, take a device and release it."""

from typing import Any

from django.db.models import Q
from django.shortcuts import get_object_or_404

from console import feed, throttle
from console.access import CustomerScope, Permission
from console.errors import Refused
from console.fields import fold
from console.rest.endpoints import endpoint
from console.rest.paging import follow, page
from devices.actions import take_ownership as taking
from devices.api.shapes import OwnershipOut, OwnershipQuery, ReleaseIn, TakeIn
from devices.models import Device, Ownership

TAG = "ownerships"

EXAMPLE = {"serial_number": "AQM26-209002", "device_name": "e00fce68aa209002"}


@endpoint(
    "List device ownerships",
    may=Permission.VIEW,
    customer=CustomerScope.READ,
    answers=OwnershipOut,
    query=OwnershipQuery,
    is_list=True,
)
def ownership_list(request: Any) -> Any:
    """List ownerships. A customer's key sees only its own customer's, including ended ones.

    In ascending order, an ownership appears when it begins, and again when it ends or is reopened.
    """
    last = feed.settled_up_to(Ownership, "change", "ownership_in_order")
    query, rows = request.query, Ownership.objects.visible_to(request.actor).select_related("device")
    conditions = Q()
    if query.get("device"):
        conditions &= Q(device=query["device"])
    if query.get("serial_number"):
        conditions &= Q(device__in=_called(request, query["serial_number"]))
    if query.get("manager"):
        conditions &= Q(customer=query["manager"])
    if query.get("current") is not None:
        conditions &= Q(ended_at__isnull=query["current"])
    if query.get("from"):
        conditions &= Q(ended_at=None) | Q(ended_at__gt=query["from"])
    if query.get("to"):
        conditions &= Q(started_at__lt=query["to"])
    if query["order"] == "asc":
        return follow(query, rows.filter(conditions), OwnershipOut, up_to=last, by="change")
    return page(query, rows.filter(conditions), OwnershipOut)


def count_try(request: Any) -> None:
    """Count a try, before any look-up: for the key's customer, so that others at its address can't use it up."""
    throttle.spend("take", _who_tries(request), limit=taking.TRIES, seconds=taking.WINDOW)


@endpoint(
    "Take a device",
    may=None,
    customer=CustomerScope.TAKE,
    takes=TakeIn,
    answers=OwnershipOut,
    status=201,
    example=EXAMPLE,
    guard=count_try,
)
def ownership_take(request: Any) -> Any:
    """Make the key's customer the owner of the device with this serial number and this device name.

    A wrong pair and an unknown serial number get the same answer. Failed tries are counted and limited.
    """
    span = taking.take(by=request.actor, **request.body_data)
    throttle.give_back("take", _who_tries(request))
    return span


@endpoint(
    "Release a device",
    may=Permission.DEVICE_UNCLAIM,
    customer=CustomerScope.TAKE,
    takes=ReleaseIn,
    answers=OwnershipOut,
    example={"reason": "Sold by the customer"},
)
def ownership_release(request: Any, pk: int) -> Any:
    """End the ownership now. Refused if it has already ended.

    With an organization's key this unclaims the device, and a reason is required.
    """
    span = get_object_or_404(Ownership.objects.visible_to(request.actor).select_related("device"), pk=pk)
    if span.ended_at is not None:
        raise Refused("not_owner", "This ownership has already ended.")
    return taking.release(span, by=request.actor, reason=request.body_data["reason"])


def _called(request: Any, serial_number: str) -> list[int]:
    """Return the ids of the devices with this serial number. A separate query, as the index starts with the product."""
    rows = Device.objects.filter(serial_key=fold(serial_number))  # unscoped: the next line sets the organization
    return list(rows.filter(product__organization=request.actor.organization).values_list("pk", flat=True))


def _who_tries(request: Any) -> str:
    return f"customer {min(request.actor.customers)}"
