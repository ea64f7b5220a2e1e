"""Shipments: the list, the packing page, shipping, and what became of it."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from claims.models import Shipment
from claims.scanning.answers import Answer
from claims.shipments import packing_list, pages
from claims.shipments.actions import shipments
from claims.shipments.filters import ShipmentFilter
from claims.shipments.forms import ShipmentForm
from claims.shipments.tables import ShipmentTable
from console.access import Permission, requires
from console.downloads import answer
from console.editing import Edit
from console.export import stream
from console.forms import attempt, page, press
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
    shipment = attempt(form, lambda: shipments.create(by=request.actor, **form.plan()), field="customer")
    if shipment is None:
        return page(request, "claims/shipments/shipment_create.html", form)
    return redirect("claims:shipment_pack", shipment.pk)


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
        if request.htmx:
            # A packing page that is still open goes to the shipment too.
            return HttpResponse(status=204, headers={"HX-Redirect": shipment.get_absolute_url()})
        return redirect(shipment)
    answers: list[Answer] = pages.scanned(request, shipment) if request.method == "POST" else []
    return _bench(request, shipment, answers)


@requires(Permission.SHIPMENT_EDIT)
@require_POST
def shipment_unpack(request: Request, pk: int) -> HttpResponse:
    """Take a unit out again: the one that is named, or one's own last one."""
    shipment = pages.one(request, pk)
    return _bench(request, shipment, pages.taken_out(request, shipment))


@requires(Permission.SHIPMENT_EDIT)
def shipment_ship(request: Request, pk: int) -> HttpResponse:
    """Say what will be shipped and what is short, then ship. A box that the customer claims just leaves."""
    shipment = pages.one(request, pk)
    if request.method != "POST":
        return render(request, "claims/shipments/shipment_ship.html", pages.before_shipping(shipment))
    if shipment.is_claimed_by_code and shipment.is_open and pages.claimed(shipment)["left"]:
        number = shipments.send(shipment, by=request.actor)
        messages.success(request, pages.sent(shipment, number))
        return redirect(shipment)
    operation = shipments.ship(shipment, by=request.actor)
    if not operation.is_over:
        return redirect(operation)
    messages.success(request, operation.sentence)
    return redirect(shipment)


@requires(Permission.SHIPMENT_EDIT)
def shipment_cancel(request: Request, pk: int) -> HttpResponse:
    """Ask, then cancel and free the units."""
    shipment = pages.one(request, pk)
    if request.method != "POST":
        context = {"shipment": shipment, **pages.claimed(shipment)}
        return render(request, "claims/shipments/shipment_cancel.html", context)
    said = _("%(code)s is cancelled. What was packed is in stock.") % {"code": shipment.code}
    return press(request, shipment, shipments.cancel, said)


@requires(Permission.SHIPMENT_EDIT)
@require_POST
def shipment_reopen(request: Request, pk: int) -> HttpResponse:
    """Let a shipment be packed again whose shipping was given up."""
    shipment = pages.one(request, pk)
    return press(request, shipment, shipments.reopen, to=reverse("claims:shipment_pack", args=[pk]))


@requires(Permission.VIEW)
def shipment_packing_list(request: Request, pk: int) -> HttpResponseBase:
    """The packing list as PDF."""
    shipment = pages.one(request, pk)
    label = pages.code(request, shipment).get("label")
    return answer(packing_list.as_pdf(shipment, label, is_drawn=request.method != "HEAD"))


@requires(Permission.EXPORT)
def shipment_export(request: Request, pk: int) -> HttpResponseBase:
    """The units with what became of each, as CSV or XLSX."""
    return stream(request, *packing_list.table(pages.one(request, pk)))


def _bench(request: Request, shipment: Shipment, answers: list[Answer]) -> HttpResponse:
    """Return the packing page, or its changing part to htmx; 204 to a page that shows all of it already."""
    context = pages.bench(request, shipment, answers)
    if request.htmx and request.method == "GET" and request.GET.get("seen") == context["version"]:
        return HttpResponse(status=204)
    partial = request.htmx and request.htmx.target in {"bench", "counts"}
    template = "claims/shipments/_shipment_bench.html" if partial else "claims/shipments/shipment_pack.html"
    return render(request, template, context)
