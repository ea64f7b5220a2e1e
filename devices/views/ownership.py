"""Assign and unclaim: a preview of what would happen, then the act."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from console.access import Permission, requires
from console.bulk import selection
from console.errors import Refused
from console.forms import ReasonForm
from console.models import Operation
from console.requests import Request
from devices import assignment_pages
from devices.actions import ownership, undo
from devices.filters import DeviceFilter
from devices.forms import AssignForm
from devices.models import Device, SharedAccess


@requires(Permission.DEVICE_ASSIGN)
def device_assign(request: Request) -> HttpResponse:
    """Give the selected devices to a customer."""
    chosen = selection(request, Device.objects.visible_to(request.actor), DeviceFilter, mark="status")
    form = AssignForm(request.POST or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        try:
            return assignment_pages.assign(request, chosen, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
    context = {"form": form, "chosen": chosen, **assignment_pages.preview(chosen, assigning=True)}
    return render(request, "devices/device_assign.html", context, status=422 if form.errors else 200)


@requires(Permission.DEVICE_UNCLAIM)
def device_unclaim(request: Request) -> HttpResponse:
    """Take the selected devices back."""
    chosen = selection(request, Device.objects.visible_to(request.actor), DeviceFilter, mark="status")
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            leaves = bool(request.POST.get("leaves_profiles"))
            return assignment_pages.unclaim(request, chosen, leaves_profiles=leaves, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
    context = {
        "form": form,
        "chosen": chosen,
        **assignment_pages.preview(chosen, assigning=False),
        "limit": assignment_pages.limit(request, chosen),
        **assignment_pages.links(request, chosen),
    }
    return render(request, "devices/device_unclaim.html", context, status=422 if form.errors else 200)


@requires(Permission.DEVICE_ASSIGN)
def device_assign_undo(request: Request, pk: int) -> HttpResponse:
    """Take a bulk assignment back: what can be and what can't, then the act."""
    operations = Operation.objects.visible_to(request.actor).filter(undo_route=undo.ASSIGN)
    operation = get_object_or_404(operations, pk=pk)
    if request.method == "POST":
        return redirect(undo.begin(operation, by=request.actor))
    context = {"operation": operation, **undo.preview(operation, shown=assignment_pages.SHOWN)}
    return render(request, "devices/device_assign_undo.html", context)


@requires(Permission.DEVICE_UNCLAIM)
def device_unclaim_undo(request: Request, pk: int) -> HttpResponse:
    """Give the devices of a bulk unclaim back: which can be and which can't, then the act."""
    operations = Operation.objects.visible_to(request.actor).filter(undo_route=undo.UNCLAIM)
    operation = get_object_or_404(operations, pk=pk)
    if request.method == "POST":
        return redirect(undo.begin(operation, by=request.actor))
    context = {"operation": operation, **undo.preview(operation, shown=assignment_pages.SHOWN)}
    return render(request, "devices/device_unclaim_undo.html", context)


@requires(Permission.DEVICE_UNCLAIM)
def device_access_end(request: Request, pk: int, share_pk: int) -> HttpResponse:
    """Take shared access back."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    shares = SharedAccess.objects.visible_to(request.actor).select_related("customer", "project")
    share = get_object_or_404(shares, pk=share_pk, device=device, ended_at=None)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        ownership.end_shares([share.pk], by=request.actor, **form.cleaned_data)
        messages.success(request, assignment_pages.access_ended(share))
        return redirect(device)
    context = {"form": form, "device": device, "share": share}
    return render(request, "devices/device_access_end.html", context, status=422 if form.errors else 200)
