"""Pages that show claim codes as pictures and replace codes that were lost or exposed."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from claims.models import ClaimCode, ClaimProfile, Scope
from claims.profiles import pages
from claims.profiles.actions import codes
from console.access import Permission
from console.downloads import answer
from console.forms import ReasonForm, page
from console.policies import requires
from console.requests import Request
from devices.models import Device


@requires(Permission.CODE_VIEW)
def claim_profile_qr(request: Request, pk: int, form: str) -> HttpResponseBase:
    """Return the QR code of a profile with scope link, for download and printing."""
    rows = ClaimCode.objects.visible_to(request.actor).select_related("profile__domain", "device")
    return answer(pages.picture(get_object_or_404(rows, profile=pk, device=None), form))


@requires(Permission.CODE_VIEW)
def unit_code_qr(request: Request, pk: int, form: str) -> HttpResponseBase:
    """Return the QR code of a device, for download and printing; `?profile=` selects one of several codes."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    rows = ClaimCode.objects.visible_to(request.actor).filter(device=device).select_related("profile__domain", "device")
    return answer(pages.picture(pages.chosen_code(request, rows), form))


@requires(Permission.PROFILE_EDIT)
def claim_profile_replace_code(request: Request, pk: int) -> HttpResponse:
    """Ask for a reason, then invalidate the profile's printed code and create a new one."""
    profile = get_object_or_404(ClaimProfile.objects.visible_to(request.actor), pk=pk, scope=Scope.LINK)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return page(request, "claims/profiles/claim_profile_replace_code.html", form, profile=profile)
    codes.replace(profile, by=request.actor, **form.cleaned_data)
    messages.success(request, _("The old code no longer works. Print and share the new one."))
    return redirect(profile)


@requires(Permission.DEVICE_EDIT)
def unit_code_replace(request: Request, pk: int) -> HttpResponse:
    """Ask for a reason, then invalidate the device's printed label and create a new code."""
    device = get_object_or_404(
        Device.objects.visible_to(request.actor).filter(claim_codes__isnull=False).distinct(), pk=pk
    )
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return page(request, "claims/profiles/unit_code_replace.html", form, device=device)
    codes.replace_for_devices([device.pk], by=request.actor, **form.cleaned_data)
    messages.success(request, _("The old label no longer works. Print the new one."))
    return redirect(device)
