"""What a customer's person may send back, and the returns that he sees."""

from typing import Any

from django.db.models import QuerySet

from claims import return_choices
from claims.models import Return, ReturnState
from console.access import Actor
from devices.models import Device, DeviceStatus


def sendable(actor: Actor) -> QuerySet[Device]:
    """The devices that the person may send back: those that his customers own, where he is admin or operator."""
    rows = Device.objects.visible_to(actor).filter(status=DeviceStatus.OWNED, customer__in=actor.operates)
    return rows.select_related("product", "customer", "organization__logo").defer("organization__logo__png")


def is_sendable(actor: Actor, device: Device) -> bool:
    """Whether this device, which he sees, is one of them."""
    return device.status == DeviceStatus.OWNED and device.customer_id in actor.operates


def rows(actor: Actor) -> QuerySet[Return]:
    """The returns of the person's customers, with what a page shows of them."""
    found = Return.objects.visible_to(actor).select_related(
        "device__product", "organization__logo", "customer"
    )
    return found.defer("organization__logo__png")


def cancellable(actor: Actor) -> QuerySet[Return]:
    """Those of them whose request he may take back."""
    return rows(actor).filter(customer__in=actor.operates)


def under_way(actor: Actor, device: Device) -> Return | None:
    """The return of a device that is not over yet, if it is one of the person's own."""
    return Return.objects.visible_to(actor).under_way().filter(device=device).first()


def detail(actor: Actor, returned: Return) -> dict[str, Any]:
    """What the page of a return shows besides it."""
    is_requested = returned.state == ReturnState.REQUESTED
    may_cancel = is_requested and returned.device.status != DeviceStatus.RETURNED
    return {
        "slip": return_choices.settings_of(returned.organization) if is_requested else None,
        "may_cancel": may_cancel and returned.customer_id in actor.operates,
        "is_held": returned.device.customer_id is not None and returned.device.customer_id in actor.customers,
    }
