"""The audit events of claim profiles and their codes."""

from django.utils.translation import gettext_lazy as _

from claims.models import ClaimProfile
from console.audit import subjects
from console.audit.kinds import Group, Kind
from devices.events import DEVICES

CLAIMS = Group(_("Claims"), place=40)

CODE_REPLACED = Kind(
    "device.code_replaced",
    _("Device's claim code replaced"),
    "key-round",
    _("The claim code of {subject} was replaced; the old label no longer works"),
    DEVICES,
)
PROFILE_CREATED = Kind(
    "claim_profile.created",
    _("Profile created"),
    "qr-code",
    _("{actor} created the claim profile {subject}"),
    CLAIMS,
    former=("claim_profile.made",),
)
PROFILE_EDITED = Kind(
    "claim_profile.edited", _("Profile edited"), "pencil", _("{actor} edited the claim profile {subject}"), CLAIMS
)
PROFILE_ENABLED = Kind(
    "claim_profile.enabled", _("Profile enabled"), "play", _("{actor} enabled the claim profile {subject}"), CLAIMS
)
PROFILE_DISABLED = Kind(
    "claim_profile.disabled", _("Profile disabled"), "pause", _("{actor} disabled the claim profile {subject}"), CLAIMS
)
PROFILE_UNITS_ADDED = Kind(
    "claim_profile.units_added",
    _("Devices added to profile"),
    "circle-plus",
    _("{actor} added devices to the claim profile {subject}"),
    CLAIMS,
)
PROFILE_CODES_EXPORTED = Kind(
    "claim_profile.codes_exported",
    _("Profile's codes exported"),
    "download",
    _("{actor} exported the codes of {subject}"),
    CLAIMS,
)
PROFILE_CODE_REPLACED = Kind(
    "claim_profile.code_replaced",
    _("Profile's code replaced"),
    "key-round",
    _("The code of {subject} was replaced; the old link no longer works"),
    CLAIMS,
)

subjects.register(
    subjects.Subject(
        ClaimProfile, page="claims:claim_profile_detail", title=_("Claim profiles"), place=40, search_key="name_key"
    )
)
