"""Console pages of shipments: list, packing, shipping and reconciliation."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from claims.models import Shipment
from claims.scanning.answers import Answer
from claims.shipments import packing_list, pages
from claims.shipments.actions import shipments, shipping
from claims.shipments.filters import ShipmentFilter
from claims.shipments.forms import ShipmentForm
from claims.shipments.tables import ShipmentTable
from console.access import Permission
from console.downloads import answer
from console.editing import Edit
from console.export import stream
from console.forms import attempt, page, press
from console.listing import render_list
from console.policies import requires
from console.requests import Request


@requires(Permission.VIEW)
def shipment_list(request: Request) -> HttpResponse:
    """Show the shipments, filtered and paged."""
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
    shipment = attempt(form, lambda: shipments.create(by=request.actor, **form.plan()), field="customer")
    if shipment is None:
        return page(request, "claims/shipments/shipment_create.html", form)
    return redirect("claims:shipment_pack", shipment.pk)


@requires(Permission.SHIPMENT_EDIT)
def shipment_edit(request: Request, pk: int) -> HttpResponse:
    """Edit an open shipment."""
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
    """Show a shipment: what was ordered, what is in it and what became of it."""
    return render(request, "claims/shipments/shipment_detail.html", pages.detail(request, pages.one(request, pk)))


@requires(Permission.SHIPMENT_EDIT)
def shipment_pack(request: Request, pk: int) -> HttpResponse:
    """Pack devices by scanning, with an immediate answer. htmx polls by GET for changes made by other people."""
    shipment = pages.one(request, pk)
    if not shipment.is_open and request.method == "GET":
        if request.htmx:
            # A packing page that is still open elsewhere must leave packing as well.
            return HttpResponse(status=204, headers={"HX-Redirect": shipment.get_absolute_url()})
        return redirect(shipment)
    answers: list[Answer] = pages.scanned(request, shipment) if request.method == "POST" else []
    return _workbench(request, shipment, answers)


@requires(Permission.SHIPMENT_EDIT)
@require_POST
def shipment_unpack(request: Request, pk: int) -> HttpResponse:
    """Remove the named device, or else the one that the person packed last."""
    shipment = pages.one(request, pk)
    return _workbench(request, shipment, pages.taken_out(request, shipment))


@requires(Permission.SHIPMENT_EDIT)
def shipment_ship(request: Request, pk: int) -> HttpResponse:
    """Show what will be shipped and what is short, then ship. A box that is claimed by code is only sent."""
    shipment = pages.one(request, pk)
    if request.method != "POST":
        return render(request, "claims/shipments/shipment_ship.html", pages.before_shipping(shipment))
    if shipment.is_claimed_by_code and shipment.is_open and pages.claimed(shipment)["left"]:
        number = shipping.send(shipment, by=request.actor)
        messages.success(request, pages.sent(shipment, number))
        return redirect(shipment)
    operation = shipping.ship(shipment, by=request.actor)
    if not operation.is_over:
        return redirect(operation)
    messages.success(request, operation.sentence)
    return redirect(shipment)


@requires(Permission.SHIPMENT_EDIT)
def shipment_cancel(request: Request, pk: int) -> HttpResponse:
    """Ask for confirmation, then cancel the shipment and return its devices to stock."""
    shipment = pages.one(request, pk)
    if request.method != "POST":
        context = {"shipment": shipment, **pages.claimed(shipment)}
        return render(request, "claims/shipments/shipment_cancel.html", context)
    said = _("%(code)s is cancelled. Its devices are back in stock.") % {"code": shipment.code}
    return press(request, shipment, shipments.cancel, said)


@requires(Permission.SHIPMENT_EDIT)
@require_POST
def shipment_reopen(request: Request, pk: int) -> HttpResponse:
    """Reopen a shipment after shipping it failed."""
    shipment = pages.one(request, pk)
    return press(request, shipment, shipments.reopen, to=reverse("claims:shipment_pack", args=[pk]))


@requires(Permission.VIEW)
def shipment_packing_list(request: Request, pk: int) -> HttpResponseBase:
    """Return the packing list as a PDF."""
    shipment = pages.one(request, pk)
    label = pages.code(request, shipment).get("label")
    return answer(packing_list.as_pdf(shipment, label, is_drawn=request.method != "HEAD"))


@requires(Permission.EXPORT)
def shipment_export(request: Request, pk: int) -> HttpResponseBase:
    """Return the devices and what became of each, as CSV or XLSX."""
    return stream(request, *packing_list.table(pages.one(request, pk)))


def _workbench(request: Request, shipment: Shipment, answers: list[Answer]) -> HttpResponse:
    """Return the packing page, or only its changing part for htmx; 204 if the page is already up to date."""
    context = pages.workbench(request, shipment, answers)
    if request.htmx and request.method == "GET" and request.GET.get("seen") == context["version"]:
        return HttpResponse(status=204)
    partial = request.htmx and request.htmx.target in {"workbench-content", "counts"}
    template = "claims/shipments/_shipment_workbench.html" if partial else "claims/shipments/shipment_pack.html"
    return render(request, template, context)
