"""The steps by which a device is asked: the same in the console and in the portal, with other pages."""

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from console.access import Actor
from console.errors import Refused
from console.requests import Request
from devices.calls import actions
from devices.calls.forms import CallForm
from devices.models import Call, CallState, Device

SHOWN = 20
SHORT = 120


def create(request: Request, device: Device, *, ask: str, show: str, **context: Any) -> HttpResponse:
    """Show the form with the template `ask`, and what was asked before; then go to the route `show` of the call."""
    actor: Actor = request.actor
    form = CallForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(show, device.pk, actions.ask(device, by=actor, **form.cleaned_data).pk)
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
    full = {**context, "form": form, "device": device, "calls": newest(actor, device, SHOWN)}
    return render(request, ask, full, status=422 if form.errors else 200)


def detail(request: Request, call: Call, *, show: str, route: str, **context: Any) -> HttpResponse:
    """Show a call with the template `show`, or to htmx its part, which asks the route again until the call is over."""
    describe(request.actor, [call])
    is_partial = getattr(request, "htmx", False) and request.htmx.target == "call"
    full = {**context, "call": call, "here": reverse(route, args=[call.device_id, call.pk])}
    return render(request, "devices/calls/_call.html" if is_partial else show, full)


def newest(actor: Actor, device: Device, limit: int) -> list[Call]:
    """The calls of a device that the actor may see, the newest first."""
    rows = Call.objects.visible_to(actor).filter(device=device).select_related("organization")
    return describe(actor, list(rows.order_by("-pk")[:limit]))


def describe(actor: Actor, rows: list[Call]) -> list[Call]:
    """Set what a page shows of each call: `asker` and `said`, the answer in short."""
    for call in rows:
        call.asker = _asker(actor, call)
        call.said = _said(call)
    return rows


def _asker(actor: Actor, call: Call) -> str:
    """Who asked. Customers do not read the names of staff, nor those of the people of another customer."""
    if actor.kind != "customer" or call.customer_id in actor.customers:
        return call.by_label
    return call.organization.brand if call.customer_id is None else ""


def _said(call: Call) -> str:
    if call.state_now == CallState.ANSWERED:
        text = json.dumps(call.result, ensure_ascii=False, separators=(", ", ": "))
    else:
        text = call.error if call.state_now == CallState.FAILED else ""
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"
