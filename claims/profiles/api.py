"""API endpoints of claim profiles: their content, codes, claims and devices."""

from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from rest_framework.response import Response

from claims.models import ClaimCode, ClaimProfile, Scope
from claims.profiles import exports, pages, printed
from claims.profiles.actions import codes, profiles
from claims.profiles.api_input import changed, check
from claims.profiles.api_shapes import (
    CodeOut,
    CodesOut,
    ProfileDetail,
    ProfileEdit,
    ProfileIn,
    ProfileOut,
    ProfileQuery,
    ProfileUnitOut,
    ProfileUnitQuery,
    Reason,
    Replaced,
    UnitsAdded,
)
from claims.profiles.filters import ClaimProfileFilter, UnitFilter
from console import slugs
from console.access import Permission
from console.downloads import answer
from console.errors import Refused
from console.export import stream
from console.forms import ReasonForm
from console.rest.endpoints import endpoint
from console.rest.exports import as_exported, export, unpaged
from console.rest.forms import checked, filtered
from console.rest.paging import page
from devices.api import naming
from devices.models import Device

TAG = "claim profiles"

P = Permission
EXAMPLE = {"name": "Pilot 2027", "scope": "unit", "product": "aqua-meter", "max_claims": 500}


@endpoint("List claim profiles", may=P.VIEW, answers=ProfileOut, query=ProfileQuery, is_list=True)
def claim_profile_list(request: Any) -> Any:
    """Return all claim profiles, newest first, including those of shipments."""
    query, switched = request.query, {True: "enabled", False: "disabled"}
    rows = filtered(
        ClaimProfileFilter,
        _rows(request),
        request,
        q=query.get("q"),
        scope=query.get("scope"),
        grant=query.get("grant"),
        state=switched.get(query.get("enabled")),
    )
    return page(query, rows, ProfileOut)


@endpoint(
    "Create a claim profile", may=P.PROFILE_EDIT, takes=ProfileIn, answers=ProfileDetail, status=201, example=EXAMPLE
)
def claim_profile_create(request: Any) -> Any:
    """Create a claim profile with its code or, if it is tied to a product, a code for each device of the product."""
    made = profiles.create(by=request.actor, **check(request).cleaned_data)
    return find(request, str(made.pk))


@endpoint("See a claim profile", may=P.VIEW, answers=ProfileDetail)
def claim_profile_detail(request: Any, key: str) -> Any:
    """Return the claim profile with this id or slug."""
    return find(request, key)


@endpoint(
    "Edit a claim profile",
    may=P.PROFILE_EDIT,
    takes=ProfileEdit,
    answers=ProfileDetail,
    example={"version": 3, "max_claims": 1000},
)
def claim_profile_edit(request: Any, key: str) -> Any:
    """Change the fields in the body; omitted fields keep their values.

    If the body contains a version, the call is refused (409) if the profile has changed since that version.
    """
    profile, version = find(request, key), request.body_data.get("version")
    profiles.edit(profile, by=request.actor, version=version, **changed(request, profile))
    return find(request, str(profile.pk))


@endpoint("Enable a claim profile", may=P.PROFILE_EDIT, answers=ProfileDetail)
def claim_profile_enable(request: Any, key: str) -> Any:
    """Allow the profile to be claimed from now on."""
    profile = find(request, key)
    profiles.enable(profile, by=request.actor)
    return find(request, str(profile.pk))


@endpoint("Disable a claim profile", may=P.PROFILE_EDIT, answers=ProfileDetail)
def claim_profile_disable(request: Any, key: str) -> Any:
    """Stop the profile from being claimed, effective immediately. What was claimed before stays with the customers."""
    profile = find(request, key)
    profiles.disable(profile, by=request.actor)
    return find(request, str(profile.pk))


@endpoint("See the code of a claim profile", may=P.CODE_VIEW, answers=CodeOut)
def claim_profile_code(request: Any, key: str) -> Any:
    """Return the code of a profile with scope link.

    Anybody who has the code can claim, so protect it like a password.
    """
    return private(CodeOut(said(_code(request, key))).data)


@endpoint("Draw the QR code of a claim profile as SVG", may=P.CODE_VIEW, media=["image/svg+xml"])
def claim_profile_qr_svg(request: Any, key: str) -> Any:
    """Return the QR code of a profile with scope link as an SVG image, which prints at any size."""
    return answer(pages.picture(_code(request, key), "svg"))


@endpoint("Draw the QR code of a claim profile as PNG", may=P.CODE_VIEW, media=["image/png"])
def claim_profile_qr_png(request: Any, key: str) -> Any:
    """Return the QR code of a profile with scope link as a PNG image that is at least 1000 pixels wide."""
    return answer(pages.picture(_code(request, key), "png"))


@endpoint(
    "Replace the code of a claim profile",
    may=P.PROFILE_EDIT,
    takes=Reason,
    answers=ProfileDetail,
    example={"reason": "The poster was photographed"},
)
def claim_profile_replace_code(request: Any, key: str) -> Any:
    """Replace the code of a profile with scope link. The old code stops working immediately."""
    profile = find(request, key)
    form = checked(ReasonForm, request.body_data)
    get_object_or_404(profile.codes, device=None)
    codes.replace(profile, by=request.actor, **form.cleaned_data)
    return find(request, str(profile.pk))


