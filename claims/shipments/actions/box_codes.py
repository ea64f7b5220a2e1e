"""Creates the claim code with which a customer claims a whole shipment."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from claims.models import ClaimProfile, Grant, Scope, Shipment
from claims.profiles.actions import profiles as claim_profiles
from console.access import Actor


@transaction.atomic
def make(shipment: Shipment, *, by: Actor, at: datetime | None = None) -> ClaimProfile:
    """Create the shipment's claim profile with its code, which only the shipment's customer can claim, and only once.

    The profile lists no devices: a claim receives what is in the box at that moment.
    """
    profile = claim_profiles.create(
        name=_("Shipment %(code)s") % {"code": shipment.code},
        by=by,
        slug=claim_profiles.propose_slug(f"shipment-{shipment.code}", by=by),
        scope=Scope.LINK,
        grant=Grant.OWNERSHIP,
        max_claims=1,
        at=at,
    )
    shipment.profile = profile
    shipment.save(update_fields=["profile"])
    return profile
