"""What a customer's person may send back, and the returns that he sees."""

from typing import Any

from django.db.models import QuerySet

from claims import return_choices
from claims.models import Return, ReturnState
from console.access import Actor
from customers.models import CustomerRole, CustomerUser
from devices.models import Device, DeviceStatus


def sendable(actor: Actor) -> QuerySet[Device]:
    """The devices that the person may send back: those that his customers own, where he is admin or operator."""
    rows = Device.objects.visible_to(actor).filter(status=DeviceStatus.OWNED, customer__in=customers(actor))
    return rows.select_related("product", "customer", "organization__logo").defer("organization__logo__png")


def customers(actor: Actor) -> QuerySet:
    """The person's customers for which he may act, as ids."""
    mine = CustomerUser.objects.filter(
        user=actor.user, removed_at=None, customer__in=actor.customers,
        role__in=[CustomerRole.ADMIN, CustomerRole.OPERATOR],
    )  # fmt: skip
    return mine.values("customer")


def rows(actor: Actor) -> QuerySet[Return]:
    """The returns of the person's customers, with what a page shows of them."""
    found = Return.objects.visible_to(actor).select_related(
        "device__product", "organization__logo", "customer"
    )
    return found.defer("organization__logo__png")


def cancellable(actor: Actor) -> QuerySet[Return]:
    """Those of them whose request he may take back."""
    return rows(actor).filter(customer__in=customers(actor))


def under_way(actor: Actor, device: Device) -> Return | None:
    """The return of a device that is not over yet, if it is one of the person's own."""
    return Return.objects.visible_to(actor).under_way().filter(device=device).first()


def detail(actor: Actor, returned: Return) -> dict[str, Any]:
    """What the page of a return shows besides it."""
    is_requested = returned.state == ReturnState.REQUESTED
    may_cancel = is_requested and returned.device.status != DeviceStatus.RETURNED
    return {
        "slip": return_choices.settings_of(returned.organization) if is_requested else None,
        "may_cancel": may_cancel and customers(actor).filter(customer=returned.customer_id).exists(),
        "is_held": returned.device.customer_id is not None and returned.device.customer_id in actor.customers,
    }
