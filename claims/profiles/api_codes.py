"""API endpoints for the QR codes of a single device."""

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
    """Selects one of the device's claim codes by its profile."""

    profile = Text(
        required=False,
        max_length=60,
        help_text="Id or slug of the claim profile. If omitted, the newest one that has a code of the device.",
    )


@endpoint("Draw the QR code of a device as SVG", may=MAY, query=UnitCodeQuery, media=["image/svg+xml"], tag=TAG)
def unit_code_qr_svg(request: Any, pk: int) -> HttpResponseBase:
    """Return the QR code of the device as an SVG image, which prints at any size.

    Anybody who has the code can claim, so protect it like a password.
    """
    return answer(pages.picture(_code(request, pk), "svg"))


@endpoint("Draw the QR code of a device as PNG", may=MAY, query=UnitCodeQuery, media=["image/png"], tag=TAG)
def unit_code_qr_png(request: Any, pk: int) -> HttpResponseBase:
    """Return the QR code of the device as a PNG image that is at least 1000 pixels wide.

    Anybody who has the code can claim, so protect it like a password.
    """
    return answer(pages.picture(_code(request, pk), "png"))


def _code(request: Any, pk: int) -> ClaimCode:
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    rows = ClaimCode.objects.visible_to(request.actor).filter(device=device)
    rows = rows.select_related("profile__domain", "device").order_by("-profile_id")
    if request.query.get("profile"):
        rows = rows.filter(profile=api.find(request, request.query["profile"]))
    return get_object_or_404(rows[:1])
