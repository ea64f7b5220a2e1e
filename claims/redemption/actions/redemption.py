"""Redeems claim codes for a customer, or for a new user who becomes a customer with the claim."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NotRequired, TypedDict, Unpack

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from claims.models import Claim, ClaimCode, ClaimProfile, Grant, Scope, Step
from claims.redemption import events, offers, parcels
from claims.redemption.actions import funnel
from claims.redemption.offers import Offer
from console import clock
from console.access import Actor
from console.audit import record
from console.errors import Refused
from console.transactions import retrying
from customers.directory import actions as customers
from customers.models import Customer
from customers.people.actions import newcomers
from customers.projects.actions import members as project_members
from customers.projects.actions import projects
from devices import events as device_events
from devices import ledger
from devices.actions import ownership
from devices.acts import Act, BegunAct
from devices.log import record_devices
from devices.models import Device, DeviceStatus, SharedAccess

MOST_OF_AN_ANSWER = 500


class Terms(TypedDict):
    """Who redeems a code, and how. `offer` is what the code offered a moment ago, if the caller has read it."""

    by: Actor
    # The host on which the code is redeemed: a profile may require its own domain.
    host: str
    answers: NotRequired[dict[str, str] | None]
    at: NotRequired[datetime | None]
    offer: NotRequired[Offer | None]


@dataclass(frozen=True)
class Claimant:
    """For whom a code is redeemed: a customer, or the kind and name of the customer to create."""

    customer: Customer | None = None
    kind: str = ""
    name: str = ""


def redeem_as(code: ClaimCode, *, claimant: Claimant, **terms: Unpack[Terms]) -> Claim:
    """Give the claimant what the code offers. A refusal creates no customer, but is recorded for the funnel.

    Redeeming again returns the same claim. Raises Refused, with what to do next, if the code can't be redeemed.
    """
    terms["by"] = terms["by"].within(code.profile.organization)
    try:
        if claimant.customer is not None:
            return redeem(code, customer=claimant.customer, **terms)
        return _join_and_redeem(code, claimant, **terms)
    except Refused as refusal:
        funnel.record(code, Step.REFUSAL, cause=refusal.code)
        raise


@retrying
def _join_and_redeem(code: ClaimCode, claimant: Claimant, **terms: Unpack[Terms]) -> Claim:
    organization, by = code.profile.organization, terms["by"]
    customer = newcomers.join(organization, user=by.user, kind=claimant.kind, name=claimant.name, by=by)
    return redeem(code, customer=customer, **terms)


@retrying
def redeem(code: ClaimCode, *, customer: Customer, **terms: Unpack[Terms]) -> Claim:
    """Give the customer everything that the code offers, or nothing, and count the claim.

    Redeeming again returns the same claim and counts nothing. Raises Refused, with what to do next, if the code can't
    be redeemed. The profile's counter is updated last in the transaction, so that concurrent claims of one profile wait
    as briefly as possible. With an `offer`, nothing is read again: the UPDATEs check what must still hold.
    """
    by, host, now = terms["by"], terms["host"], terms.get("at") or clock.now()
    offer = terms.get("offer") or offers.of(_fresh(code))
    _check_customer(offer, customer)
    past = _past_claim(offer, customer)
    if past is not None:
        _check_still_held(past)
        return past
    offers.check(offer, host=host, at=now, customer=customer)
    act = _begin(offer, customer, by, terms.get("at"))
    claim = Claim.objects.create(
        organization_id=offer.profile.organization_id,
        profile=offer.profile,
        code=offer.code,
        code_version=offer.code.version,
        is_unit=offer.profile.scope == Scope.UNIT,
        customer=customer,
        user=by.user,
        project=projects.default_of(customer),
        at=act.at,
        answers=_answers(offer.profile, terms.get("answers") or {}),
        given=_given(offer),
    )
    _give(offer, claim, replace(act, evidence=f"claim:{claim.pk}"), host=host)
    funnel.record(offer.code, Step.CLAIM, at=act.at)
    _count(offer, claim, host=host, at=act.at)
    return claim


def _begin(offer: Offer, customer: Customer, by: Actor, at: datetime | None) -> BegunAct:
    """Choose the instant of the claim and all it gives. Locks are taken in the order that is used everywhere."""
    if at is None:
        if offer.profile.grant == Grant.OWNERSHIP:
            customers.lock(customer)
        packed = {parcel.pk: parcel for parcel in [*offer.packed.values(), *filter(None, [offer.parcel])]}
        for pk in sorted(packed):
            packed[pk].lock()
    return ledger.begin([device.pk for device in offer.devices], Act(by, at=at))


def _fresh(code: ClaimCode) -> ClaimCode:
    """Return the code as it is now. A higher version means that it was replaced since it was scanned."""
    rows = ClaimCode.objects.select_related(
        "profile__organization", "profile__domain", "device__product", "device__customer"
    )
    now = rows.get(pk=code.pk)
    if now.version != code.version:
        raise Refused(
            "replaced",
            _("This label was replaced. Scan the new one, or ask %(brand)s for it.")
            % {"brand": now.profile.organization.brand},
        )
    return now


def _check_customer(offer: Offer, customer: Customer) -> None:
    brand = {"brand": offer.profile.organization.brand}
    if customer.organization_id != offer.profile.organization_id:
        raise Refused(
            "wrong_customer",
            _("This account belongs to another supplier. Use an account with %(brand)s to claim it.") % brand,
        )
    if offer.waits_for - {customer.pk}:
        raise offers.not_theirs(offer)
    if customer.archived_at:
        raise Refused("customer_archived", _("Your account is closed. Ask %(brand)s to reopen it.") % brand)


def _past_claim(offer: Offer, customer: Customer) -> Claim | None:
    rows = Claim.objects.filter(profile=offer.profile, customer=customer)
    if offer.profile.scope == Scope.UNIT:
        rows = rows.filter(code=offer.code, code_version=offer.code.version)
    past = rows.first()
    if past is not None:
        past.profile = offer.profile
    return past


def _check_still_held(claim: Claim) -> None:
    """Raise Refused if the customer gave back or lost what this claim gave: it can't be claimed twice."""
    ids = [thing["id"] for thing in claim.given if thing["kind"] == "device"]
    owned = Device.objects.filter(pk__in=ids, customer=claim.customer_id).values("pk")
    seen = SharedAccess.objects.open().filter(device__in=ids, customer=claim.customer_id).values("device")
    if Device.objects.filter(pk__in=ids).exclude(pk__in=owned).exclude(pk__in=seen).exists():
        day = date_format(timezone.localtime(claim.at), "j M Y")
        raise Refused(
            "claimed_before",
            _("You claimed this on %(day)s and no longer have it. Ask %(brand)s for a new code.")
            % {"day": day, "brand": claim.profile.organization.brand},
        )


