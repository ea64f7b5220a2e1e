"""Which devices a portal user may send back, and which returns they see."""

from typing import Any

from django.db.models import F, Q, QuerySet

from claims.models import Return, ReturnState
from claims.returns import choices as return_choices
from console.access import Actor
from devices.models import Device, DeviceStatus


def sendable(actor: Actor) -> QuerySet[Device]:
    """Return the devices that the person may send back, as admin or operator of the owner or of the project."""
    rows = Device.objects.visible_to(actor).operated_by(actor).filter(status=DeviceStatus.OWNED)
    return rows.select_related("product", "customer", "organization__logo").defer("organization__logo__png")


def is_sendable(actor: Actor, device: Device) -> bool:
    """Whether the person may send back this device, which they can see."""
    if device.status != DeviceStatus.OWNED or not (actor.operates or actor.operates_in):
        return False
    return device.customer_id in actor.operates or sendable(actor).filter(pk=device.pk).exists()


def rows(actor: Actor) -> QuerySet[Return]:
    """Return the returns of the person's customers, with the relations that a page shows."""
    found = Return.objects.visible_to(actor).select_related("device__product", "organization__logo", "customer")
    return found.defer("organization__logo__png")


def cancellable(actor: Actor) -> QuerySet[Return]:
    """Return the returns that the person may cancel, as long as they are requested."""
    operated = Device.objects.operated_by(actor).filter(customer__isnull=False)
    in_project = Q(device__in=operated.values("pk"), device__customer=F("customer"))
    return rows(actor).filter(Q(customer__in=actor.operates) | in_project)


def under_way(actor: Actor, device: Device) -> Return | None:
    """Return the open return of a device, or None; only returns of the person's customers count."""
    return Return.objects.visible_to(actor).under_way().filter(device=device).first()


def detail(actor: Actor, returned: Return) -> dict[str, Any]:
    """Return the context of the page of a return, besides the return itself."""
    is_requested = returned.state == ReturnState.REQUESTED
    may_cancel = is_requested and returned.device.status != DeviceStatus.RETURNED
    return {
        "slip": return_choices.settings_of(returned.organization) if is_requested else None,
        "may_cancel": may_cancel and cancellable(actor).filter(pk=returned.pk).exists(),
        "is_held": returned.device.customer_id == returned.customer_id
        and Device.objects.visible_to(actor).filter(pk=returned.device_id).exists(),
    }
