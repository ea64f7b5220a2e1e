"""REST endpoints that create, pack, ship and reconcile shipments."""

from typing import Any

from django.http import StreamingHttpResponse

from claims.models import Shipment
from claims.shipments import api_input, packing_list, pages
from claims.shipments.actions import contents, shipments, shipping
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
from console.export import stream
from console.rest.endpoints import endpoint
from console.rest.exports import as_exported, export
from console.rest.forms import filtered
from console.rest.operations import OperationOut
from console.rest.paging import PageQuery, page
from devices.api import naming

TAG = "shipments"

P = Permission
EXAMPLE = {"customer": 1, "order_number": "PO-7001", "lines": [{"product": "aqua-meter", "expected": 20}]}


@endpoint("List shipments", may=P.VIEW, answers=ShipmentOut, query=ShipmentQuery, is_list=True)
def shipment_list(request: Any) -> Any:
    """Returns the shipments that match all given filters, newest first."""
    wanted = {name: request.query.get(name) for name in ("q", "state", "customer")}
    return page(request.query, filtered(ShipmentFilter, pages.rows(request.actor), request, **wanted), ShipmentOut)


@endpoint(
    "Create a shipment", may=P.SHIPMENT_EDIT, takes=ShipmentIn, answers=ShipmentDetail, status=201, example=EXAMPLE
)
def shipment_create(request: Any) -> Any:
    """Creates a shipment that is open for packing. Expected numbers of devices in `lines` are optional."""
    return _now(request, shipments.create(by=request.actor, **api_input.plan(request)))


@endpoint("See a shipment", may=P.VIEW, answers=ShipmentDetail)
def shipment_detail(request: Any, pk: int) -> Any:
    """Returns one shipment, including how many devices of each product were ordered and are packed."""
    return pages.one(request, pk)


@endpoint(
    "Edit a shipment",
    may=P.SHIPMENT_EDIT,
    takes=ShipmentIn,
    answers=ShipmentDetail,
    example={"order_number": "PO-7002"},
)
def shipment_edit(request: Any, pk: int) -> Any:
    """Changes the given fields of an open shipment. Omitted fields stay unchanged; `lines` replaces all lines."""
    shipment = pages.one(request, pk)
    plan = api_input.plan(request, shipment)
    return _now(request, shipments.edit(shipment, by=request.actor, **plan))


@endpoint(
    "Pack scanned devices",
    may=P.SHIPMENT_EDIT,
    takes=PackIn,
    answers=PackOut,
    example={"scans": ["AQM26-200001", "AQM26-200002"]},
)
def shipment_pack(request: Any, pk: int) -> Any:
    """Reserves each scanned device for the shipment or refuses it. Returns a result per scan, in request order."""
    shipment = pages.one(request, pk)
    results = api_input.pack(request, shipment)
    return {"results": results, "unit_count": _now(request, shipment).unit_count}


@endpoint(
    "Remove devices from a shipment",
    may=P.SHIPMENT_EDIT,
    takes=naming.Named,
    answers=UnpackOut,
    example={"devices": ["AQM26-200001"]},
)
def shipment_unpack(request: Any, pk: int) -> Any:
    """Puts each named device back in stock or leaves it unchanged. Returns a result per name, in request order."""
    shipment, named = pages.one(request, pk), naming.Naming(request)
    refused = contents.why_not_out(shipment, named.ids)
    out = contents.unpack(shipment, [pk for pk in named.ids if pk not in refused], by=request.actor)
    refused = {pk: refused.get(pk, contents.changed()) for pk in named.ids if pk not in out}
    return {"unpacked": out, "unit_count": _now(request, shipment).unit_count, "results": named.results(refused)}


@endpoint("Ship a shipment", may=P.SHIPMENT_EDIT, answers=OperationOut, status=202)
def shipment_ship(request: Any, pk: int) -> Any:
    """Assigns all devices to the customer at one instant, or none; also those of a sent box that is not claimed yet."""
    return shipping.ship(pages.one(request, pk), by=request.actor)


@endpoint("Send a box that is claimed by code", may=P.SHIPMENT_EDIT, answers=ShipmentDetail)
def shipment_send(request: Any, pk: int) -> Any:
    """Marks the box as sent. Its devices stay reserved until the customer claims the box with its code."""
    shipment = pages.one(request, pk)
    shipping.send(shipment, by=request.actor)
    return _now(request, shipment)


@endpoint("Cancel a shipment", may=P.SHIPMENT_EDIT, answers=ShipmentDetail)
def shipment_cancel(request: Any, pk: int) -> Any:
    """Cancels the shipment and puts its devices back in stock. Refused unless the shipment is open or sent."""
    shipment = pages.one(request, pk)
    shipments.cancel(shipment, by=request.actor)
    return _now(request, shipment)


@endpoint("Reopen a shipment", may=P.SHIPMENT_EDIT, answers=ShipmentDetail)
def shipment_reopen(request: Any, pk: int) -> Any:
    """Opens a shipment for packing again after shipping it has failed."""
    shipment = pages.one(request, pk)
    shipments.reopen(shipment, by=request.actor)
    return _now(request, shipment)


@endpoint("List the devices of a shipment", may=P.VIEW, answers=ShipmentUnitOut, query=PageQuery, is_list=True)
def shipment_units(request: Any, pk: int) -> Any:
    """Returns the devices in packing order, each with what became of it."""
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
    """Returns for each product how many devices were ordered and shipped, and what became of them."""
    return {"results": balance(pages.one(request, pk))}


@endpoint("Download the packing list", may=P.VIEW, media=["application/pdf"])
def shipment_packing_list(request: Any, pk: int) -> Any:
    """Returns the packing list for the box as a PDF.

    It shows the claim code of a box that is claimed by code if the API key has the scope `code.view`.
    """
    shipment = pages.one(request, pk)
    label = pages.code(request, shipment).get("label")
    return answer(packing_list.as_pdf(shipment, label, is_drawn=request.method != "HEAD"))


@export("Download the devices in a shipment", may=P.EXPORT, tag=TAG)
def shipment_export(request: Any, form: str, pk: int) -> StreamingHttpResponse:
    """Returns the devices in packing order, each with what became of it."""
    asked = as_exported(request, form)
    return stream(asked, *packing_list.table(pages.one(asked, pk)))


def _now(request: Any, shipment: Shipment) -> Shipment:
    """Return the shipment as it is after the change."""
    return pages.one(request, shipment.pk)
