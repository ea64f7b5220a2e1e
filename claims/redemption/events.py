"""The events of claims."""

from django.utils.translation import gettext_lazy as _

from claims.profiles.events import CLAIMS
from console.audit.kinds import Kind
from console.audit.public import ORGANIZATION, PublicEvent

CLAIM_CREATED = Kind(
    "claim.created",
    _("Profile redeemed"),
    "gift",
    _("{actor} redeemed {subject} for {object}"),
    CLAIMS,
    former=("claim.made",),
)
REFUSED_BY_LIMIT = PublicEvent(
    "claim.refused_by_limit", _("Claim refused, all claims taken"), frozenset({ORGANIZATION}), place=80, is_emitted=True
)
