"""What a customer's person may send back, and the returns that they see."""

from typing import Any

from django.db.models import F, Q, QuerySet

from claims.models import Return, ReturnState
from claims.returns import choices as return_choices
from console.access import Actor
from devices.models import Device, DeviceStatus


def sendable(actor: Actor) -> QuerySet[Device]:
    """The devices that the person may send back: as admin or operator of their owner, or of the project they lie in."""
    rows = Device.objects.visible_to(actor).operated_by(actor).filter(status=DeviceStatus.OWNED)
    return rows.select_related("product", "customer", "organization__logo").defer("organization__logo__png")


def is_sendable(actor: Actor, device: Device) -> bool:
    """Whether this device, which they see, is one of them."""
    if device.status != DeviceStatus.OWNED or not (actor.operates or actor.operates_in):
        return False
    return device.customer_id in actor.operates or sendable(actor).filter(pk=device.pk).exists()


def rows(actor: Actor) -> QuerySet[Return]:
    """The returns of the person's customers, with what a page shows of them."""
    found = Return.objects.visible_to(actor).select_related("device__product", "organization__logo", "customer")
    return found.defer("organization__logo__png")


def cancellable(actor: Actor) -> QuerySet[Return]:
    """Those of them whose request they may take back."""
    operated = Device.objects.operated_by(actor).filter(customer__isnull=False)
    in_project = Q(device__in=operated.values("pk"), device__customer=F("customer"))
    return rows(actor).filter(Q(customer__in=actor.operates) | in_project)


def under_way(actor: Actor, device: Device) -> Return | None:
    """The return of a device that is not over yet, if it is one of the person's own."""
    return Return.objects.visible_to(actor).under_way().filter(device=device).first()


def detail(actor: Actor, returned: Return) -> dict[str, Any]:
    """What the page of a return shows besides it."""
    is_requested = returned.state == ReturnState.REQUESTED
    may_cancel = is_requested and returned.device.status != DeviceStatus.RETURNED
    return {
        "slip": return_choices.settings_of(returned.organization) if is_requested else None,
        "may_cancel": may_cancel and cancellable(actor).filter(pk=returned.pk).exists(),
        "is_held": returned.device.customer_id == returned.customer_id
        and Device.objects.visible_to(actor).filter(pk=returned.device_id).exists(),
    }
