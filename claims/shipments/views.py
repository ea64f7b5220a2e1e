"""Shipments: the list, the packing page, shipping, and what became of it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from claims.scanning.answers import Answer
from claims.shipments import packing_list, pages
from claims.shipments.actions import shipments
from claims.shipments.filters import ShipmentFilter
from claims.shipments.forms import ShipmentForm
from claims.shipments.tables import ShipmentTable
from console.access import Permission, requires
from console.editing import Edit
from console.errors import Refused
from console.listing import render_list
from console.requests import Request


@requires(Permission.VIEW)
def shipment_list(request: Request) -> HttpResponse:
    """All shipments, filtered and paged."""
    return render_list(
        request,
        rows=pages.rows(request.actor),
        table=ShipmentTable,
        filters=ShipmentFilter,
        template="claims/shipments/shipment_list.html",
    )


@requires(Permission.SHIPMENT_EDIT)
def shipment_create(request: Request) -> HttpResponse:
    """Open a shipment."""
    initial = {"customer": request.GET.get("customer")}
    form = ShipmentForm(request.POST or None, actor=request.actor, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("claims:shipment_pack", shipments.create(by=request.actor, **form.plan()).pk)
        except Refused as refusal:
            form.add_error("customer", refusal.sentence)
    return render(request, "claims/shipments/shipment_create.html", {"form": form}, status=422 if form.errors else 200)


@requires(Permission.SHIPMENT_EDIT)
def shipment_edit(request: Request, pk: int) -> HttpResponse:
    """Change an open shipment."""
    shipment = pages.one(request, pk)
    edit = Edit(
        request,
        shipment,
        lambda data, row: ShipmentForm(data, instance=row, actor=request.actor),
        lambda row, values: shipments.edit(row, by=request.actor, **values),
        refused_at="customer",
    )
    return redirect(shipment) if edit.is_done else edit.page("claims/shipments/shipment_edit.html", shipment=shipment)


@requires(Permission.VIEW)
def shipment_detail(request: Request, pk: int) -> HttpResponse:
    """One shipment: what was ordered, what is in it, what became of it."""
    return render(request, "claims/shipments/shipment_detail.html", pages.detail(request, pages.one(request, pk)))


@requires(Permission.SHIPMENT_EDIT)
def shipment_pack(request: Request, pk: int) -> HttpResponse:
    """Pack by scanning: each scan is answered at once. A GET of htmx brings the numbers that others have changed."""
    shipment = pages.one(request, pk)
    if not shipment.is_open and request.method == "GET":
        return pages.over(request, shipment)
    answers: list[Answer] = pages.scanned(request, shipment) if request.method == "POST" else []
    return pages.packed(request, shipment, answers)


@requires(Permission.SHIPMENT_EDIT)
@require_POST
def shipment_unpack(request: Request, pk: int) -> HttpResponse:
    """Take a unit out again: the one that is named, or one's own last one."""
    shipment = pages.one(request, pk)
    return pages.packed(request, shipment, pages.taken_out(request, shipment))


@requires(Permission.SHIPMENT_EDIT)
def shipment_ship(request: Request, pk: int) -> HttpResponse:
    """Say what will be shipped and what is short, then ship."""
    shipment = pages.one(request, pk)
    if request.method == "POST":
        return pages.shipped(request, shipment)
    return render(request, "claims/shipments/shipment_ship.html", pages.before_shipping(shipment))


@requires(Permission.SHIPMENT_EDIT)
def shipment_cancel(request: Request, pk: int) -> HttpResponse:
    """Ask, then cancel and free the units."""
    shipment = pages.one(request, pk)
    if request.method == "POST":
        shipments.cancel(shipment, by=request.actor)
        messages.success(request, _("%(code)s is cancelled. What was packed is in stock.") % {"code": shipment.code})
        return redirect(shipment)
    context = {"shipment": shipment, **pages.claimed(shipment)}
    return render(request, "claims/shipments/shipment_cancel.html", context)


@requires(Permission.SHIPMENT_EDIT)
@require_POST
def shipment_reopen(request: Request, pk: int) -> HttpResponse:
    """Let a shipment be packed again whose shipping was given up."""
    shipment = pages.one(request, pk)
    shipments.reopen(shipment, by=request.actor)
    return redirect("claims:shipment_pack", shipment.pk)


@requires(Permission.VIEW)
def shipment_packing_list(request: Request, pk: int) -> HttpResponse:
    """The packing list as PDF."""
    shipment = pages.one(request, pk)
    if request.method == "HEAD":
        return packing_list.head(shipment)
    return packing_list.as_pdf(shipment, pages.code(request, shipment).get("label"))


@requires(Permission.EXPORT)
def shipment_export(request: Request, pk: int) -> HttpResponse:
    """The units with what became of each, as CSV or XLSX."""
    return packing_list.as_file(request, pages.one(request, pk))
