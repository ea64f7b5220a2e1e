"""What a customer's person may ask its devices, and the answers that he sees."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from console.access import Actor
from devices.calls import actions as calls
from devices.calls import pages as call_pages
from devices.models import Call, Device

SHOWN = 3


def card(actor: Actor, device: Device) -> dict[str, Any]:
    """What the page of a device shows: the last answers, and whether the person may ask."""
    return {"calls": call_pages.newest(actor, device, SHOWN), "may_ask": calls.may_ask(actor, device)}


def held(actor: Actor, pk: int) -> dict[str, bool]:
    """Whether the person owns or shares the device now, and may ask it: a past owner still reads his calls."""
    device = Device.objects.visible_to(actor).filter(pk=pk).first()
    return {"is_held": device is not None, "may_ask": device is not None and calls.may_ask(actor, device)}


def must_ask(actor: Actor, device: Device) -> None:
    """Raise Http404 for who may not ask it: only admins and operators of the customer that owns it may."""
    if not calls.may_ask(actor, device):
        raise Http404


def rows(actor: Actor) -> QuerySet[Call]:
    """The calls of the person's own spans, with what a page shows of them: those of a past owner stay his."""
    found = Call.objects.visible_to(actor).select_related("device__product", "organization__logo")
    return found.defer("organization__logo__png")
