"""Pictures of the code of one unit."""

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404

from claims.models import ClaimCode
from claims.profiles import api, pages
from console.access import Permission
from console.downloads import answer
from console.rest.endpoints import endpoint
from console.rest.fields import Body, Text
from devices.models import Device

TAG = "unit codes"

MAY, TAG = Permission.CODE_VIEW, "claim profiles"


class UnitCodeQuery(Body):
    """Which of its codes."""

    profile = Text(
        required=False,
        max_length=60,
        help_text="The id or the slug of the claim profile; without it, the newest that has a code of the device.",
    )


@endpoint("Draw the QR code of a device as SVG", may=MAY, query=UnitCodeQuery, media=["image/svg+xml"], tag=TAG)
def unit_code_qr_svg(request: Any, pk: int) -> HttpResponseBase:
    """To print at any size. Whoever has it can claim: keep it as you keep a password."""
    return answer(pages.picture(_code(request, pk), "svg"))


@endpoint("Draw the QR code of a device as PNG", may=MAY, query=UnitCodeQuery, media=["image/png"], tag=TAG)
def unit_code_qr_png(request: Any, pk: int) -> HttpResponseBase:
    """At least 1000 pixels wide. Whoever has it can claim: keep it as you keep a password."""
    return answer(pages.picture(_code(request, pk), "png"))


def _code(request: Any, pk: int) -> ClaimCode:
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    rows = ClaimCode.objects.visible_to(request.actor).filter(device=device)
    rows = rows.select_related("profile__domain", "device").order_by("-profile_id")
    if request.query.get("profile"):
        rows = rows.filter(profile=api.find(request, request.query["profile"]))
    return get_object_or_404(rows[:1])
