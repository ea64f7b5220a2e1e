"""Selects the devices to print labels for: ticked rows, all rows of a filter, or the devices of another object."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from claims.models import ClaimProfile, Return, Shipment
from console.access import Actor
from console.bulk import Selection, seen_of, selection
from console.numbers import id_of
from console.requests import Request
from devices.filters import DeviceFilter
from devices.models import Device, ManifestImport

Narrow = Callable[[Actor, QuerySet[Any], int], QuerySet[Any]]


def chosen_units(request: Request) -> Selection:
    """Return the devices that the query string or the form selects.

    They are given by `ids`, by `all` with filters, or by the id of a `shipment`, an `import` or a `claim_profile`;
    `queue=1` selects those that need a new label. Raises Refused if nothing is selected, and Http404 if the object is
    not visible to the actor.
    """
    data = request.POST if request.method == "POST" else request.GET
    actor: Actor = request.actor
    rows = Device.objects.visible_to(actor)
    for name, narrow in SOURCES.items():
        if text := data.get(name, ""):
            pk = id_of(text)
            if pk is None:
                raise Http404
            return Selection(narrow(actor, rows, pk), [(name, text)], seen_of(request))
    return selection(request, rows, DeviceFilter)


def _packed(actor: Actor, rows: QuerySet[Any], pk: int) -> QuerySet[Any]:
    shipment = get_object_or_404(Shipment.objects.visible_to(actor), pk=pk)
    return rows.filter(shipment_units__shipment=shipment)


def _imported(actor: Actor, rows: QuerySet[Any], pk: int) -> QuerySet[Any]:
    manifest = get_object_or_404(ManifestImport.objects.visible_to(actor), pk=pk)
    # Devices that an import registers have the import's own time as their time of creation.
    return rows.filter(product=manifest.product_id, created_at=manifest.applied_at)


def _of_profile(actor: Actor, rows: QuerySet[Any], pk: int) -> QuerySet[Any]:
    profile = get_object_or_404(ClaimProfile.objects.visible_to(actor), pk=pk)
    return rows.filter(claim_codes__profile=profile)


def _queued(actor: Actor, rows: QuerySet[Any], number: int) -> QuerySet[Any]:
    waiting = Return.objects.visible_to(actor).filter(needs_label=True)
    return rows.filter(pk__in=waiting.order_by().values("device"))


SOURCES: dict[str, Narrow] = {"shipment": _packed, "import": _imported, "claim_profile": _of_profile, "queue": _queued}
