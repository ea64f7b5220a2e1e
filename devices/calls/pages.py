"""Contexts for the pages of calls, in the console and in the portal."""

import json
from typing import Any

from django.urls import reverse

from console.access import Actor
from devices.models import Call, CallState, Device

SHOWN = 20
SHORT = 120


def before_asking(actor: Actor, device: Device) -> dict[str, Any]:
    """Return the context of the form's page: the device and its recent calls."""
    return {"device": device, "calls": newest(actor, device, SHOWN)}


def detail(actor: Actor, call: Call, *, route: str) -> dict[str, Any]:
    """Return the context of a call's page; `here` is the address that its partial polls until the call is over."""
    describe(actor, [call])
    return {"call": call, "here": reverse(route, args=[call.device_id, call.pk])}


def newest(actor: Actor, device: Device, limit: int) -> list[Call]:
    """Return the device's newest calls that the actor may see, newest first."""
    rows = Call.objects.visible_to(actor).filter(device=device).select_related("organization")
    return describe(actor, list(rows.order_by("-pk")[:limit]))


def describe(actor: Actor, rows: list[Call]) -> list[Call]:
    """Set what a page shows of each call: `asker`, and `said`, the shortened answer."""
    for call in rows:
        call.asker = _asker(actor, call)
        call.said = _said(call)
    return rows


def _asker(actor: Actor, call: Call) -> str:
    """Return who made the call. Customers see neither names of staff nor those of another customer's people."""
    if actor.kind != "customer" or call.customer_id in actor.customers:
        return call.by_label
    return call.organization.brand if call.customer_id is None else ""


def _said(call: Call) -> str:
    if call.state_now == CallState.ANSWERED:
        text = json.dumps(call.result, ensure_ascii=False, separators=(", ", ": "))
    else:
        text = call.error if call.state_now == CallState.FAILED else ""
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"
