"""Records the steps of claimants for a profile's funnel."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from claims.models import ClaimCode, ClaimStep, Step
from claims.redemption import events
from console.webhooks import fanout


def record(code: ClaimCode, step: Step, *, cause: str = "", at: datetime | None = None) -> None:
    """Record one step of a person who holds this code. `cause` is the code of a refusal.

    Notifies webhooks of a claim that was refused because of the profile's limit.
    """
    at = at or timezone.now()
    row = ClaimStep(profile_id=code.profile_id, code=code, step=step, cause=cause[:40], at=at)
    if cause == "used_up":
        _notify(row, code)
    else:
        row.save(force_insert=True)


@transaction.atomic
def _notify(row: ClaimStep, code: ClaimCode) -> None:
    row.save(force_insert=True)
    profile = code.profile
    data = {
        "claim_profile": {
            "id": profile.pk,
            "slug": profile.slug,
            "name": profile.name,
            "max_claims": profile.max_claims,
        }
    }
    fanout.emit(
        profile.organization_id,
        events.REFUSED_BY_LIMIT,
        data,
        at=row.at,
        product_id=profile.product_id,
        label=profile.name,
    )
