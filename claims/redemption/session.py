"""Keeps a scanned code in the session, from the camera to the claim: its row, never its text.

A scan can be claimed for 15 minutes, also after signing in. For a day the pages still say that it was scanned and has
to be scanned again. A form that is sent without its session brings the scan along, signed. Before the sign-in, pages
may only reveal whether a code works; `refusal` is for people who have signed in.
"""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from claims import codes
from claims.models import ClaimCode, Step
from claims.redemption import offers, portal_queries
from claims.redemption.actions import funnel
from claims.redemption.offers import Offer
from console import throttle
from console.errors import Refused
from console.people import browsers
from console.requests import Request
from customers.models import Customer

KEY = "claim"
SECONDS_KEPT = 15 * 60
# For how long the pages mention a scan that can no longer be claimed.
SECONDS_TOLD = 24 * 60 * 60
SALT = "claims.redemption.session"
# How often codes may be tried per address and per account: enough for a fitter with a van full of devices.
SCANS, WINDOW = 60, 10 * 60
NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Pending:
    """The pending code: what it offers, or why it can't be claimed. The form that redeems carries `nonce`."""

    nonce: str
    offer: Offer | None
    refusal: Refused | None

    @property
    def is_usable(self) -> bool:
        """Whether the code could be claimed now."""
        return self.refusal is None

    def expect(self, nonce: str) -> None:
        """Raise Refused if a page was opened for another code than the pending one."""
        if nonce != self.nonce:
            raise Refused(
                "other_code", _("Another code has been scanned since this page was opened. Check what it offers.")
            )


@dataclass(frozen=True)
class Lapsed:
    """A scan too old to claim: how many minutes ago, and what it offered if that could still be claimed."""

    minutes: int
    offer: Offer | None


def scan(request: Request, text: str) -> None:
    """Look a code up and keep it. Raises Refused (429) after too many tries.

    After too many tries, a typed code is not looked up. A link is, because it can't be guessed, and it is kept if it
    can be claimed: guessing must not lock out people who hold a label. The count, the look-up and the funnel record are
    one transaction, so that a code that exists takes no longer than one that does not.
    """
    with transaction.atomic():
        refusal = _count(request)
        if refusal is not None and not codes.is_link(text):
            raise refusal
        code = offers.find(text)
        past = _entry(request)
        kept = past if code is not None and _is_of(past, code) else {"nonce": get_random_string(22)}
        entry = {
            **(kept or {}),
            "code": str(code.pk) if code else "",
            "version": code.version if code else 0,
            "at": int(time.time()),
        }
        if refusal is not None and not _read(request, entry).is_usable:
            raise refusal
        if code is not None and not _is_of(past, code):
            funnel.record(code, Step.SCAN)
    request.session[KEY] = entry
    request._claim_pending = None  # type: ignore[attr-defined]


def _count(request: Request) -> Refused | None:
    """Count a try, per account if the person is signed in or was before in this browser, else per address."""
    person = request.user.pk or browsers.last_person(request)
    who = f"user {person}" if person else throttle.address_of(request)
    try:
        throttle.spend("claim-scan", who, limit=SCANS, seconds=WINDOW)
    except Refused as refusal:
        return refusal
    return None


def current(request: Request) -> Pending | None:
    """Return the pending code as it is now, or None if there is none. Read once per request."""
    known = getattr(request, "_claim_pending", None)
    if known is None:
        entry = _entry(request)
        known = _read(request, entry) if entry else None
        request._claim_pending = known  # type: ignore[attr-defined]
    return known


def lapsed(request: Request) -> Lapsed | None:
    """Return the scan that lapsed before it was claimed; None if there is none or a code is still pending."""
    entry = _entry(request, seconds=SECONDS_TOLD)
    if entry is None or _entry(request) is not None:
        return None
    pending = _read(request, entry)
    if portal_queries.past_claim(request.customer_actor, pending.offer) is not None:
        return None
    minutes = int(time.time() - entry["at"]) // 60
    return Lapsed(minutes, pending.offer if pending.is_usable else None)


