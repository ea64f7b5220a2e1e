import json
from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import Actor
from console.fields import Words
from console.tenancy import TenantModel, TenantQuerySet
from devices.models.device import Device
from devices.models.message import JsonText
from devices.models.ownership import Ownership


class CallKind(Words):
    VARIABLE = "variable", _("Variable")
    FUNCTION = "function", _("Function")


class CallState(Words):
    WAITING = "waiting", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    ANSWERED = "answered", _("Answered")
    FAILED = "failed", _("Failed")
    TIMED_OUT = "timed_out", _("Timed out")
    CANCELLED = "cancelled", _("Cancelled")


UNDER_WAY = (CallState.WAITING, CallState.DELIVERED)


class CallQuerySet(TenantQuerySet["Call"]):
    def for_customer(self, actor: Actor) -> Self:
        """Return the calls asked and, if they are over, ended within an ownership of the user's customers.

        The customer who asked also sees calls that the end of the ownership cancelled. Customers with whom a device is
        only shared see none: what its owner asks, and with what argument, is private to the owner.
        """
        spans = Ownership.objects.reached_by(actor, OuterRef(OuterRef("asked_at")))
        return self.filter(Exists(_holding(spans)) | Q(Exists(_broken_off(spans)), state=CallState.CANCELLED))

    def under_way(self, at: datetime) -> Self:
        """Return the calls that can still be answered."""
        return self.filter(state__in=UNDER_WAY, expires_at__gt=at)

    def in_state(self, state: str, at: datetime | None = None) -> Self:
        """Return the calls whose `state_now` is this. Expired calls count as timed out before that is written."""
        late = Q(state__in=UNDER_WAY, expires_at__lte=at or timezone.now())
        if state == CallState.TIMED_OUT:
            return self.filter(Q(state=state) | late)
        return self.filter(~late, state=state)


def _holding(spans: QuerySet[Any]) -> QuerySet[Any]:
    """Return the spans that contain the whole call: a result after the handover is about the new owner's device."""
    # A call under way has no end: the span has to contain everything that has happened to it so far.
    ended = Coalesce(OuterRef("ended_at"), OuterRef("delivered_at"), OuterRef("asked_at"))
    lasts = Q(ended_at=None) | Q(ended_at__gt=ended)
    return spans.filter(lasts, device=OuterRef("device"), started_at__lte=OuterRef("asked_at"))


def _broken_off(spans: QuerySet[Any]) -> QuerySet[Any]:
    """Return the asker's spans whose end cancelled a call. Nobody answered it, so it reveals nothing later."""
    return spans.filter(
        device=OuterRef("device"),
        customer=OuterRef("customer"),
        started_at__lte=OuterRef("asked_at"),
        ended_at=OuterRef("ended_at"),
    )


class Call(TenantModel):
    """A question to a device: the value of a variable, or a function to run with an argument.

    It is delivered once, when the device next asks for its calls, and can be answered once, before it expires.
    `customer` is the owner of the device if the owner asked; staff ask for the organization.
    """

    device = models.ForeignKey(Device, models.PROTECT, related_name="calls", db_index=False)
    kind = models.CharField(_("Action"), max_length=8, choices=CallKind.get_choices)
    name = models.CharField(_("Name"), max_length=64)
    argument = models.CharField(_("Argument"), max_length=1024, blank=True)
    timeout = models.PositiveSmallIntegerField(_("Timeout"), default=30)
    state = models.CharField(
        _("State"), max_length=9, choices=CallState.get_choices, default=CallState.WAITING, editable=False
    )
    result = JsonText(null=True, editable=False)
    error = models.CharField(max_length=1000, blank=True, editable=False)
    by_user = models.ForeignKey("console.User", models.PROTECT, null=True, related_name="+", editable=False)
    by_label = models.CharField(max_length=200, editable=False)
    customer = models.ForeignKey("customers.Customer", models.PROTECT, null=True, related_name="+", editable=False)
    asked_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(editable=False)
    delivered_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar = CallQuerySet.as_manager()

    # Set by `describe`, for a page.
    asker: str
    said: str

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "delivered"], ended_at__isnull=True)
                | (~Q(state__in=["waiting", "delivered"]) & Q(ended_at__isnull=False)),
                name="call_over_has_end",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("asked_at")), name="call_expires_later"),
        ]
        indexes = [
            models.Index(fields=["device", "-id"], name="call_by_device"),
            models.Index(fields=["device", "id"], name="call_waiting", condition=Q(state="waiting")),
            models.Index(fields=["expires_at"], name="call_under_way", condition=Q(state__in=["waiting", "delivered"])),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("devices:call_detail", args=[self.device_id, self.pk])

    @property
    def is_over(self) -> bool:
        """Whether the call can no longer be answered."""
        return self.state_now not in UNDER_WAY

    @property
    def state_now(self) -> str:
        """Return the state. Expired calls count as timed out before that is written."""
        if self.state in UNDER_WAY and self.expires_at <= timezone.now():
            return CallState.TIMED_OUT
        return self.state

    @property
    def result_text(self) -> str:
        """Return the result as readable JSON."""
        return json.dumps(self.result, ensure_ascii=False, indent=2)

    @property
    def state_label(self) -> str:
        """Return the label of the state."""
        return str(CallState(self.state_now).label)
