"""REST endpoints of shared access to devices: who may see a device without owning it."""

from typing import Any

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers

from console.access import CustomerScope, Permission
from console.forms import ReasonForm
from console.rest.endpoints import endpoint, reader
from console.rest.fields import Body, Flag, Text
from console.rest.forms import checked
from console.rest.paging import PageQuery, page
from customers.api_shapes import CustomerRef
from devices.actions import ownership
from devices.models import Device, EndReason, SharedAccess, StartReason

TAG = "shares"


class ShareProject(serializers.Serializer):
    """The project in which the shared device lies."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class ShareOut(serializers.ModelSerializer):
    """Shared access to a device, from `started_at` on and before `ended_at`, which is null while it lasts.

    `start_note` names the claim profile. A customer's key does not see the project, the people or the reason of shares
    with other customers.
    """

    customer = CustomerRef()
    project = ShareProject(allow_null=True)
    start_reason = serializers.ChoiceField(choices=StartReason.choices)
    end_reason = serializers.ChoiceField(choices=EndReason.choices, allow_null=True)

    class Meta:
        model = SharedAccess
        fields = [
            "id",
            "customer",
            "project",
            "started_at",
            "started_by",
            "start_reason",
            "start_evidence",
            "start_note",
            "ended_at",
            "ended_by",
            "end_reason",
            "end_note",
        ]

    def to_representation(self, share: SharedAccess) -> dict[str, Any]:
        shown = super().to_representation(share)
        if self.context.get("reader") == "customer" and share.customer_id not in self.context["customers"]:
            shown |= {"project": None, "started_by": "", "start_evidence": "", "ended_by": "", "end_note": ""}
        return shown


class ShareQuery(PageQuery):
    """The filters and the page of a list of shares."""

    current = Flag(required=False, help_text="true: only open ones; false: only ended ones.")


class ShareEndIn(Body):
    """The reason for which the share ends."""

    reason = Text(max_length=500)


@endpoint(
    "List a device's shares",
    may=Permission.VIEW,
    customer=CustomerScope.READ,
    answers=ShareOut,
    query=ShareQuery,
    is_list=True,
)
def share_list(request: Any, pk: int) -> Any:
    """List shares, also ended ones, the newest first. A customer's key sees its own, and those of devices it owns."""
    rows = _rows(request, pk)
    if request.actor.kind == "customer":
        mine = SharedAccess.objects.visible_to(request.actor)
        granted = SharedAccess.objects.under_owner(request.actor)
        rows = rows.filter(Q(pk__in=mine.values("pk")) | Q(pk__in=granted.values("pk")))
    if request.query.get("current") is not None:
        rows = rows.filter(ended_at__isnull=request.query["current"])
    return page(request.query, rows, ShareOut, **reader(request.actor))


@endpoint(
    "End a share of a device",
    may=Permission.DEVICE_UNCLAIM,
    customer=CustomerScope.ACCESS,
    takes=ShareEndIn,
    answers=ShareOut,
    example={"reason": "The pilot is over"},
)
def share_end(request: Any, pk: int, share: int) -> Any:
    """End shared access now. A customer's key may end shares of devices it owns. Refused if the share has ended."""
    rows = _rows(request, pk)
    if request.actor.kind == "customer":
        rows = rows.filter(pk__in=SharedAccess.objects.under_owner(request.actor).values("pk"))
    row = get_object_or_404(rows, pk=share)
    form = checked(ReasonForm, request.body_data)
    ownership.end_share(row, by=request.actor, **form.cleaned_data)
    return _rows(request, pk).get(pk=share)


def _rows(request: Any, pk: int) -> QuerySet[SharedAccess]:
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    # unscoped: shares of a visible device; callers narrow them for customers
    return SharedAccess.objects.filter(device=device).select_related("customer", "project")
