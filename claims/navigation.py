"""This app's entries of the sidebar."""

from django.utils.translation import gettext_lazy as _

from claims.models import ClaimProfile
from console.navigation import Entry


def entries() -> list[Entry]:
    """Claim profiles."""
    return [
        Entry(_("Claim profiles"), "claims:claim_profile_list", "qr-code", 40, ("claims:",),
              rows=ClaimProfile.objects.visible_to),
    ]  # fmt: skip