def sealed(request: Request) -> str:
    """Return the pending code, signed, for a form to carry along; empty if there is none."""
    entry = _entry(request, seconds=SECONDS_TOLD)
    return signing.dumps([entry["code"], entry["version"], entry["at"]], salt=SALT) if entry else ""


def restore(request: Request) -> None:
    """Restore the code that a form carried along if its session is gone. Like scanning again, this claims nothing."""
    if _entry(request, seconds=SECONDS_TOLD) is not None:
        return
    try:
        code, version, at = signing.loads(request.POST.get("scan", ""), salt=SALT, max_age=SECONDS_TOLD)
    except signing.BadSignature:
        return
    request.session[KEY] = {"nonce": get_random_string(22), "code": code, "version": version, "at": at}
    request._claim_pending = None  # type: ignore[attr-defined]


def has_pending(request: Request) -> bool:
    """Whether a code is pending, valid or not. Callers must not reveal which."""
    return _entry(request) is not None


def pending_url(request: Request) -> str:
    """Return the address at which the pending code is continued after the sign-in; empty without a code."""
    return reverse("claim:review") if has_pending(request) else ""


def expired(request: Request) -> tuple[str, dict[str, Any]]:
    """Restore the code of a form whose session is gone. Returns template and context of the page that explains it."""
    restore(request)
    return "claims/redemption/expired.html", {"is_claim": request.path.lower().startswith("/c/")}


def usable_code(request: Request) -> str | None:
    """Return an id to count by for the pending code if it could be claimed now, else None. It is never shown."""
    pending = current(request)
    if pending is None or pending.offer is None or not pending.is_usable:
        return None
    return str(pending.offer.code.pk)


def note_once(request: Request, step: Step, cause: str = "") -> None:
    """Record a step for the funnel, once for each pending code."""
    pending, entry = current(request), _entry(request)
    mark = f"{step}:{cause}"
    if request.method != "GET" or entry is None or pending is None or pending.offer is None:
        return
    if mark in entry.get("steps", []):
        return
    funnel.record(pending.offer.code, step, cause=cause)
    request.session[KEY] = {**entry, "steps": [*entry.get("steps", []), mark]}


def take(request: Request) -> dict[str, Any] | None:
    """Return the pending code with a new nonce, to be stored in another session by `put`."""
    entry = _entry(request, seconds=SECONDS_TOLD)
    return {**entry, "nonce": get_random_string(22)} if entry else None


def put(request: Request, taken: dict[str, Any] | None) -> None:
    """Store a code taken from another session."""
    if taken is not None:
        request.session[KEY] = taken


def _entry(request: Request, *, seconds: int = SECONDS_KEPT) -> dict[str, Any] | None:
    entry = request.session.get(KEY)
    if not isinstance(entry, dict) or not 0 <= time.time() - entry.get("at", 0) < seconds:
        return None
    return entry


def _is_of(entry: dict[str, Any] | None, code: ClaimCode) -> bool:
    return entry is not None and entry["code"] == str(code.pk) and entry["version"] == code.version


def _read(request: Request, entry: dict[str, Any]) -> Pending:
    code = offers.get(UUID(entry["code"]) if entry["code"] else NOBODY)
    if code is None:
        return Pending(entry["nonce"], None, Refused("unknown", _unknown()))
    # Judge what was scanned, not what would be printed now: a replaced label stays invalid for its holder.
    now, code.version = code.version, entry["version"]
    offer, refusal = offers.of(code), None
    try:
        if now != code.version:
            raise Refused(
                "replaced",
                _("This label was replaced. Scan the new one, or ask %(brand)s for it.")
                % {"brand": code.profile.organization.brand},
            )
        offers.check(offer, host=request.get_host(), customer=_owner_at_hand(request, offer))
        if request.user.is_authenticated:
            offers.check_person(offer, request.user)
    except Refused as caught:
        refusal = caught
    return Pending(entry["nonce"], offer, refusal)


def _owner_at_hand(request: Request, offer: Offer) -> Customer | None:
    mine = request.customer_actor.customers
    return next((device.customer for device in offer.devices if device.customer_id in mine), None)


def _unknown() -> str:
    return _(
        "No device has this code. Check it against the label, then scan or enter it again. If the device was "
        "returned or has a new label, the old label no longer works."
    )
