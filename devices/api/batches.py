"""Assigns or unclaims up to 100,000 devices in one call, as an operation with a result for each device."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers

from console.access import Permission
from console.rest.endpoints import endpoint
from console.rest.fields import Body, Flag, Text
from console.rest.operations import OperationOut
from customers.models import Customer
from devices.actions import batches

TAG = "batches"

NAMED_BY = [("serial_number", "serial numbers"), ("device_name", "device names"), ("id", "ids, as text")]


class DryQuery(Body):
    """The parameters that every batch call takes."""

    dry_run = Flag(default=False, help_text="true: say what would happen, and change nothing.")


class Batch(Body):
    """The devices of the batch, named by one kind of identifier."""

    named_by = serializers.ChoiceField(choices=NAMED_BY, default="serial_number")
    devices = serializers.ListField(child=Text(max_length=64), min_length=1, max_length=batches.MOST)


class AssignBatch(Batch):
    """The devices to assign, and a note for their history."""

    note = Text(max_length=500, required=False, allow_blank=True)


class UnclaimBatch(Batch):
    """The devices to unclaim, and the reason."""

    reason = Text(max_length=500)
    leaves_profiles = Flag(
        default=False,
        help_text="true: remove the devices from claim profiles that list them, so that their codes keep working.",
    )


@endpoint(
    "Assign many devices",
    may=Permission.DEVICE_ASSIGN,
    takes=AssignBatch,
    query=DryQuery,
    answers=OperationOut,
    status=202,
    tag="batches",
    example={"devices": ["AQM26-200001", "AQM26-200002"]},
)
def devices_assign(request: Any, pk: int) -> Any:
    """Assign many devices to the customer, as an operation. Each device is assigned or refused on its own.

    The operation lists the results in the order of the call.
    """
    customer = get_object_or_404(Customer.objects.visible_to(request.actor).current(), pk=pk)
    return batches.assign(
        *_names(request),
        customer=customer,
        note=request.body_data.get("note", ""),
        by=request.actor,
        is_dry=request.query["dry_run"],
    )


@endpoint(
    "Unclaim many devices",
    may=Permission.DEVICE_UNCLAIM,
    takes=UnclaimBatch,
    query=DryQuery,
    answers=OperationOut,
    status=202,
    tag="batches",
    example={"devices": ["AQM26-200001"], "reason": "Lease over"},
)
def devices_unclaim(request: Any) -> Any:
    """Unclaim many devices, as an operation. Each device is unclaimed or refused on its own.

    The operation lists the results in the order of the call. The code of a claim profile that lists one of the devices
    stops working for everything that it lists, unless `leaves_profiles` is true. The `sentence` of the operation says
    which profiles, also for a `dry_run`.
    """
    body = request.body_data
    return batches.unclaim(
        *_names(request),
        reason=body["reason"],
        by=request.actor,
        is_dry=request.query["dry_run"],
        leaves_profiles=body["leaves_profiles"],
    )


def _names(request: Any) -> tuple[str, list[str]]:
    return request.body_data["named_by"], request.body_data["devices"]