def _answers(profile: ClaimProfile, answers: dict[str, str]) -> dict[str, str]:
    """Return the answers to the profile's questions, and no others. Raises Refused if a required one is missing."""
    given = {asked["name"]: str(answers.get(asked["name"], "")).strip()[:MOST_OF_AN_ANSWER] for asked in profile.form}
    for asked in profile.form:
        if asked["required"] and not given[asked["name"]]:
            raise Refused(
                "answer_missing", _("“%(label)s” is required. Fill it in.") % {"label": asked["label"]}, status=422
            )
    return given


def _given(offer: Offer) -> list[dict[str, Any]]:
    devices = [
        {"kind": "device", "id": d.pk, "label": d.serial_number, "product": d.product.name} for d in offer.devices
    ]
    return devices + [{"kind": "document", "title": d.title, "link": d.link} for d in offer.documents]


def _give(offer: Offer, claim: Claim, act: BegunAct, *, host: str) -> None:
    """Give what the code offers: the devices, also to the additional project, and the members of the profile."""
    _give_devices(offer, claim, act, host=host)
    _share_with_additional_project(offer, claim, act)
    members = _let_members_in(offer, claim, act)
    record(
        events.CLAIM_CREATED,
        offer.profile,
        by=act.by,
        about=claim.customer,
        at=act.at,
        given=[thing.get("label") or thing["title"] for thing in claim.given],
        members=members,
    )


def _give_devices(offer: Offer, claim: Claim, act: BegunAct, *, host: str) -> None:
    ids = [device.pk for device in offer.devices]
    if offer.profile.grant == Grant.OWNERSHIP and (ids or offer.parcel is not None):
        refusal = _own(offer, claim, ids, act)
        if refusal is not None:
            # Somebody else was faster since the page was shown. The offer is read again for the right message.
            offers.check(offers.of(_fresh(offer.code)), host=host, at=act.at, customer=claim.customer)
            # Since then it was packed for the claimant, so they may claim it after all.
            raise _changed() if refusal.code == "reserved" else refusal
    elif ids:
        seen = _share(offer, claim, ids, act, host=host)
        record_devices(device_events.ACCESS_GIVEN, seen, by=act.by, about=claim.customer, at=act.at)


