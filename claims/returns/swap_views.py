"""Swap: replaces a customer's device with another one."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from claims.models import Return
from claims.returns import pages
from claims.returns.actions import swaps
from claims.returns.forms import SwapForm
from console.access import Permission
from console.forms import attempt, page
from console.policies import requires
from console.requests import Request
from devices.models import Device


@requires(Permission.RETURN_EDIT)
def device_swap(request: Request, pk: int) -> HttpResponse:
    """Choose the replacement, then swap the devices."""
    rows = Device.objects.visible_to(request.actor).select_related("product", "customer")
    device = get_object_or_404(rows, pk=pk)
    asked = Return.objects.visible_to(request.actor).under_way().filter(device=device).first()
    form = SwapForm(request.POST or None, actor=request.actor, device=device, reason=asked.reason if asked else "")
    customer = device.customer
    returned = attempt(form, lambda: swaps.swap(device, by=request.actor, **form.terms()))
    if returned is None:
        context = {"device": device, "asked": asked, **pages.swapped(request, device)}
        return page(request, "claims/returns/device_swap.html", form, **context)
    new = form.cleaned_data["replacement"]
    words = {"new": new, "old": device, "customer": customer, "code": returned.code}
    messages.success(request, _("%(new)s has replaced %(old)s for %(customer)s. Its return is %(code)s.") % words)
    return redirect(new)
