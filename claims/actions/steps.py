"""Notes the steps of a claimant, for a profile's funnel."""

from datetime import datetime

from django.utils import timezone

from claims.models import ClaimCode, ClaimStep, Step


def note(code: ClaimCode, step: Step, *, cause: str = "", at: datetime | None = None) -> None:
    """Add one step of somebody who holds this code. `cause` is the code of a refusal."""
    ClaimStep.objects.create(profile_id=code.profile_id, code=code, step=step, cause=cause[:40],
                             at=at or timezone.now())  # fmt: skip
