"""What a portal user may call on their devices, and the answers that they see."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from console.access import Actor
from devices.calls import actions as calls
from devices.calls import pages as call_pages
from devices.models import Call, Device

SHOWN = 3


def card(actor: Actor, device: Device) -> dict[str, Any]:
    """Return what the page of a device shows: the last answers, and whether the person may make calls."""
    return {"calls": call_pages.newest(actor, device, SHOWN), "may_ask": calls.may_ask(actor, device)}


def held(actor: Actor, pk: int) -> dict[str, bool]:
    """Return whether the person owns or shares the device now, and whether they may call it.

    Past owners still read the calls of their own time.
    """
    device = Device.objects.visible_to(actor).filter(pk=pk).first()
    return {"is_held": device is not None, "may_ask": device is not None and calls.may_ask(actor, device)}


def must_ask(actor: Actor, device: Device) -> None:
    """Raise Http404 unless the person may call the device, as an admin or operator of its owner or of its project."""
    if not calls.may_ask(actor, device):
        raise Http404


def rows(actor: Actor) -> QuerySet[Call]:
    """Return the calls of the person's own spans, past ones included, with the relations that a page shows."""
    found = Call.objects.visible_to(actor).select_related("device__product", "organization__logo")
    return found.defer("organization__logo__png")
