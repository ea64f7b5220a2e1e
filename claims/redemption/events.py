"""The events of claims."""

from django.utils.translation import gettext_lazy as _

from claims.profiles.events import CLAIMS
from console.audit.kinds import Kind

CLAIM_CREATED = Kind("claim.made", _("Profile redeemed"), "gift", _("{actor} redeemed {subject} for {object}"), CLAIMS)