@endpoint(
    "List the devices of a claim profile", may=P.VIEW, answers=ProfileUnitOut, query=ProfileUnitQuery, is_list=True
)
def claim_profile_units(request: Any, key: str) -> Any:
    """Return the devices that have a code of this profile, claimed or not. A profile with scope link has none."""
    profile = find(request, key)
    rows = Device.objects.visible_to(request.actor).filter(claim_codes__profile=profile)
    rows = filtered(UnitFilter, rows, request, q=request.query.get("q"))
    answer = page(
        request.query, rows, ProfileUnitOut, newest_first=False, bring_codes=partial(pages.with_codes(profile), request)
    )
    answer["Cache-Control"] = "no-store"
    return answer


@endpoint(
    "Add devices to a claim profile",
    may=P.PROFILE_EDIT,
    takes=naming.Named,
    answers=UnitsAdded,
    example={"devices": ["AQM26-200001", "AQM26-200002"]},
)
def claim_profile_add_units(request: Any, key: str) -> Any:
    """Create a code for each of the devices; those that cannot get one are left out and do not affect the others.

    Only works for a profile with scope unit that is not tied to a product.
    """
    profile, named = find(request, key), naming.Naming(request)
    made, operation = codes.add_units(profile, named.ids, by=request.actor)
    return {"made": made, "operation": operation.pk if operation else None, "results": named.results({})}


@endpoint("List the claim codes of a device", may=P.CODE_VIEW, answers=CodesOut)
def device_claim_codes(request: Any, pk: int) -> Any:
    """Return the device's claim codes, one for each profile with scope unit that includes the device."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    rows = ClaimCode.objects.visible_to(request.actor).filter(device=device)
    rows = rows.select_related("profile__domain", "device").order_by("profile")
    return private({"results": [CodeOut(said(code)).data for code in rows]})


@endpoint(
    "Replace the claim codes of a device",
    may=P.DEVICE_EDIT,
    takes=Reason,
    answers=Replaced,
    example={"reason": "Label damaged"},
)
def device_claim_codes_replace(request: Any, pk: int) -> Any:
    """Replace all claim codes of the device. Its printed labels stop working immediately."""
    rows = Device.objects.visible_to(request.actor).filter(claim_codes__isnull=False).distinct()
    device = get_object_or_404(rows, pk=pk)
    form = checked(ReasonForm, request.body_data)
    return {"replaced": codes.replace_for_devices([device.pk], by=request.actor, **form.cleaned_data)}


def find(request: Any, key: str) -> ClaimProfile:
    """Return the claim profile with this id or slug. Raises Http404 if there is none."""
    return get_object_or_404(_rows(request), **slugs.named(key.lower()))


def said(code: ClaimCode) -> dict[str, Any]:
    """Return the printed forms of a code, as input for CodeOut."""
    label = printed.label(code)
    return {
        "profile": code.profile,
        "version": code.version,
        "changed_at": code.changed_at,
        "link": label.link if label else None,
        "qr_text": label.canonical if label else None,
        "typed_code": label.typed if label else None,
    }


def private(data: Any) -> Response:
    """Return a response that no cache may store."""
    return Response(data, headers={"Cache-Control": "no-store"})


@export("Download claim profiles", may=P.EXPORT, query=unpaged(ProfileQuery), tag=TAG)
def claim_profile_export(request: Any, form: str) -> StreamingHttpResponse:
    """Returns all claim profiles that match the given filters, newest first."""
    query, switched = request.query, {True: "enabled", False: "disabled"}
    wanted = {name: query.get(name) for name in ("q", "scope", "grant")}
    wanted["state"] = switched.get(query.get("enabled"))
    filtered(ClaimProfileFilter, ClaimProfile.objects.visible_to(request.actor), request, **wanted)
    asked = as_exported(request, form, **wanted)
    return stream(asked, *exports.claim_profile_table(asked))


@export("Download the codes of a claim profile's devices", may=P.CODE_VIEW, tag=TAG)
def claim_profile_units_export(request: Any, form: str, key: str) -> StreamingHttpResponse:
    """Returns the serial number, typed code and link of each device.

    Anyone who has the file can claim the devices. The download is logged.
    """
    profile = find(request, key)
    if profile.scope != Scope.UNIT:
        raise Refused("no_unit_codes", "This profile has one shared code. Get that code instead.")
    asked = as_exported(request, form)
    response = stream(asked, *exports.unit_code_table(asked, profile))
    response["Cache-Control"] = "no-store"
    return response


def _code(request: Any, key: str) -> ClaimCode:
    rows = ClaimCode.objects.visible_to(request.actor).select_related("profile__domain", "device")
    return get_object_or_404(rows, profile=find(request, key), device=None)


def _rows(request: Any) -> QuerySet[ClaimProfile]:
    rows = ClaimProfile.objects.visible_to(request.actor).with_state()
    return rows.select_related("organization", "domain", "product", "additional_project")
