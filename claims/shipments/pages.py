"""Queries, template contexts and form handling behind the shipment pages."""

from typing import Any

from django.db.models import F, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from claims.models import Shipment
from claims.profiles.pages import code_of
from claims.scanning import answers, next_steps, scans
from claims.scanning import photos as reading
from claims.scanning import queue as scan_queue
from claims.scanning.answers import BAD, WARN, Answer
from claims.shipments import packing
from claims.shipments.actions import contents
from claims.shipments.reconciliation import balance
from console.access import Actor, Permission
from console.errors import Refused
from console.numbers import id_of
from console.requests import Request
from customers.people.roles import CLAIMING
from devices.models import Device


def rows(actor: Actor) -> QuerySet[Shipment]:
    """Return the shipments that the actor may see, with their customers, organizations and claim profiles."""
    return Shipment.objects.visible_to(actor).select_related("customer", "organization", "profile__domain")


def one(request: Request, pk: int) -> Shipment:
    """Return the shipment. Raises Http404 if it does not exist or is not visible."""
    return get_object_or_404(rows(request.actor), pk=pk)


def workbench(request: Request, shipment: Shipment, said: list[Answer]) -> dict[str, Any]:
    """Return the packing page's context: the answers, the counts by product and the newest devices.

    `version` changes with the counts and devices, so that a page open elsewhere can see whether it is up to date.
    """
    shipment.refresh_from_db(fields=["unit_count", "state"])
    newest = list(shipment.units.select_related("device__product").order_by("-pk")[: packing.SHOWN])
    counts = packing.progress(shipment)
    ordered = ".".join(f"{count.product.pk}x{count.expected or 0}" for count in counts)
    last = ".".join(f"{unit.pk}x{unit.is_open:d}" for unit in newest)
    return {
        "shipment": shipment,
        "counts": counts,
        "newest": newest,
        "mine": request.actor.user_id,
        "answers": next_steps.offered(said, request.actor, shipment),
        "tone": answers.tone(said),
        "handled": scan_queue.handled(request.POST),
        "person": scan_queue.person(request.actor),
        "workbench_name": f"s{shipment.pk}",
        "version": f"{shipment.unit_count}-{ordered}-{last}",
    }


def scanned(request: Request, shipment: Shipment) -> list[Answer]:
    """Pack what the form contains: scans queued in the browser, a scan, a pasted list, a photo or a chosen device."""
    actor: Actor = request.actor
    if sent := scan_queue.read(request.POST, actor):
        return contents.scan_once(shipment, sent, by=actor)
    chosen = id_of(request.POST.get("choose"))
    try:
        if chosen is not None:
            return contents.pack(shipment, Device.objects.visible_to(actor).filter(pk=chosen), by=actor)
        photo = request.FILES.get("photo")
        texts = reading.read(photo.read()) if photo else []
        texts += scans.lines("\n".join([request.POST.get("list", ""), request.POST.get("scan", "")]))
        if photo and not texts:
            return [Answer(BAD, "no_code", _("No code found in the photo. Move closer or use better light."))]
        return contents.scan(shipment, texts, by=actor)
    except Refused as refusal:
        return [Answer(BAD, refusal.code, refusal.sentence)]


def taken_out(request: Request, shipment: Shipment) -> list[Answer]:
    """Remove the device named in the form, or else the one that this person packed last."""
    actor: Actor = request.actor
    pk = id_of(request.POST.get("device"))
    try:
        if pk is not None:
            device = Device.objects.visible_to(actor).filter(pk=pk).first()
            done = device is not None and bool(contents.unpack(shipment, [device.pk], by=actor))
        else:
            device = contents.undo_last(shipment, by=actor)
            done = device is not None
    except Refused as refusal:
        return [Answer(BAD, refusal.code, refusal.sentence)]
    if not done or device is None:
        return [Answer(WARN, "nothing", _("You haven't packed anything that can be removed."))]
    return [Answer(WARN, "taken_out", _("Removed %(serial)s.") % {"serial": device.serial_number})]


def code(request: Request, shipment: Shipment) -> dict[str, Any]:
    """Return the code of a box that is claimed by code, if the actor may see codes; otherwise an empty dict."""
    if not shipment.is_claimed_by_code or shipment.profile is None:
        return {}
    return code_of(request.actor, shipment.profile)


def before_shipping(shipment: Shipment) -> dict[str, Any]:
    """Return the context of the page before shipping: missing products, and whether anybody can claim the box."""
    # unscoped: the people of a visible shipment's customer
    people = shipment.customer.people.filter(removed_at=None, role__in=CLAIMING)
    return {
        "shipment": shipment,
        "short": [count for count in packing.progress(shipment) if count.is_short],
        "has_claimant": people.exists(),
        **claimed(shipment),
    }


def claimed(shipment: Shipment) -> dict[str, int]:
    """Return how many devices the customer has already claimed, and how many are packed but not yet claimed."""
    left = shipment.units.filter(is_open=True).count()
    return {"left": left, "claimed": shipment.units.filter(claim__isnull=False).count()}


def detail(request: Request, shipment: Shipment) -> dict[str, Any]:
    """Return the context of a shipment's page: what was ordered, and what became of it."""
    actor: Actor = request.actor
    units = Device.objects.visible_to(actor).filter(shipment_units__shipment=shipment)
    units = units.annotate(claimed_at=F("shipment_units__claim__at"))
    found = units.select_related("product", "customer").order_by("-shipment_units__pk")
    sums = balance(shipment)
    return {
        **code(request, shipment),
        "profile": shipment.profile,
        "shipment": shipment,
        "balance": sums,
        "claimed": sum(row.claimed for row in sums),
        "units": found[:SHOWN_UNITS],
        "operation": shipment.operation,
        "has_more": shipment.unit_count > SHOWN_UNITS,
        "may": actor.may(Permission.SHIPMENT_EDIT),
    }


def sent(shipment: Shipment, number: int) -> str:
    """Return the message shown after sending a box that its customer claims by code."""
    sentence = ngettext(
        "Sent %(n)d device. %(customer)s still has to claim it.",
        "Sent %(n)d devices. %(customer)s still has to claim them.",
        number,
    )
    return sentence % {"n": number, "customer": shipment.customer}


SHOWN_UNITS = 50
