"""Asking a device, and a device's new secret."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render

from console import once
from console.access import Permission, requires
from console.requests import Request
from devices.actions import secrets
from devices.calls import pages
from devices.models import Call, Device


@requires(Permission.DEVICE_CALL)
def call_create(request: Request, pk: int) -> HttpResponse:
    """Ask for a variable or call a function; below it, what was asked before."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    return pages.create(request, device, ask="devices/calls/call_create.html", show="devices:call_detail")


@requires(Permission.VIEW)
def call_detail(request: Request, pk: int, call_pk: int) -> HttpResponse:
    """One call and its answer; it asks again by itself until the call is over."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    call = get_object_or_404(Call.objects.visible_to(request.actor), pk=call_pk, device=device)
    return pages.detail(
        request, call, show="devices/calls/call_detail.html", route="devices:call_detail", device=device
    )


@requires(Permission.DEVICE_EDIT)
def device_secret(request: Request, pk: int) -> HttpResponseBase:
    """Give a device a new secret, and show it once: who loads the page again is asked again."""
    device = get_object_or_404(Device.objects.visible_to(request.actor).filter(archived_at=None), pk=pk)
    if request.method == "POST" and (made := secrets.renew([device.pk], by=request.actor).get(device.pk)):
        return once.lead_to(request, request.path, made)
    secret = once.take(request)
    response = render(request, "devices/device_secret.html", {"device": device, "secret": secret})
    return once.forget(request, response) if secret else response
