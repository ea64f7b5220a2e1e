"""Shipments: made, packed, shipped, and what became of them."""

from typing import Any

from claims.models import Shipment
from claims.shipments import api_input, packing_list, pages
from claims.shipments.actions import shipments
from claims.shipments.api_shapes import (
    BalanceOut,
    PackIn,
    PackOut,
    ShipmentDetail,
    ShipmentIn,
    ShipmentOut,
    ShipmentQuery,
    ShipmentUnitOut,
    UnpackOut,
)
from claims.shipments.filters import ShipmentFilter
from claims.shipments.reconciliation import balance, fates
from console.access import Permission
from console.downloads import answer
from console.rest.endpoints import endpoint
from console.rest.forms import filtered
from console.rest.operations import OperationOut
from console.rest.paging import PageQuery, page
from devices.api import naming

TAG = "shipments"

P = Permission
EXAMPLE = {"customer": 1, "order_number": "PO-7001", "lines": [{"product": "aqua-meter", "expected": 20}]}


@endpoint("List shipments", may=P.VIEW, answers=ShipmentOut, query=ShipmentQuery, is_list=True)
def shipment_list(request: Any) -> Any:
    """The newest first."""
    wanted = {name: request.query.get(name) for name in ("q", "state", "customer")}
    return page(request.query, filtered(ShipmentFilter, pages.rows(request.actor), request, **wanted), ShipmentOut)


@endpoint("Make a shipment", may=P.SHIPMENT_EDIT, takes=ShipmentIn, answers=ShipmentDetail, status=201, example=EXAMPLE)
def shipment_create(request: Any) -> Any:
    """Open for packing."""
    return _now(request, shipments.create(by=request.actor, **api_input.plan(request)))


@endpoint("See a shipment", may=P.VIEW, answers=ShipmentDetail)
def shipment_detail(request: Any, pk: int) -> Any:
    """With what was ordered and what is packed."""
    return pages.one(request, pk)


@endpoint(
    "Edit a shipment",
    may=P.SHIPMENT_EDIT,
    takes=ShipmentIn,
    answers=ShipmentDetail,
    example={"order_number": "PO-7002"},
)
def shipment_edit(request: Any, pk: int) -> Any:
    """What is left out stays as it is; lines that are given replace all. Only while it is open."""
    shipment = pages.one(request, pk)
    plan = api_input.plan(request, shipment)
    return _now(request, shipments.edit(shipment, by=request.actor, **plan))


@endpoint(
    "Pack scanned units",
    may=P.SHIPMENT_EDIT,
    takes=PackIn,
    answers=PackOut,
    example={"scans": ["AQM26-200001", "AQM26-200002"]},
)
def shipment_pack(request: Any, pk: int) -> Any:
    """Each is reserved for the shipment or refused by itself, with an answer for each in the order of the call."""
    shipment = pages.one(request, pk)
    results = api_input.pack(request, shipment)
    return {"results": results, "unit_count": _now(request, shipment).unit_count}


@endpoint(
    "Take units out of a shipment",
    may=P.SHIPMENT_EDIT,
    takes=naming.Named,
    answers=UnpackOut,
    example={"devices": ["AQM26-200001"]},
)
def shipment_unpack(request: Any, pk: int) -> Any:
    """Each is in stock again or left as it was, with an answer for each in the order of the call."""
    shipment, named = pages.one(request, pk), naming.Naming(request)
    refused = shipments.why_not_out(shipment, named.ids)
    out = shipments.unpack(shipment, [pk for pk in named.ids if pk not in refused], by=request.actor)
    refused = {pk: refused.get(pk, shipments.changed()) for pk in named.ids if pk not in out}
    return {"unpacked": out, "unit_count": _now(request, shipment).unit_count, "results": named.results(refused)}


@endpoint("Ship a shipment", may=P.SHIPMENT_EDIT, answers=OperationOut, status=202)
def shipment_ship(request: Any, pk: int) -> Any:
    """Assigns all units to the customer at one instant, all or none, also those of a box that waits for its claim."""
    return shipments.ship(pages.one(request, pk), by=request.actor)


@endpoint("Send a box that is claimed by code", may=P.SHIPMENT_EDIT, answers=ShipmentDetail)
def shipment_send(request: Any, pk: int) -> Any:
    """Its units stay reserved until the customer claims the box with its code."""
    shipment = pages.one(request, pk)
    shipments.send(shipment, by=request.actor)
    return _now(request, shipment)


@endpoint("Cancel a shipment", may=P.SHIPMENT_EDIT, answers=ShipmentDetail)
def shipment_cancel(request: Any, pk: int) -> Any:
    """Its units are in stock again. Refused once they belong to the customer."""
    shipment = pages.one(request, pk)
    shipments.cancel(shipment, by=request.actor)
    return _now(request, shipment)


@endpoint("Reopen a shipment", may=P.SHIPMENT_EDIT, answers=ShipmentDetail)
def shipment_reopen(request: Any, pk: int) -> Any:
    """Lets it be packed again where shipping it was given up."""
    shipment = pages.one(request, pk)
    shipments.reopen(shipment, by=request.actor)
    return _now(request, shipment)


@endpoint("List the units of a shipment", may=P.VIEW, answers=ShipmentUnitOut, query=PageQuery, is_list=True)
def shipment_units(request: Any, pk: int) -> Any:
    """In the order of packing, each with what became of it."""
    shipment = pages.one(request, pk)
    return page(
        request.query,
        fates(shipment).select_related("device"),
        ShipmentUnitOut,
        newest_first=False,
        has_left=shipment.shipped_at is not None,
    )


@endpoint("See the balance of a shipment", may=P.VIEW, answers=BalanceOut)
def shipment_balance(request: Any, pk: int) -> Any:
    """By product: ordered, shipped, and what became of the units."""
    return {"results": balance(pages.one(request, pk))}


@endpoint("Download the packing list", may=P.VIEW, media=["application/pdf"])
def shipment_packing_list(request: Any, pk: int) -> Any:
    """For the box; with its code where it is claimed by one and the key has the scope code.view."""
    shipment = pages.one(request, pk)
    label = pages.code(request, shipment).get("label")
    return answer(packing_list.as_pdf(shipment, label, is_drawn=request.method != "HEAD"))


def _now(request: Any, shipment: Shipment) -> Shipment:
    """The shipment as it stands after the act."""
    return pages.one(request, shipment.pk)
