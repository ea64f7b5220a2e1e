"""Labels: ordered for named devices, made by the worker, fetched as a file."""

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
# How the console's form calls what the API calls otherwise.
RENAMED = {"form": "output"}


@endpoint("List label sheets", may=P.CODE_VIEW, answers=LabelSheetOut, query=PageQuery, is_list=True)
def label_sheet_list(request: Any) -> Any:
    """The newest first."""
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
    """Up to 20,000. Each is printed or left out by itself; the operation has the results, in the order of the call."""
    named, profile = naming.Naming(request), _profile(request)
    actions.check_number(len(named.names))
    if not named.ids:
        raise Unfit({"devices": ["None of these is a device."]})
    form = _form(request, named.ids, profile)
    # A name that was there before stands for the same label, which is printed once.
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
    """Whether its file is ready."""
    return get_object_or_404(LabelSheet.objects.visible_to(request.actor), pk=pk)


@endpoint("Download a label sheet", may=P.CODE_VIEW, media=["application/pdf", "application/zip", "text/csv"])
def label_sheet_file(request: Any, pk: int) -> Any:
    """Whoever has the file can claim; who took it is told in the log. Refused (409) until it is ready."""
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
    """The console's form, valid; the profile is chosen already."""
    profiles = [profile] if profile else _profiles(request, ids)
    said = {"devices", "named_by", "claim_profile"}
    data = {RENAMED.get(name, name): value for name, value in request.body_data.items() if name not in said}
    return checked(LabelSheetForm, data, profiles=[], modules=units.modules(profiles), kept={})


def _profiles(request: Any, ids: list[int]) -> list[ClaimProfile]:
    """Those that any of the devices has a code of: the longest of their links must fit the stock."""
    codes = sql.having_ids(ClaimCode.objects.visible_to(request.actor), "device_id", ids).order_by()
    known = set(codes.values_list("profile_id", flat=True).distinct())
    return list(ClaimProfile.objects.visible_to(request.actor).filter(pk__in=known).select_related("domain"))
