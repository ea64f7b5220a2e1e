"""Who may see a device without owning it."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers

from console.access import Permission
from console.errors import Refused
from console.forms import ReasonForm
from console.rest.endpoints import endpoint
from console.rest.fields import Body, Flag, Text
from console.rest.forms import checked
from console.rest.paging import PageQuery, page
from customers.api.shapes import CustomerRef
from devices.actions import ownership
from devices.models import Device, SharedAccess


class ShareProject(serializers.Serializer):
    """The project that it lies in."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class ShareOut(serializers.ModelSerializer):
    """Shared access: from `started_at` on and before `ended_at`, null while it goes on."""

    customer = CustomerRef()
    project = ShareProject()

    class Meta:
        model = SharedAccess
        fields = ["id", "customer", "project", "started_at", "started_by", "start_evidence", "ended_at", "ended_by",
                  "end_note"]  # fmt: skip


class ShareQuery(PageQuery):
    """Which shares."""

    current = Flag(required=False, help_text="true: open ones only; false: ended ones only.")


class ShareEndIn(Body):
    """Why."""

    reason = Text(max_length=500)


@endpoint("List a device's shares", may=Permission.VIEW, answers=ShareOut, query=ShareQuery, is_list=True)
def share_list(request: Any, pk: int) -> Any:
    """Those that ended too, the newest first."""
    rows = _rows(request, pk)
    if request.query.get("current") is not None:
        rows = rows.filter(ended_at__isnull=request.query["current"])
    return page(request.query, rows, ShareOut)


@endpoint("End a share of a device", may=Permission.DEVICE_UNCLAIM, takes=ShareEndIn, answers=ShareOut,
          example={"reason": "The pilot is over"})  # fmt: skip
def share_end(request: Any, pk: int, share: int) -> Any:
    """Takes shared access back now. Refused where it has ended already."""
    row = get_object_or_404(_rows(request, pk), pk=share)
    form = checked(ReasonForm, request.body_data)
    if not ownership.end_shares([row.pk], by=request.actor, **form.cleaned_data):
        raise Refused("not_shared", "This access has ended already. List the device's shares anew.")
    return _rows(request, pk).get(pk=share)


def _rows(request: Any, pk: int) -> QuerySet[SharedAccess]:
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    rows = SharedAccess.objects.visible_to(request.actor).filter(device=device)
    return rows.select_related("customer", "project")
