"""Returns in the portal: owners request them, follow them and cancel them."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from claims.portal import returns as portal_returns
from claims.returns import slips
from claims.returns.actions import returns
from claims.returns.request_forms import RequestForm
from claims.returns.tables import PortalReturnTable
from console.downloads import answer
from console.errors import Refused
from console.forms import attempt, page
from console.listing import paginate
from console.policies import portal
from console.requests import Request


@portal
def return_create(request: Request, pk: int) -> HttpResponse:
    """Ask for the reason, then create the return."""
    device = get_object_or_404(portal_returns.sendable(request.actor), pk=pk)
    if under_way := portal_returns.under_way(request.actor, device):
        return redirect("portal:return_detail", under_way.pk)
    form = RequestForm(request.POST or None, organization=device.organization)
    customer = device.customer
    assert customer is not None  # Devices that can be sent back have an owner.
    made = attempt(form, lambda: returns.request(device, customer=customer, by=request.actor, **form.cleaned_data))
    if made is None:
        return page(request, "portal/return_create.html", form, device=device, organization=device.organization)
    return redirect("portal:return_detail", made.pk)


@portal
def return_list(request: Request) -> HttpResponse:
    """List the returns of the person's customers with their states."""
    shown = paginate(request, portal_returns.rows(request.actor), PortalReturnTable)
    return render(request, "portal/return_list.html", {"page": shown})


@portal
def return_detail(request: Request, pk: int) -> HttpResponse:
    """Show one return: what to do next, and its state."""
    returned = get_object_or_404(portal_returns.rows(request.actor), pk=pk)
    context = {
        "returned": returned,
        "organization": returned.organization,
        "device": returned.device,
        **portal_returns.detail(request.actor, returned),
    }
    return render(request, "portal/return_detail.html", context)


@portal
@require_safe
def return_slip(request: Request, pk: int) -> HttpResponseBase:
    """Download the slip to put into the box, as PDF."""
    return answer(slips.as_file(get_object_or_404(portal_returns.rows(request.actor), pk=pk)))


@portal
@require_POST
def return_cancel(request: Request, pk: int) -> HttpResponse:
    """Cancel the request, as long as the device has not been received."""
    returned = get_object_or_404(portal_returns.cancellable(request.actor), pk=pk)
    try:
        returns.cancel(returned, by=request.actor)
        messages.success(request, _("The return is cancelled. The device stays yours."))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    return redirect("portal:return_detail", returned.pk)