def _share_with_additional_project(offer: Offer, claim: Claim, act: BegunAct) -> None:
    """Let the profile's additional project see the devices, unless it is the claimant's own anyway."""
    extra, ids = offer.profile.additional_project, [device.pk for device in offer.devices]
    if extra is not None and extra.customer_id != claim.customer_id and ids:
        act = replace(act, note=offer.profile.name)
        shared = ledger.share(ids, act, customer=extra.customer, project=extra, reason="claim")
        record_devices(device_events.ACCESS_GIVEN, shared, by=act.by, about=extra.customer, at=act.at)


def _let_members_in(offer: Offer, claim: Claim, act: BegunAct) -> list[str]:
    """Add the profile's members to the claimant's project. Returns them with their roles, for the log."""
    members = [
        (row.member.user, row.role)
        for row in offer.profile.members.select_related("member__user")
        if row.member.removed_at is None
    ]
    if members:
        since = ledger.after_last_activity_in(claim.project, act.at)
        terms: dict[str, Any] = {"evidence": act.evidence, "note": offer.profile.name}
        project_members.let_in(claim.project, members, by=act.by, at=since, **terms)
    return [f"{user} ({role})" for user, role in members]


def _share(offer: Offer, claim: Claim, ids: list[int], act: BegunAct, *, host: str) -> list[int]:
    """Let the claimant see the devices. Raises Refused if one of them changed owner since the page was shown."""
    try:
        return ledger.share(
            ids,
            replace(act, note=offer.profile.name),
            customer=claim.customer,
            project=claim.project,
            reason="claim",
            only_kept=True,
        )
    except Refused:
        offers.check(offers.of(_fresh(offer.code)), host=host, at=act.at, customer=claim.customer)
        raise


def _own(offer: Offer, claim: Claim, ids: list[int], act: BegunAct) -> Refused | None:
    """Give the devices to the claimant. Returns a refusal if some could not be given; the caller then rolls back."""
    if offer.parcel is None:
        return _own_units(offer, claim, ids, act)
    try:
        outcome = offer.parcel.hand_over(claim=claim, by=act.by, at=act.at)
    except Refused as refusal:
        return refusal
    return None if outcome.done == sorted(ids) else _changed()


def _own_units(offer: Offer, claim: Claim, ids: list[int], act: BegunAct) -> Refused | None:
    """Give devices by their own codes or a link: those in stock, and those packed for the claimant."""
    terms: dict[str, Any] = {
        "customer": claim.customer,
        "project": claim.project,
        "by": act.by,
        "at": act.at,
        "reason": "claim",
        "evidence": act.evidence,
    }
    packed = sorted(offer.packed)
    if packed:
        try:
            parcels.take_out(packed, claim=claim, by=act.by)
        except Refused as refusal:
            return refusal
    refused = []
    if loose := [pk for pk in ids if pk not in offer.packed]:
        refused += ownership.assign(loose, **terms).refused
    if packed:
        refused += ownership.assign(packed, frm=(DeviceStatus.RESERVED,), **terms).refused
    return Refused(refused[0].code, refused[0].sentence) if refused else None


def _count(offer: Offer, claim: Claim, *, host: str, at: datetime) -> None:
    """Count one claim of the profile. Raises Refused if it can't be claimed any further.

    The UPDATE checks all that must still hold: the limit, the switch, and that nobody edited the profile or replaced
    the code since they were read.
    """
    profile = offer.profile
    printed = ClaimCode.objects.filter(pk=offer.code.pk, version=offer.code.version, profile=OuterRef("pk"))
    taken = ClaimProfile.objects.filter(
        Exists(printed),
        Q(max_claims=None) | Q(claim_count__lt=F("max_claims")),
        Q(valid_from=None) | Q(valid_from__lte=at),
        Q(valid_until=None) | Q(valid_until__gt=at),
        pk=profile.pk,
        version=profile.version,
        is_enabled=True,
    ).update(claim_count=F("claim_count") + 1, last_claimed_at=at)
    if not taken:
        now = offers.of(_fresh(offer.code))
        # The devices are left out: within this transaction they already belong to the claimant.
        offers.check(offers.Offer(now.code, now.profile), host=host, at=at, customer=claim.customer)
        raise _changed()


def _changed() -> Refused:
    return Refused("changed", _("This offer has just changed. Check it again before you claim it."))
