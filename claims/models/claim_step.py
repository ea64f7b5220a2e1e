from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from claims.models.claim_code import ClaimCode
from claims.models.claim_profile import ClaimProfile
from console.fields import Words


class Step(Words):
    SCAN = "scan", _("Scanned")
    SIGN_IN = "sign_in", _("Signed in")
    CLAIM = "claim", _("Claimed")
    REFUSAL = "refusal", _("Refused")


@dataclass(frozen=True)
class Funnel:
    """How many people reached each step. `refusals` holds pairs of cause and count, the most frequent first."""

    scans: int
    sign_ins: int
    claims: int
    refusals: list[tuple[str, int]]

    @property
    def refused(self) -> int:
        """The number of refusals of any cause."""
        return sum(number for _cause, number in self.refusals)


class ClaimStepQuerySet(models.QuerySet["ClaimStep"]):
    def funnel(self, since: datetime | None = None) -> Funnel:
        """Return the steps counted by kind, and the refusals by cause, from `since` on. One query."""
        steps = self.filter(at__gte=since) if since else self
        rows = steps.order_by().values_list("step", "cause").annotate(number=Count("pk"))
        counts: dict[str, int] = {}
        refusals: list[tuple[str, int]] = []
        for step, cause, number in rows:
            counts[step] = counts.get(step, 0) + number
            if step == Step.REFUSAL:
                refusals.append((cause, number))
        return Funnel(
            counts.get(Step.SCAN, 0),
            counts.get(Step.SIGN_IN, 0),
            counts.get(Step.CLAIM, 0),
            sorted(refusals, key=lambda pair: (-pair[1], pair[0])),
        )


class ClaimStep(models.Model):
    """One step of a person on the way to a claim, for the funnel. Rows are only added, so nothing contends."""

    profile = models.ForeignKey(ClaimProfile, models.CASCADE, related_name="steps")
    code = models.ForeignKey(ClaimCode, models.CASCADE, null=True, related_name="+", db_index=False)
    step = models.CharField(max_length=10, choices=Step.get_choices)
    cause = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField(default=timezone.now)

    objects = ClaimStepQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["profile", "at", "step", "cause"], name="claim_step_by_time")]

    def __str__(self) -> str:
        return f"{self.profile_id} {self.step}"
