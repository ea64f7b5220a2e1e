"""Calls to a device in the portal, made by its owner, and the answers."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from claims.portal import calls
from claims.portal.tables import CallTable
from console.forms import attempt, page
from console.listing import paginate
from console.policies import portal
from console.requests import Request
from devices.calls import actions
from devices.calls import pages as call_pages
from devices.calls.forms import CallForm
from devices.messages import window as messages
from devices.models import Device


@portal
def call_list(request: Request, pk: int) -> HttpResponse:
    """List the calls to a device from the time that it belonged to the person."""
    devices = messages.devices_of(request.actor).select_related("product", "organization__logo")
    device = get_object_or_404(devices.defer("organization__logo__png"), pk=pk)
    shown = paginate(request, calls.rows(request.actor).filter(device=device), CallTable, is_counted=False)
    call_pages.describe(request.actor, shown.rows)
    context = {"page": shown, "device": device, "organization": device.organization}
    return render(request, "portal/call_list.html", context | calls.held(request.actor, pk))


@portal
def call_create(request: Request, pk: int) -> HttpResponse:
    """Read a variable or call a function of a device."""
    devices = Device.objects.visible_to(request.actor).select_related("product", "organization__logo")
    device = get_object_or_404(devices.defer("organization__logo__png"), pk=pk)
    calls.must_ask(request.actor, device)
    form = CallForm(request.POST or None)
    call = attempt(form, lambda: actions.ask(device, by=request.actor, **form.cleaned_data))
    if call is not None:
        return redirect("portal:call_detail", pk, call.pk)
    context = {"organization": device.organization, **call_pages.before_asking(request.actor, device)}
    return page(request, "portal/call_create.html", form, **context)


@portal
def call_detail(request: Request, pk: int, call_pk: int) -> HttpResponse:
    """Show one call and its answer; the page polls until the call is over."""
    call = calls.rows(request.actor).filter(device__id=pk, pk=call_pk).first()
    if call is None and request.htmx:
        # The device changed hands while the page was open: reload the page, which stops the polling.
        return HttpResponse(headers={"HX-Refresh": "true"})
    if call is None:
        raise Http404
    is_partial = request.htmx and request.htmx.target == "call"
    template = "devices/calls/_call.html" if is_partial else "portal/call_detail.html"
    context = {"device": call.device, "organization": call.organization, **calls.held(request.actor, pk)}
    return render(request, template, {**context, **call_pages.detail(request.actor, call, route="portal:call_detail")})
