"""Redeems a code for a person: for one of his customers, or for a new one that is made with the claim."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from claims.models import Claim, ClaimCode, Step
from claims.redemption.actions import claims, funnel
from claims.redemption.offers import Offer
from console.access import Actor
from console.errors import Refused
from console.transactions import retrying
from customers.actions import newcomers
from customers.models import Customer


@dataclass(frozen=True)
class Claimant:
    """For whom a code is redeemed: a customer, or for a newcomer the kind and name of the one to be made."""

    customer: Customer | None = None
    kind: str = ""
    name: str = ""


def redeem(
    code: ClaimCode,
    *,
    claimant: Claimant,
    by: Actor,
    host: str,
    answers: dict[str, str] | None = None,
    at: datetime | None = None,
    offer: Offer | None = None,
) -> Claim:
    """Give the claimant what the code offers. A refusal makes no customer, but is noted for the funnel.

    Redeeming again returns the same claim. Raises Refused with what to do next. `offer` is what the code offered a
    moment ago, where the caller has read it.
    """
    by = by.within(code.profile.organization)
    try:
        return _redeem(code, claimant, by, host=host, answers=answers, at=at, offer=offer)
    except Refused as refusal:
        funnel.note(code, Step.REFUSAL, cause=refusal.code)
        raise


def _redeem(code: ClaimCode, claimant: Claimant, by: Actor, **terms: Any) -> Claim:
    if claimant.customer is not None:
        return claims.redeem(code, customer=claimant.customer, by=by, **terms)
    return _join_and_redeem(code, claimant, by, **terms)


@retrying
def _join_and_redeem(code: ClaimCode, claimant: Claimant, by: Actor, **terms: Any) -> Claim:
    organization = code.profile.organization
    customer = newcomers.join(organization, user=by.user, kind=claimant.kind, name=claimant.name, by=by)
    return claims.redeem(code, customer=customer, by=by, **terms)
