"""Pages of claim profiles: list, detail, forms, enabling and disabling, and the claims of a profile."""

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from claims.models import Claim, ClaimProfile
from claims.profiles import pages
from claims.profiles.actions import profiles
from claims.profiles.exports import claim_profile_table
from claims.profiles.filters import ClaimProfileFilter
from claims.profiles.forms import ClaimProfileForm
from claims.profiles.tables import ClaimProfileTable, ClaimTable
from console.access import Permission
from console.editing import Edit
from console.export import stream
from console.forms import page, press
from console.listing import render_list
from console.policies import requires
from console.requests import Request


@requires(Permission.VIEW)
def claim_profile_list(request: Request) -> HttpResponse:
    """List all claim profiles."""
    rows = ClaimProfile.objects.visible_to(request.actor).with_state()
    return render_list(
        request,
        rows=rows.select_related("product"),
        table=ClaimProfileTable,
        filters=ClaimProfileFilter,
        template="claims/profiles/claim_profile_list.html",
    )


@requires(Permission.EXPORT)
def claim_profile_export(request: Request) -> StreamingHttpResponse:
    """Stream the filtered list as CSV or XLSX."""
    return stream(request, *claim_profile_table(request))


@requires(Permission.PROFILE_EDIT)
def claim_profile_create(request: Request) -> HttpResponse:
    """Create a claim profile."""
    data = request.POST if request.method == "POST" else None
    form = ClaimProfileForm(data, actor=request.actor, initial=pages.requested(request))
    if request.method == "POST" and form.is_valid():
        return redirect(profiles.create(by=request.actor, **form.cleaned_data))
    return page(request, "claims/profiles/claim_profile_create.html", form)


@requires(Permission.VIEW)
def claim_profile_detail(request: Request, pk: int) -> HttpResponse:
    """Show a profile: its code, statistics, what it grants and who claimed it."""
    rows = ClaimProfile.objects.visible_to(request.actor).with_state()
    rows = rows.select_related("organization", "domain", "product", "additional_project__customer")
    profile = get_object_or_404(rows, pk=pk)
    return render(request, "claims/profiles/claim_profile_detail.html", pages.detail(request, profile))


@requires(Permission.PROFILE_EDIT)
def claim_profile_edit(request: Request, pk: int) -> HttpResponse:
    """Edit a claim profile."""
    profile = get_object_or_404(ClaimProfile.objects.visible_to(request.actor), pk=pk)
    edit = Edit(
        request,
        profile,
        lambda data, row: ClaimProfileForm(data, instance=row, actor=request.actor),
        lambda row, values: profiles.edit(row, by=request.actor, **values),
    )
    return redirect(profile) if edit.is_done else edit.page("claims/profiles/claim_profile_edit.html", profile=profile)


@requires(Permission.PROFILE_EDIT)
@require_POST
def claim_profile_enable(request: Request, pk: int) -> HttpResponse:
    """Enable a claim profile."""
    profile = get_object_or_404(ClaimProfile.objects.visible_to(request.actor), pk=pk)
    return press(request, profile, profiles.enable)


@requires(Permission.PROFILE_EDIT)
@require_POST
def claim_profile_disable(request: Request, pk: int) -> HttpResponse:
    """Disable a claim profile."""
    profile = get_object_or_404(ClaimProfile.objects.visible_to(request.actor), pk=pk)
    return press(request, profile, profiles.disable)


@requires(Permission.VIEW)
def claim_profile_claims(request: Request, pk: int) -> HttpResponse:
    """List all claims of a profile."""
    profile = get_object_or_404(ClaimProfile.objects.visible_to(request.actor), pk=pk)
    rows = Claim.objects.visible_to(request.actor).filter(profile=profile).select_related("customer", "user")
    return render_list(
        request,
        rows=rows,
        table=ClaimTable,
        template="claims/profiles/claim_profile_claims.html",
        decorate=pages.with_answers(profile),
        context={"profile": profile},
    )
