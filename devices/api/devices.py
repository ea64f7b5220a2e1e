"""REST endpoints of devices and their owners."""

from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from console.access import CustomerScope, Permission
from console.editing import named
from console.errors import Refused
from console.fields import fold
from console.operations import Outcome
from console.rest.endpoints import endpoint, reader
from console.rest.forms import checked, filtered
from console.rest.paging import page
from console.rest.problems import Unfit
from customers.models import Customer
from devices.actions import devices, ownership
from devices.api.products import find_named as find_product
from devices.api.shapes import DeviceIn, DeviceOut, DeviceQuery, OwnerIn, ReasonQuery
from devices.filters import DeviceFilter
from devices.forms import DeviceForm
from devices.models import Device, DeviceReport, Tag

TAG = "devices"

P = Permission
# Query parameters that a customer's key may not use.
OF_STAFF = ("product", "customer", "tag", "q", "development", "archived")
EXAMPLE = {
    "product": "aqua-meter",
    "serial_number": "AQM26-209001",
    "device_name": "e00fce68aa209001",
    "tags": ["lot-7"],
}


@endpoint("List devices", may=P.VIEW, customer=CustomerScope.READ, answers=DeviceOut, query=DeviceQuery, is_list=True)
def device_list(request: Any) -> Any:
    """List devices. A customer's key lists those its customer owns or shares now; `current` selects one of the two."""
    query, actor = request.query, request.actor
    rows = _rows(actor)
    if actor.kind != "customer":
        return page(query, matching(request, rows), DeviceOut, **reader(actor))
    rows = _called(query, rows)
    unknown = [name for name in OF_STAFF if query.get(name)]
    if unknown:
        raise Unfit({name: ["A customer’s key can't use this parameter."] for name in unknown})
    rows, owned = rows.filter(archived_at=None), Q(customer__in=actor.customers)
    if query.get("current") is not None:
        rows = rows.filter(owned if query["current"] else ~owned)
    if query.get("status"):
        rows = rows.filter(status=query["status"])
    return page(query, rows, DeviceOut, **reader(actor))


def matching(request: Any, rows: QuerySet[Device]) -> QuerySet[Device]:
    """Return the organization's devices that match the query."""
    query = request.query
    if query.get("current") is not None:
        rows = rows.filter(customer__isnull=not query["current"])
    return filtered(DeviceFilter, _called(query, rows), request, **_wanted(request))


@endpoint("Register a device", may=P.DEVICE_EDIT, takes=DeviceIn, answers=DeviceOut, status=201, example=EXAMPLE)
def device_create(request: Any) -> Any:
    """Register a device. Identifiers are checked as in a manifest, and returned in their normalized form."""
    form = checked(DeviceForm, _posted(request), actor=request.actor)
    device = devices.register(by=request.actor, **form.cleaned_data)
    return one(request, device.pk)


@endpoint("See a device", may=P.VIEW, customer=CustomerScope.READ, answers=DeviceOut)
def device_detail(request: Any, pk: int) -> Any:
    """Return one device with its current owner and status."""
    return one(request, pk)


@endpoint("Edit a device", may=P.DEVICE_EDIT, takes=DeviceIn, answers=DeviceOut)
def device_edit(request: Any, pk: int) -> Any:
    """Change the fields that are sent; all others stay as they are. The product of a device can't be changed."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    data = _posted(request)
    if data.get("product", device.product_id) != device.product_id:
        raise Refused("product_stays", "The product of a device can't be changed.", status=422)
    kept = {"tags": ", ".join(device.device_tags.values_list("tag__name", flat=True))}
    form = checked(DeviceForm, kept | data, instance=device, actor=request.actor)
    devices.edit(device, by=request.actor, **named(form, data))
    return one(request, pk)


@endpoint("Archive a device", may=P.DEVICE_ARCHIVE)
def device_archive(request: Any, pk: int) -> None:
    """Archive a device. It disappears from lists and keeps its history. Refused while the device has an owner."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    if device.archived_at is None:
        devices.archive([device.pk], by=request.actor)


@endpoint("Restore an archived device", may=P.DEVICE_ARCHIVE, answers=DeviceOut)
def device_restore(request: Any, pk: int) -> Any:
    """Restore an archived device, so that it appears in lists again."""
    devices.restore([one(request, pk).pk], by=request.actor)
    return one(request, pk)


@endpoint("Assign a device", may=P.DEVICE_ASSIGN, takes=OwnerIn, answers=DeviceOut)
def owner_assign(request: Any, pk: int) -> Any:
    """Make the customer the owner of the device from now on, without a claim. Repeating the call changes nothing."""
    device, data = one(request, pk), request.body_data
    customer = Customer.objects.visible_to(request.actor).filter(pk=data["customer"]).first()
    if customer is None:
        raise Unfit({"customer": ["There is no such customer."]})
    if device.customer_id != customer.pk:
        _done(ownership.assign([pk], customer=customer, by=request.actor, note=data.get("note", ""), reason="api"))
    return one(request, pk)


@endpoint("Unclaim a device", may=P.DEVICE_UNCLAIM, query=ReasonQuery, answers=DeviceOut)
def owner_unclaim(request: Any, pk: int) -> Any:
    """End the ownership, also if the device is offline. It stays in its product, and its printed code stops working."""
    _done(
        ownership.unclaim(
            [one(request, pk).pk],
            reason=request.query["reason"],
            by=request.actor,
            leaves_profiles=request.query["leaves_profiles"],
        )
    )
    return one(request, pk)


def one(request: Any, pk: int) -> Device:
    """Return the device, or raise a 404."""
    device = _rows(request.actor).filter(pk=pk).first()
    if device is None:
        raise Http404
    return device


def _rows(actor: Any) -> QuerySet[Device]:
    rows = Device.objects.visible_to(actor).select_related("product", "customer")
    if actor.kind == "customer":
        return rows.prefetch_related(Prefetch("report", DeviceReport.objects.visible_to(actor)))
    return rows.select_related("report").prefetch_related("device_tags__tag")


def _called(query: dict[str, Any], rows: QuerySet[Device]) -> QuerySet[Device]:
    """Filter by the serial number and the device name in the query."""
    for name, column in {"serial_number": "serial_key", "device_name": "name_key"}.items():
        if query.get(name):
            rows = rows.filter(**{column: fold(query[name])})
    return rows


def _wanted(request: Any) -> dict[str, Any]:
    """Return the query as the console's filters take it."""
    query = request.query
    wanted = {name: query.get(name) for name in ("q", "customer", "development", "archived")}
    wanted["status"] = [query["status"]] if query.get("status") else []
    if query.get("product"):
        wanted["product"] = [find_product(request, query["product"]).pk]
    if query.get("tag"):
        wanted["tag"] = _tag(request, query["tag"])
    return wanted


def _tag(request: Any, name: str) -> int:
    tag = Tag.objects.visible_to(request.actor).filter(name_key=fold(name)).first()
    if tag is None:
        raise Unfit({"tag": ["There is no such tag."]})
    return tag.pk


def _posted(request: Any) -> dict[str, Any]:
    """Return the body as the console's form takes it: the product by id, the tags as one text."""
    data = dict(request.body_data)
    if "product" in data:
        data["product"] = find_product(request, data["product"]).pk
    if "tags" in data:
        data["tags"] = ", ".join(data["tags"])
    return data


def _done(outcome: Outcome) -> None:
    """Raise Refused if the one device was left unchanged."""
    if outcome.refused:
        raise Refused(outcome.refused[0].code, outcome.refused[0].sentence)
