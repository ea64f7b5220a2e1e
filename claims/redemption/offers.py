"""What a code offers now, and why it can't be claimed. Used by the claim pages and by redemption."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.request import split_domain_port
from django.utils import timezone
from django.utils.translation import gettext as _

from claims import codes
from claims.models import ClaimCode, ClaimProfile, Grant, ResourceKind, Scope
from claims.redemption import parcels
from claims.redemption.parcels import Parcel
from console.errors import Refused
from customers.models import Customer
from customers.people.roles import claiming_customers
from devices.models import Device, DeviceStatus


@dataclass(frozen=True)
class Offer:
    """The devices and the documents (title and link) that a code gives."""

    code: ClaimCode
    profile: ClaimProfile
    devices: list[Device] = field(default_factory=list)
    documents: list[Any] = field(default_factory=list)
    parcel: Parcel | None = None
    # The parcel in which each device is packed, by device id. Only the parcel's customer may claim the device.
    packed: Mapping[int, Parcel] = field(default_factory=dict)
    # Whether the code gives nothing. Not known where only the terms were read.
    is_empty: bool = False

    @property
    def waits_for(self) -> set[int]:
        """Return the ids of the customers for whom the offer is packed; empty if anybody may claim it."""
        packed = {parcel.customer_id for parcel in self.packed.values()}
        return packed | ({self.parcel.customer_id} if self.parcel is not None else set())

    @property
    def is_single(self) -> bool:
        """Whether the code gives one device and nothing else."""
        return len(self.devices) == 1 and not self.documents

    @property
    def device(self) -> Device | None:
        """Return the only device, or None if there is not exactly one."""
        return self.devices[0] if len(self.devices) == 1 else None


def find(text: str) -> ClaimCode | None:
    """Return the code printed as `text` (link token or typed code), or None. One indexed query."""
    code = codes.normalise(text)
    column = "typed_sha256" if len(code) == codes.TYPED_LENGTH else "link_sha256"
    return _single(_rows().filter(**{column: codes.sha256(code)}))


def get(code_id: UUID) -> ClaimCode | None:
    """Return the code with this id as it is now, read in the same way as in `find`."""
    return _single(_rows().filter(pk=code_id))


def _rows() -> QuerySet[ClaimCode]:
    # Loads the logo's row, which the pages need, without its picture.
    # unscoped: anybody who has a code may see what it gives
    rows = ClaimCode.objects.select_related("profile__organization__logo", "device__product", "device__customer")
    return rows.defer("profile__organization__logo__png")


def _single(rows: QuerySet[ClaimCode]) -> ClaimCode | None:
    # The column is unique, so there is at most one row and no order is needed.
    return next(iter(rows[:1]), None)


def of(code: ClaimCode) -> Offer:
    """Return what the code offers."""
    profile = code.profile
    # A device's own code gives that device, so its profile lists only documents.
    is_unit = profile.scope == Scope.UNIT
    rows = (
        profile.resources.all() if is_unit else profile.resources.select_related("device__product", "device__customer")
    )
    resources = list(rows)
    named = [code.device] if is_unit else [r.device for r in resources if r.kind == ResourceKind.DEVICE]
    devices = [device for device in named if device is not None]
    documents = [r for r in resources if r.kind == ResourceKind.DOCUMENT]
    # A parcel's profile lists nothing, so the parcel is not looked up for a profile that lists something.
    parcel = None if is_unit or resources else parcels.given_by(profile)
    if parcel is not None:
        return Offer(code, profile, parcel.contents(), documents, parcel)
    packed = _packed(profile, devices)
    return Offer(code, profile, devices, documents, packed=packed, is_empty=not devices and not documents)


def _packed(profile: ClaimProfile, devices: list[Device]) -> Mapping[int, Parcel]:
    """Return the parcel of each reserved device. Runs no query if none is reserved."""
    reserved = [device.pk for device in devices if device.status == DeviceStatus.RESERVED]
    if not reserved or profile.grant != Grant.OWNERSHIP:
        return {}
    return parcels.packed_in(reserved)


def check(offer: Offer, *, host: str, at: datetime | None = None, customer: Customer | None = None) -> None:
    """Raise Refused, with what to do next, if this offer can't be claimed at `host` at the time `at`.

    Only for people who have signed in: before that, all causes must look alike. If the customer is known, devices that
    they already own are told apart from those of other owners.
    """
    profile, at = offer.profile, at or timezone.now()
    brand = {"brand": profile.organization.brand}
    if profile.domain and profile.domain.host != bare(host):
        raise Refused(
            "wrong_domain", _("This code works on %(host)s only. Scan it again there.") % {"host": profile.domain.host}
        )
    if not profile.is_enabled:
        raise Refused("disabled", _("%(brand)s has switched this offer off. Contact them for help.") % brand)
    if profile.valid_from and at < profile.valid_from:
        raise Refused(
            "not_yet_valid", _("This offer isn't available yet. Try again later, or contact %(brand)s.") % brand
        )
    if profile.valid_until and at >= profile.valid_until:
        raise Refused("expired", _("This offer has expired. Ask %(brand)s for a new code.") % brand)
    if profile.max_claims is not None and profile.claim_count >= profile.max_claims:
        raise Refused("used_up", _("This offer has been used up. Ask %(brand)s for a new code.") % brand)
    if offer.parcel is not None:
        offer.parcel.check()
    elif offer.is_empty:
        raise Refused("gives_nothing", _("There is nothing to claim with this code yet. Contact %(brand)s.") % brand)
    for device in offer.devices:
        _check_device(offer, device, customer)


def check_person(offer: Offer, user: Any) -> None:
    """Raise Refused if the offer is packed for a customer for whom this person may not claim."""
    wanted = offer.waits_for
    if not wanted:
        return
    mine = claiming_customers(user, offer.profile.organization).filter(pk__in=wanted)
    if len(wanted) > 1 or not mine.exists():
        raise not_theirs(offer)


def not_theirs(offer: Offer) -> Refused:
    """Return the refusal for an offer that is packed for another customer, without naming that customer."""
    if offer.parcel is None:
        device = next(device for device in offer.devices if device.pk in offer.packed)
        return _on_its_way(offer, device)
    return Refused(
        "not_your_shipment",
        _(
            "This shipment is for a customer that you can't claim for. Sign in with the email address that %(brand)s "
            "knows, or ask them to add yours."
        )
        % {"brand": offer.profile.organization.brand},
    )


def _on_its_way(offer: Offer, device: Device) -> Refused:
    words = {"brand": offer.profile.organization.brand, "tail": device.serial_tail}
    return Refused("reserved", _("Device …%(tail)s is on its way to somebody else. Contact %(brand)s.") % words)


def bare(host: str) -> str:
    """Return a host name as domains are stored: lower case, without port and trailing dot."""
    return split_domain_port(host.lower())[0].rstrip(".")


def _check_device(offer: Offer, device: Device, customer: Customer | None) -> None:
    words = {"brand": offer.profile.organization.brand, "tail": device.serial_tail}
    if device.status == DeviceStatus.SCRAPPED or device.archived_at:
        # For claimants both are the same. For programs, an archived device has the same code everywhere.
        code = "archived" if device.archived_at else "scrapped"
        raise Refused(code, _("Device …%(tail)s is out of service. Contact %(brand)s.") % words)
    if customer is not None and device.customer_id == customer.pk:
        raise Refused("already_yours", (_yours_alone() if offer.is_single else _yours_among_others()) % words)
    if offer.profile.grant != Grant.OWNERSHIP:
        _check_unowned(device, words)
        return
    if device.status == DeviceStatus.RETURNED:
        raise Refused(
            "in_quarantine", _("Device …%(tail)s was returned and hasn't been checked yet. Contact %(brand)s.") % words
        )
    if device.status == DeviceStatus.RESERVED and offer.parcel is None:
        parcel = offer.packed.get(device.pk)
        # The customer for whom it is packed may claim it. Whether that is the claimant is checked after the sign-in.
        if parcel is None or (customer is not None and parcel.customer_id != customer.pk):
            raise _on_its_way(offer, device)
    if device.customer_id is not None:
        raise Refused(
            "already_owned",
            _(
                "Device …%(tail)s already has an owner. If you bought it second-hand, contact %(brand)s with your "
                "proof of purchase."
            )
            % words,
        )


def _yours_alone() -> str:
    return _("Device …%(tail)s is already yours, so there is nothing left to claim. You can find it in your devices.")


def _yours_among_others() -> str:
    return _(
        "Device …%(tail)s is already yours, and this code can only be claimed as a whole. Ask %(brand)s for what you "
        "are missing."
    )


def _check_unowned(device: Device, words: dict[str, Any]) -> None:
    """Raise Refused if the device has another owner: only the organization grants access to devices that it owns."""
    if not device.is_kept:
        raise Refused(
            "not_kept",
            _(
                "Device …%(tail)s now belongs to a customer, so %(brand)s can no longer grant access to it. Ask its "
                "owner, or contact %(brand)s."
            )
            % words,
        )
