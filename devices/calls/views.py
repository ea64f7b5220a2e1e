"""Pages for calling a device and for renewing its secret."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from console import once
from console.access import Permission
from console.forms import attempt, page
from console.policies import requires
from console.requests import Request
from devices.actions import secrets
from devices.calls import actions, pages
from devices.calls.forms import CallForm
from devices.models import Call, Device


@requires(Permission.DEVICE_CALL)
def call_create(request: Request, pk: int) -> HttpResponse:
    """Read a variable or call a function; earlier calls are listed below the form."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    form = CallForm(request.POST or None)
    call = attempt(form, lambda: actions.ask(device, by=request.actor, **form.cleaned_data))
    if call is None:
        return page(request, "devices/calls/call_create.html", form, **pages.before_asking(request.actor, device))
    return redirect("devices:call_detail", pk, call.pk)


@requires(Permission.VIEW)
def call_detail(request: Request, pk: int, call_pk: int) -> HttpResponse:
    """Show a call and its answer; the page polls until the call is over."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    call = get_object_or_404(Call.objects.visible_to(request.actor), pk=call_pk, device=device)
    is_partial = request.htmx and request.htmx.target == "call"
    template = "devices/calls/_call.html" if is_partial else "devices/calls/call_detail.html"
    context = pages.detail(request.actor, call, route="devices:call_detail")
    return render(request, template, {"device": device, **context})


@requires(Permission.DEVICE_EDIT)
def device_secret(request: Request, pk: int) -> HttpResponse:
    """Give a device a new secret and show it once. Reloading the page asks for confirmation again."""
    device = get_object_or_404(Device.objects.visible_to(request.actor).filter(archived_at=None), pk=pk)
    if request.method == "POST" and (made := secrets.renew([device.pk], by=request.actor).get(device.pk)):
        return once.lead_to(request, request.path, made)
    return once.show(request, "devices/device_secret.html", "secret", device=device)
