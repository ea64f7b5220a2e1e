"""Read variables of devices and call their functions. A device receives a call when it next asks for its calls."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers

from console.access import CustomerScope, Permission
from console.rest.endpoints import endpoint
from console.rest.fields import Body, Text, Whole
from console.rest.paging import PageQuery, page
from devices.calls import actions
from devices.messages import window as messages
from devices.models import Call, Device
from devices.models.call import CallKind, CallState

TAG = "calls"


class CallOut(serializers.ModelSerializer):
    """A call to a device. `result` is set once `state` is answered, `error` once the call has failed."""

    device = serializers.IntegerField(source="device_id")
    kind = serializers.ChoiceField(choices=CallKind.choices)
    state = serializers.ChoiceField(choices=CallState.choices, source="state_now")
    result = serializers.JSONField(allow_null=True)

    class Meta:
        model = Call
        fields = [
            "id",
            "device",
            "kind",
            "name",
            "argument",
            "timeout",
            "state",
            "result",
            "error",
            "asked_at",
            "delivered_at",
            "ended_at",
        ]


class CallIn(Body):
    """The variable to read or the function to call. `timeout` is in seconds."""

    kind = serializers.ChoiceField(choices=CallKind.choices)
    name = Text(pattern="^[A-Za-z0-9_./-]+$", max_length=64)
    argument = Text(max_length=1024, required=False, allow_blank=True)
    timeout = Whole(min_value=1, max_value=300, default=30)


class CallQuery(PageQuery):
    """Filters for the list of a device's calls."""

    state = serializers.ChoiceField(choices=CallState.choices, required=False)


@endpoint(
    "Call a device",
    may=Permission.DEVICE_CALL,
    customer=CustomerScope.CALL,
    takes=CallIn,
    answers=CallOut,
    status=202,
    example={"kind": "variable", "name": "battery"},
)
def call_create(request: Any, pk: int) -> Any:
    """Creates a call, which waits until the device asks for its calls. Poll the call to get the answer."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    return actions.ask(device, by=request.actor, **request.body_data)


@endpoint(
    "List a device's calls",
    may=Permission.VIEW,
    customer=CustomerScope.READ,
    query=CallQuery,
    answers=CallOut,
    is_list=True,
)
def call_list(request: Any, pk: int) -> Any:
    """Returns the newest calls first. A customer's key sees the calls within its ownerships, including past ones."""
    device = get_object_or_404(messages.devices_of(request.actor), pk=pk)
    rows = Call.objects.visible_to(request.actor).filter(device=device)
    if request.query.get("state"):
        rows = rows.in_state(request.query["state"])
    return page(request.query, rows, CallOut)


@endpoint("See a call", may=Permission.VIEW, customer=CustomerScope.READ, answers=CallOut)
def call_detail(request: Any, pk: int, call: int) -> Any:
    """Returns the call. The answer may still come as long as `state` is waiting or delivered."""
    return get_object_or_404(Call.objects.visible_to(request.actor), device__id=pk, pk=call)
