"""Asking a device, as its owner does it in the portal, and reading what it answered."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render

from claims.portal import calls
from claims.portal.tables import CallTable
from console.access import portal
from console.listing import paginate
from console.requests import Request
from devices.calls import pages as call_pages
from devices.messages import window as messages
from devices.models import Device


@portal
def call_list(request: Request, pk: int) -> HttpResponse:
    """What a device was asked in the time in which it was one's own."""
    devices = messages.devices_of(request.actor).select_related("product", "organization__logo")
    device = get_object_or_404(devices.defer("organization__logo__png"), pk=pk)
    page = paginate(request, calls.rows(request.actor).filter(device=device), CallTable, is_counted=False)
    call_pages.describe(request.actor, page.rows)
    context = {"page": page, "device": device, "organization": device.organization}
    return render(request, "portal/call_list.html", context | calls.held(request.actor, pk))


@portal
def call_create(request: Request, pk: int) -> HttpResponse:
    """Ask for a variable or call a function."""
    devices = Device.objects.visible_to(request.actor).select_related("product", "organization__logo")
    device = get_object_or_404(devices.defer("organization__logo__png"), pk=pk)
    calls.must_ask(request.actor, device)
    return call_pages.create(
        request, device, ask="portal/call_create.html", show="portal:call_detail", organization=device.organization
    )


@portal
def call_detail(request: Request, pk: int, call_pk: int) -> HttpResponse:
    """One call and its answer; it asks again by itself until the call is over."""
    call = calls.rows(request.actor).filter(device__id=pk, pk=call_pk).first()
    if call is None and request.htmx:
        # The device changed hands while the page was open: it stops asking, and is loaded again.
        return HttpResponse(headers={"HX-Refresh": "true"})
    if call is None:
        raise Http404
    context = {"device": call.device, "organization": call.organization, **calls.held(request.actor, pk)}
    return call_pages.detail(request, call, show="portal/call_detail.html", route="portal:call_detail", **context)
