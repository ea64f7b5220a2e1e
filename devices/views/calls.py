"""Asking a device, and a device's new secret."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from console.access import Permission, requires
from console.errors import Refused
from devices.actions import calls, secrets
from devices.call_forms import CallForm
from devices.models import Call, Device

SHOWN = 20


@requires(Permission.DEVICE_CALL)
def call_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a variable or call a function; below it, what was asked before."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    form = CallForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(calls.ask(device, by=request.actor, **form.cleaned_data))
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
    rows = Call.objects.visible_to(request.actor).filter(device=device).order_by("-pk")[:SHOWN]
    context = {"form": form, "device": device, "calls": rows}
    return render(request, "devices/call_create.html", context, status=422 if form.errors else 200)


@requires(Permission.VIEW)
def call_detail(request: HttpRequest, pk: int, call_pk: int) -> HttpResponse:
    """One call and its answer; it asks again by itself until the call is over."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    call = get_object_or_404(Call.objects.visible_to(request.actor), pk=call_pk, device=device)
    is_partial = request.htmx and request.htmx.target == "call"
    template = "devices/_call.html" if is_partial else "devices/call_detail.html"
    return render(request, template, {"device": device, "call": call})


@requires(Permission.DEVICE_EDIT)
def device_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a device a new secret, and show it this once."""
    device = get_object_or_404(Device.objects.visible_to(request.actor).filter(archived_at=None), pk=pk)
    secret = secrets.renew([device.pk], by=request.actor).get(device.pk) if request.method == "POST" else None
    return render(request, "devices/device_secret.html", {"device": device, "secret": secret})
