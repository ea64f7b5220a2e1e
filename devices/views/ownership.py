"""Pages for assigning and unclaiming: a preview of what would happen, then the action."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect

from console import undo
from console.access import Permission
from console.bulk import answer, selection
from console.forms import ReasonForm, attempt, page
from console.policies import requires
from console.requests import Request
from devices import assignment_pages, undos
from devices.actions import ownership
from devices.filters import DeviceFilter
from devices.forms import AssignForm
from devices.models import Device, SharedAccess

DETAIL = "devices:device_detail"


@requires(Permission.DEVICE_ASSIGN)
def device_assign(request: Request) -> HttpResponse:
    """Assign the selected devices to a customer."""
    chosen = selection(request, Device.objects.visible_to(request.actor), DeviceFilter, mark="status")
    form = AssignForm(request.POST or None, actor=request.actor)
    operation = attempt(form, lambda: assignment_pages.assign(chosen, by=request.actor, **form.cleaned_data))
    if operation is None:
        context = {"chosen": chosen, **assignment_pages.preview(chosen, assigning=True)}
        return page(request, "devices/device_assign.html", form, **context)
    done = assignment_pages.assigned(operation.succeeded, form.cleaned_data["customer"])
    return answer(request, chosen, operation, done, detail=DETAIL)


@requires(Permission.DEVICE_UNCLAIM)
def device_unclaim(request: Request) -> HttpResponse:
    """Unclaim the selected devices."""
    chosen = selection(request, Device.objects.visible_to(request.actor), DeviceFilter, mark="status")
    form = ReasonForm(request.POST or None)
    leaves, by = bool(request.POST.get("leaves_profiles")), request.actor
    operation = attempt(
        form, lambda: assignment_pages.unclaim(chosen, by=by, leaves_profiles=leaves, **form.cleaned_data)
    )
    if operation is not None:
        return answer(request, chosen, operation, assignment_pages.unclaimed(operation.succeeded), detail=DETAIL)
    context = {
        "chosen": chosen,
        **assignment_pages.preview(chosen, assigning=False),
        "limit": assignment_pages.limit(request, chosen),
        **assignment_pages.links(request, chosen),
    }
    return page(request, "devices/device_unclaim.html", form, **context)


@requires(Permission.DEVICE_ASSIGN)
def device_assign_undo(request: Request, pk: int) -> HttpResponse:
    """Show which devices of an assignment can be taken back, then take them back."""
    return undo.page(request, pk, undos.ASSIGN)


@requires(Permission.DEVICE_UNCLAIM)
def device_unclaim_undo(request: Request, pk: int) -> HttpResponse:
    """Show which devices of an unclaim can be given back to their owners, then give them back."""
    return undo.page(request, pk, undos.UNCLAIM)


@requires(Permission.DEVICE_UNCLAIM)
def device_access_end(request: Request, pk: int, share_pk: int) -> HttpResponse:
    """End a shared access."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    shares = SharedAccess.objects.visible_to(request.actor).select_related("customer", "project")
    share = get_object_or_404(shares, pk=share_pk, device=device, ended_at=None)
    form = ReasonForm(request.POST or None)
    if not form.is_valid():
        return page(request, "devices/device_access_end.html", form, device=device, share=share)
    ownership.end_shares([share.pk], by=request.actor, **form.cleaned_data)
    messages.success(request, assignment_pages.access_ended(share))
    return redirect(device)
