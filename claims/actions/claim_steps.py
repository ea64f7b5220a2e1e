"""Notes how far people come on the way to a claim."""

from django.db import transaction

from claims.models import ClaimCode, ClaimStep, Step


@transaction.atomic
def record(code: ClaimCode, step: Step, cause: str = "") -> ClaimStep:
    """Note one step of somebody with this code; `cause` is the code of the refusal, where it is one.

    It is a row of its own and touches no other, so that many at once do not wait for each other. A refusal must be
    noted outside of the transaction that was refused, else it is rolled back with it.
    """
    return ClaimStep.objects.create(profile_id=code.profile_id, code=code, step=step, cause=cause[:40])
