"""What a code offers right now, and why it may not: read by the claim pages and by `claims.actions.claims`."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from claims import codes
from claims.models import ClaimCode, ClaimProfile, ResourceKind, Scope
from console.errors import Refused
from devices.models import Device, DeviceStatus


@dataclass(frozen=True)
class Offer:
    """A code that was found, with what it gives: the devices, and the documents by title and link."""

    code: ClaimCode
    profile: ClaimProfile
    devices: list[Device] = field(default_factory=list)
    documents: list[Any] = field(default_factory=list)

    @property
    def device(self) -> Device | None:
        """The one device, where there is exactly one."""
        return self.devices[0] if len(self.devices) == 1 else None


def find(text: str) -> ClaimCode | None:
    """The code that was printed as `text` (link token or typed code), in one indexed query; None for any other text."""
    code = codes.normalise(text)
    column = "typed_sha256" if len(code) == codes.TYPED_LENGTH else "link_sha256"
    return (
        ClaimCode.objects.filter(**{column: codes.sha256(code)})
        .select_related("profile__organization", "profile__domain", "profile__product", "device__product")
        .first()
    )


def of(code: ClaimCode) -> Offer:
    """What the code gives."""
    profile = code.profile
    resources = list(profile.resources.select_related("device__product"))
    listed = [r.device for r in resources if r.kind == ResourceKind.DEVICE]
    devices = [code.device] if profile.scope == Scope.UNIT else listed
    documents = [r for r in resources if r.kind == ResourceKind.DOCUMENT]
    return Offer(code, profile, devices, documents)


def check(offer: Offer, *, host: str, at: datetime | None = None) -> None:
    """Raise Refused, with what to do next, where this offer can't be claimed at `host` at the time `at`.

    Only for people who signed in: before that, every cause looks alike.
    """
    profile, at = offer.profile, at or timezone.now()
    brand = profile.organization.brand
    if profile.domain_id and profile.domain.host != host.lower():
        raise Refused("wrong_domain", _("This code works on %(host)s only. Scan it again there.")
                      % {"host": profile.domain.host})  # fmt: skip
    if not profile.is_enabled:
        raise Refused("disabled", _("%(brand)s has switched this offer off. Ask them about it.") % {"brand": brand})
    if profile.valid_from and at < profile.valid_from:
        raise Refused("not_yet_valid", _("This offer begins later. Try again then, or ask %(brand)s.")
                      % {"brand": brand})  # fmt: skip
    if profile.valid_until and at >= profile.valid_until:
        raise Refused("expired", _("This offer is over. Ask %(brand)s for a new code.") % {"brand": brand})
    if profile.max_claims is not None and profile.claim_count >= profile.max_claims:
        raise Refused("used_up", _("All claims of this offer are taken. Ask %(brand)s for a new code.")
                      % {"brand": brand})  # fmt: skip
    for device in offer.devices:
        if device.status == DeviceStatus.SCRAPPED or device.archived_at:
            raise Refused("scrapped", _("This unit is out of service. Ask %(brand)s about it.") % {"brand": brand})
        if profile.grant == "ownership" and device.status == DeviceStatus.RESERVED:
            raise Refused("reserved", _("This unit is on its way to somebody else. Ask %(brand)s about it.")
                          % {"brand": brand})  # fmt: skip
        if profile.grant == "ownership" and device.customer_id is not None:
            raise Refused("already_owned", _("This unit belongs to somebody already. If you bought it second hand, ask "
                          "the former owner to release it, or contact %(brand)s with your proof of purchase.")
                          % {"brand": brand})  # fmt: skip
