"""Pages for the devices of a profile, each of which has its own code."""

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from claims.models import ClaimProfile, Scope
from claims.profiles import pages
from claims.profiles.actions import codes, profiles
from claims.profiles.exports import unit_code_table
from claims.profiles.filters import UnitFilter
from claims.profiles.forms import UnitsForm
from claims.profiles.tables import UnitTable
from console.access import Actor, Permission
from console.bulk import Selection, SelectionChanged, selection
from console.export import stream
from console.forms import attempt, page
from console.listing import render_list
from console.models import Operation
from console.policies import requires
from console.requests import Request
from devices.filters import DeviceFilter
from devices.models import Device


@requires(Permission.VIEW)
def claim_profile_units(request: Request, pk: int) -> HttpResponse:
    """List the devices that have a code of this profile."""
    profile = get_object_or_404(ClaimProfile.objects.visible_to(request.actor), pk=pk, scope=Scope.UNIT)
    rows = Device.objects.visible_to(request.actor).filter(claim_codes__profile=profile)
    return render_list(
        request,
        rows=rows.select_related("product"),
        table=UnitTable,
        filters=UnitFilter,
        decorate=pages.with_codes(profile),
        template="claims/profiles/claim_profile_units.html",
        context={"profile": profile},
        counted=profile.codes.all(),  # unscoped: limited to a visible profile
    )


@requires(Permission.CODE_VIEW)
@require_POST
def claim_profile_units_export(request: Request, pk: int) -> StreamingHttpResponse:
    """Export all codes of the profile's devices as a file for the label printer. The export is logged."""
    rows = ClaimProfile.objects.visible_to(request.actor).select_related("organization", "domain")
    response = stream(request, *unit_code_table(request, get_object_or_404(rows, pk=pk, scope=Scope.UNIT)))
    response["Cache-Control"] = "no-store"
    return response


@requires(Permission.PROFILE_EDIT)
def claim_profile_add_units(request: Request) -> HttpResponse:
    """Create codes for the selected devices, in an existing profile or in a new one."""
    chosen = selection(request, Device.objects.visible_to(request.actor), DeviceFilter)
    form = UnitsForm(request.POST if request.method == "POST" else None, actor=request.actor)
    added = attempt(form, lambda: _add(chosen, by=request.actor, **form.cleaned_data), only=SelectionChanged)
    if added is None:
        context = {"chosen": chosen, **pages.units_preview(request, chosen)}
        return page(request, "claims/profiles/claim_profile_add_units.html", form, **context)
    profile, number, operation = added
    if operation is not None:
        return redirect(operation)
    sentence = ngettext("%(n)d code of %(profile)s created.", "%(n)d codes of %(profile)s created.", number)
    messages.success(request, sentence % {"n": number, "profile": profile})
    return redirect("claims:claim_profile_units", profile.pk)


def _add(
    chosen: Selection, *, profile: ClaimProfile | None, name: str, by: Actor
) -> tuple[ClaimProfile, int, Operation | None]:
    """Create the codes in a profile, or in a new one with this name; very many are created by an operation."""
    if profile is None:
        return profiles.create_for_units(name, chosen.ids, by=by)
    number, operation = codes.add_units(profile, chosen.ids, by=by)
    return profile, number, operation
