"""REST endpoints to list claims and to redeem a code with a customer's key."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from claims.models import Claim, ClaimCode, ClaimProfile, Step
from claims.profiles import api as claim_profiles
from claims.redemption import offers, session
from claims.redemption.actions import funnel, redemption
from claims.redemption.actions.redemption import Claimant
from claims.redemption.api_shapes import ClaimOfProfile, ClaimOut, ClaimQuery, RedeemIn
from console import slugs, throttle
from console.access import CustomerScope, Permission
from console.errors import Refused
from console.forms import clean_text
from console.rest.endpoints import endpoint
from console.rest.paging import PageQuery, page
from console.rest.problems import Unfit

TAG = "redemption"


@endpoint(
    "List claims",
    may=Permission.VIEW,
    customer=CustomerScope.READ,
    answers=ClaimOut,
    query=ClaimQuery,
    is_list=True,
    tag="claims",
)
def claim_list(request: Any) -> Any:
    """List claims, the newest first. A customer's key sees only the claims of its own customer."""
    query, rows = request.query, _rows(request)
    if query.get("profile"):
        rows = rows.filter(**slugs.named(query["profile"].lower(), pk="profile", slug="profile__slug"))
    if query.get("customer"):
        rows = rows.filter(customer=query["customer"])
    return page(query, rows, ClaimOut)


@endpoint("See a claim", may=Permission.VIEW, customer=CustomerScope.READ, answers=ClaimOut, tag="claims")
def claim_detail(request: Any, pk: int) -> Any:
    """Return one claim: what it granted, to whom, and when."""
    return get_object_or_404(_rows(request), pk=pk)


@endpoint(
    "List the claims of a claim profile",
    may=Permission.VIEW,
    answers=ClaimOfProfile,
    query=PageQuery,
    is_list=True,
    tag="claim profiles",
)
def claim_profile_claims(request: Any, key: str) -> Any:
    """List the claims of one claim profile, the newest first."""
    return page(request.query, _rows(request).filter(profile=claim_profiles.find(request, key)), ClaimOfProfile)


def count_try(request: Any) -> None:
    """Count a try, before any look-up: for the key's customer, so that others at its address can't use it up."""
    who = f"customer {request.auth.customer.pk}"
    throttle.spend("claim-scan", who, limit=session.SCANS, seconds=session.WINDOW)


@endpoint(
    "Redeem a claim code",
    may=None,
    customer=CustomerScope.CLAIM,
    takes=RedeemIn,
    answers=ClaimOut,
    status=201,
    tag="claims",
    example={"code": "7K3M-9QXD-2F8T-C"},
    guard=count_try,
)
def claim_redeem(request: Any) -> Any:
    """Claim all that the code offers for the key's customer, or nothing. Repeating the call returns the same claim.

    `code` is the typed code, the claim link, or the content of the QR code. Attempts are counted and limited.
    """
    customer, answers = request.auth.customer, _answers(request)
    code = _found(request)
    claim = redemption.redeem_as(
        code, claimant=Claimant(customer), by=request.actor, answers=answers, host=_host(code.profile)
    )
    return get_object_or_404(_rows(request, customer=customer), pk=claim.pk)


@transaction.atomic
def _found(request: Any) -> ClaimCode:
    """Return the code in the body. Raises Refused (404) if it is unknown or belongs to another organization.

    Look-up and funnel records share one transaction, so that a code that exists takes hardly longer than one that does
    not.
    """
    code = offers.find(request.body_data["code"])
    if code is None or code.organization_id != request.actor.organization.pk:
        raise Refused(
            "unknown_code",
            _("No device has this code. Check it against the label. Replaced labels no longer work."),
            status=404,
        )
    funnel.record(code, Step.SCAN)
    funnel.record(code, Step.SIGN_IN)
    return code


def _answers(request: Any) -> dict[str, str]:
    try:
        return {name: clean_text(text) for name, text in request.body_data.get("answers", {}).items()}
    except ValidationError as error:
        raise Unfit({"answers": error.messages}) from None


def _host(profile: ClaimProfile) -> str:
    """Return the host to which the label leads: an API client has no page on which it scans."""
    return profile.domain.host if profile.domain else urlsplit(settings.BASE_URL).netloc


def _rows(request: Any, **only: Any) -> QuerySet[Claim]:
    """Return the claims that the key may read. A key that may not list claims still sees the one it just redeemed."""
    return Claim.objects.visible_to(request.actor).filter(**only).select_related("profile", "customer", "user")
