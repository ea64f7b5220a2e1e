from datetime import datetime, timedelta

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.fields import Words
from console.tenancy import TenantModel

# How long after its end an operation can be undone.
UNDO_WITHIN = timedelta(minutes=15)


class OperationState(Words):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class Operation(TenantModel):
    """A long or bulk piece of work, which survives leaving the page and the death of a worker.

    `handler` is the name of the handler that runs it (see `console.operations.handlers`). `cursor` is how far it has
    come, written in the same transaction as the work; `attempt` fences off a worker that was given up.

    `undo_route` names the page that undoes it, and is empty if nothing does. `undone_at` is when it was undone, which
    is possible once, and `undoes` is the operation that this one, being an undo, reverts.
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
    # The rights that the person who started it had, and the API key that they used: the operation never does more than
    # these allow, and stops with the key.
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
        """How many rows were processed."""
        return self.succeeded + self.refused

    @property
    def percent(self) -> int:
        """Progress from The progress, from 0 to 100."""
        if self.state == OperationState.DONE:
            return 100
        return min(99, self.processed * 100 // self.total) if self.total else 0

    @property
    def is_over(self) -> bool:
        """Whether it will no longer change."""
        return self.state in {OperationState.DONE, OperationState.FAILED}

    @property
    def undo_until(self) -> datetime | None:
        """When the time for undoing it ends; None while it is under way, and if nothing undoes it."""
        return self.finished_at + UNDO_WITHIN if self.undo_route and self.finished_at else None

    def is_undoable(self, at: datetime | None = None) -> bool:
        """Whether it changed something that can still be undone."""
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
    """The outcome of one row of an operation that was refused."""

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="rows")
    position = models.BigIntegerField()
    label = models.CharField(max_length=200)
    code = models.CharField(max_length=40)
    sentence = models.CharField(max_length=500)

    class Meta:
        indexes = [models.Index(fields=["operation", "position"], name="operation_row_order")]

    def __str__(self) -> str:
        return f"{self.position} {self.label}"
