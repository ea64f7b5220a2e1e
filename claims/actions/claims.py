"""Redeems claim codes."""

from datetime import datetime
from typing import Any

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from claims import offers
from claims.models import Claim, ClaimCode, ClaimProfile, Grant, Scope
from claims.offers import Offer
from console.access import Actor
from console.audit import record
from console.errors import Refused
from console.transactions import retrying
from customers.actions import projects
from customers.models import Customer
from devices import ledger
from devices.actions import ownership


@retrying
def redeem(
    code: ClaimCode,
    *,
    customer: Customer,
    by: Actor,
    host: str,
    answers: dict[str, str] | None = None,
    at: datetime | None = None,
) -> Claim:
    """Give the customer what the code offers, all of it or nothing, and count it.

    Redeeming again returns the same claim and counts nothing. Raises Refused with what to do next. The profile's
    counter comes last in the transaction, so that many claimants of one profile wait as briefly as can be.
    """
    at = at or timezone.now()
    offer = offers.of(_fresh(code))
    past = _past_claim(offer, customer)
    if past is not None:
        return past
    offers.check(offer, host=host, at=at)
    project = projects.default_of(customer)
    claim = Claim.objects.create(
        organization_id=offer.profile.organization_id, profile=offer.profile, code=offer.code,
        code_version=offer.code.version, is_unit=offer.profile.scope == Scope.UNIT, customer=customer, user=by.user,
        project=project, at=at, answers=answers or {}, given=_given(offer),
    )  # fmt: skip
    _give(offer, claim, by=by, at=at)
    _count(offer, at)
    return claim


def _fresh(code: ClaimCode) -> ClaimCode:
    """The code as it stands now: a raised version means that it was replaced since it was scanned."""
    rows = ClaimCode.objects.select_related("profile__organization", "profile__domain", "device__product")
    now = rows.get(pk=code.pk)
    if now.version != code.version:
        raise Refused("replaced", _("This label was replaced. Scan the new one, or ask %(brand)s for it.")
                      % {"brand": now.profile.organization.brand})  # fmt: skip
    return now


def _past_claim(offer: Offer, customer: Customer) -> Claim | None:
    past = Claim.objects.filter(profile=offer.profile, customer=customer)
    if offer.profile.scope == Scope.UNIT:
        past = past.filter(code=offer.code, code_version=offer.code.version)
    return past.first()


def _given(offer: Offer) -> list[dict[str, Any]]:
    devices = [{"kind": "device", "id": d.pk, "label": d.serial_number, "product": d.product.name}
               for d in offer.devices]  # fmt: skip
    return devices + [{"kind": "document", "title": d.title, "link": d.link} for d in offer.documents]


def _give(offer: Offer, claim: Claim, *, by: Actor, at: datetime) -> None:
    profile, ids, evidence = offer.profile, [device.pk for device in offer.devices], f"claim:{claim.pk}"
    if profile.grant == Grant.OWNERSHIP and ids:
        outcome = ownership.assign(ids, customer=claim.customer, project=claim.project, by=by, at=at,
                                   reason="claim", evidence=evidence)  # fmt: skip
        if outcome.refused:
            # Somebody else was faster since the page was shown: read it again, for the right sentence.
            offers.check(offers.of(_fresh(offer.code)), host=_host(profile), at=at)
            raise Refused(outcome.refused[0].code, outcome.refused[0].sentence)
    elif ids:
        ledger.share(ids, customer=claim.customer, project=claim.project, by=by, reason="claim", at=at,
                     evidence=evidence)  # fmt: skip
    extra = profile.additional_project
    if extra is not None and ids:
        ledger.share(ids, customer=extra.customer, project=extra, by=by, reason="claim", at=at, evidence=evidence)
    members = [(row.member.user, row.role) for row in profile.members.select_related("member__user")
               if row.member.removed_at is None]  # fmt: skip
    if members:
        projects.add_members(claim.project, members)
    record("claim.made", profile, by=by, about=claim.customer, at=at, given=[g.get("label") or g["title"]
                                                                              for g in claim.given])  # fmt: skip


def _count(offer: Offer, at: datetime) -> None:
    """Take one of the profile's claims; the condition stands in the UPDATE."""
    profile = offer.profile
    taken = ClaimProfile.objects.filter(
        Q(max_claims=None) | Q(claim_count__lt=F("max_claims")),
        Q(valid_from=None) | Q(valid_from__lte=at),
        Q(valid_until=None) | Q(valid_until__gt=at),
        pk=profile.pk,
        is_enabled=True,
    ).update(claim_count=F("claim_count") + 1, last_claimed_at=at)
    if not taken:
        offers.check(offers.of(_fresh(offer.code)), host=_host(profile), at=at)
        raise Refused("used_up", _("All claims of this offer are taken."))


def _host(profile: ClaimProfile) -> str:
    return profile.domain.host if profile.domain_id else ""
