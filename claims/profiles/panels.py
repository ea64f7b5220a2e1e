"""Panels about claims on other apps' pages.

Each function takes (request, subject) and returns HTML or an empty string.
"""

from typing import Any
from uuid import UUID

from django.template.loader import render_to_string

from claims.models import Claim, ClaimCode
from claims.profiles import charts, printed
from console.access import Permission
from console.requests import Request
from customers.models import Customer
from devices.models import Device

NEWEST = 5
OF_CUSTOMER = 10


def device_claim_code(request: Request, device: Device) -> str:
    """Return the claim codes of a device with their labels, or why it has none and how to get one."""
    actor = request.actor
    rows = ClaimCode.objects.visible_to(actor).filter(device=device).select_related("profile__domain")
    codes = list(rows.order_by("-profile_id"))
    claimed = _claimed(actor, codes) if codes else {}
    shown = [_code(actor, code, claimed.get(code.pk)) for code in codes]
    return render_to_string("claims/profiles/_device_claim_code.html", {"device": device, "codes": shown}, request)


def overview(request: Request, subject: Any = None) -> str:
    """Return the claims of the last 30 days as a chart, and the newest claims."""
    claims = Claim.objects.visible_to(request.actor)
    newest = list(claims.select_related("profile", "customer").order_by("-pk")[:NEWEST])
    return render_to_string(
        "claims/profiles/_overview.html", {"chart": charts.by_day(claims), "claims": newest}, request
    )


def customer_claims(request: Request, customer: Customer) -> str:
    """Return what a customer has claimed; empty if they have never claimed anything."""
    rows = Claim.objects.visible_to(request.actor).filter(customer=customer)
    claims = list(rows.select_related("profile", "user").order_by("-pk")[: OF_CUSTOMER + 1])
    if not claims:
        return ""
    context = {"claims": claims[:OF_CUSTOMER], "has_more": len(claims) > OF_CUSTOMER}
    return render_to_string("claims/profiles/_customer_claims.html", context, request)


def _claimed(actor: Any, codes: list[ClaimCode]) -> dict[UUID, Claim]:
    claims = Claim.objects.visible_to(actor).of_current_codes().filter(code__in=[code.pk for code in codes])
    return {
        claim.code_id: claim
        for claim in claims.select_related("customer").only("code_id", "at", "customer__name").order_by("-pk")
    }


def _code(actor: Any, code: ClaimCode, claim: Claim | None) -> dict[str, Any]:
    label = printed.label(code) if actor.may(Permission.CODE_VIEW) else None
    return {"code": code, "profile": code.profile, "claim": claim, "label": label}
