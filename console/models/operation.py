from datetime import datetime, timedelta

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.fields import Words
from console.tenancy import TenantModel

# For so long after its end an operation can be undone.
UNDO_WITHIN = timedelta(minutes=15)


class OperationState(Words):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class Operation(TenantModel):
    """A long or bulk piece of work: it survives leaving the page, and a killed worker.

    `handler` is the name of what runs it (see `console.operations.handlers`). `cursor` is how far it came, written in the same
    transaction as the work; `attempt` fences off a worker that was given up.

    `undo_route` names the page that undoes it, and is empty where nothing does. `undone_at` is when its one undo was
    taken, and `undoes` is what that undo, an operation too, takes back.
    """

    handler = models.CharField(max_length=120)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=OperationState.get_choices, default=OperationState.WAITING)
    payload = models.JSONField(default=dict)
    cursor = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    succeeded = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    sentence = models.CharField(max_length=500, blank=True)
    attempt = models.IntegerField(default=0)
    worker = models.CharField(max_length=80, blank=True)
    permission = models.CharField(max_length=40)
    return_url = models.CharField(max_length=2_000, blank=True)
    by_user = models.ForeignKey("console.User", models.PROTECT, null=True, related_name="+")
    by_label = models.CharField(max_length=200)
    by_role = models.CharField(max_length=20, blank=True)
    # What the starter might do then, and the API key that he used: it never does more than that, and stops with the
    # key.
    rights = models.JSONField(default=list)
    by_key = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    undo_route = models.CharField(max_length=60, blank=True)
    undone_at = models.DateTimeField(null=True)
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="operation_by_organization"),
            models.Index(fields=["organization", "by_user", "-id"], name="operation_by_person"),
            models.Index(
                fields=["state"], name="operation_by_state", condition=models.Q(state__in=["waiting", "running"])
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def processed(self) -> int:
        """How many rows were looked at."""
        return self.succeeded + self.refused

    @property
    def percent(self) -> int:
        """Progress from 0 to 100."""
        if self.state == OperationState.DONE:
            return 100
        return min(99, self.processed * 100 // self.total) if self.total else 0

    @property
    def is_over(self) -> bool:
        """Whether it will not change any more."""
        return self.state in {OperationState.DONE, OperationState.FAILED}

    @property
    def undo_until(self) -> datetime | None:
        """When the time for undoing it is over; None while it is under way, and where nothing undoes it."""
        return self.finished_at + UNDO_WITHIN if self.undo_route and self.finished_at else None

    def is_undoable(self, at: datetime | None = None) -> bool:
        """Whether it changed something that can still be taken back."""
        until = self.undo_until
        return (
            self.is_over
            and bool(self.succeeded)
            and self.undone_at is None
            and until is not None
            and (at or timezone.now()) < until
        )

    def get_absolute_url(self) -> str:
        return reverse("console:operation_detail", args=[self.pk])


class OperationRow(models.Model):
    """What became of one row of an operation that was refused."""

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="rows")
    position = models.BigIntegerField()
    label = models.CharField(max_length=200)
    code = models.CharField(max_length=40)
    sentence = models.CharField(max_length=500)

    class Meta:
        indexes = [models.Index(fields=["operation", "position"], name="operation_row_order")]

    def __str__(self) -> str:
        return f"{self.position} {self.label}"
