"""API endpoints to order labels for devices and to download the file that the worker prints."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404

from claims.labels import actions, pages, units
from claims.labels.api_shapes import LabelSheetIn, LabelSheetOut
from claims.labels.forms import LabelSheetForm
from claims.models import ClaimCode, ClaimProfile, LabelSheet
from claims.profiles import api as claim_profiles
from console import sql
from console.access import Permission
from console.downloads import answer
from console.rest.endpoints import endpoint
from console.rest.forms import checked
from console.rest.paging import PageQuery, page
from console.rest.problems import Unfit
from devices.api import naming

TAG = "label sheets"

P = Permission
# Fields of the API that have another name in the console's form.
RENAMED = {"form": "output"}


@endpoint("List label sheets", may=P.CODE_VIEW, answers=LabelSheetOut, query=PageQuery, is_list=True)
def label_sheet_list(request: Any) -> Any:
    """Return all label sheets, newest first."""
    return page(request.query, LabelSheet.objects.visible_to(request.actor), LabelSheetOut)


@endpoint(
    "Print labels",
    may=P.CODE_VIEW,
    takes=LabelSheetIn,
    answers=LabelSheetOut,
    status=202,
    example={"devices": ["AQM26-200001", "AQM26-200002"], "stock": "L7160"},
)
def label_sheet_create(request: Any) -> Any:
    """Start printing labels for up to 20,000 devices, in the background.

    A device whose label cannot be printed is left out and does not affect the others. The operation has a result for
    each device, in the order of the request.
    """
    named, profile = naming.Naming(request), _profile(request)
    actions.check_number(len(named.names))
    if not named.ids:
        raise Unfit({"devices": ["None of these names matches a device."]})
    form = _form(request, named.ids, profile)
    # A repeated name means the same label, which is printed only once.
    ids = [units.DUPLICATE if place in named.unfit and pk > 0 else pk for place, pk in enumerate(named.pks)]
    return actions.start(
        ids,
        profile_id=profile.pk if profile else None,
        form=form.cleaned_data["output"],
        options=form.options,
        by=request.actor,
        names=named.names,
    )


@endpoint("See a label sheet", may=P.CODE_VIEW, answers=LabelSheetOut)
def label_sheet_detail(request: Any, pk: int) -> Any:
    """Return a label sheet, including whether its file is ready."""
    return get_object_or_404(LabelSheet.objects.visible_to(request.actor), pk=pk)


@endpoint("Download a label sheet", may=P.CODE_VIEW, media=["application/pdf", "application/zip", "text/csv"])
def label_sheet_file(request: Any, pk: int) -> Any:
    """Return the file of a label sheet. Refused (409) until it is ready.

    Anybody who has the file can claim the devices; the audit log records each download.
    """
    sheet = get_object_or_404(LabelSheet.objects.visible_to(request.actor), pk=pk)
    return answer(pages.download(sheet, by=request.actor, is_taken=request.method != "HEAD"))


def _profile(request: Any) -> ClaimProfile | None:
    key = request.body_data.get("claim_profile")
    if key is None:
        return None
    try:
        return claim_profiles.find(request, key)
    except Http404:
        raise Unfit({"claim_profile": ["There is no such claim profile."]}) from None


def _form(request: Any, ids: list[int], profile: ClaimProfile | None) -> LabelSheetForm:
    """Return the console's form, validated. It offers no profiles, because the call already names one."""
    profiles = [profile] if profile else _profiles(request, ids)
    said = {"devices", "named_by", "claim_profile"}
    data = {RENAMED.get(name, name): value for name, value in request.body_data.items() if name not in said}
    return checked(LabelSheetForm, data, profiles=[], modules=units.modules(profiles), kept={})


def _profiles(request: Any, ids: list[int]) -> list[ClaimProfile]:
    """Return the profiles that have a code of any of the devices: the longest of their links must fit the stock."""
    codes = sql.having_ids(ClaimCode.objects.visible_to(request.actor), "device_id", ids).order_by()
    known = set(codes.values_list("profile_id", flat=True).distinct())
    return list(ClaimProfile.objects.visible_to(request.actor).filter(pk__in=known).select_related("domain"))
