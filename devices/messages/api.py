"""What devices published, within the caller's ownership spans and nowhere else."""

from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from rest_framework import serializers

from console.access import CustomerScope, Permission
from console.errors import Refused
from console.rest.endpoints import endpoint
from console.rest.exports import export, written
from console.rest.fields import Between, Id, Text
from console.rest.paging import FeedQuery, follow, page
from customers.models import Project
from devices import horizon
from devices.messages import exports
from devices.messages import window as messages
from devices.models import Message

TAG = "messages"


class MessageOut(serializers.ModelSerializer):
    """A message of a device. `at` is the time on the server, `device_at` the time that the device sent."""

    device = serializers.IntegerField(source="device_id")
    serial_number = serializers.CharField(source="device.serial_number")
    data = serializers.JSONField()

    class Meta:
        model = Message
        fields = ["id", "device", "serial_number", "name", "data", "at", "device_at"]


class Window(Between):
    """Filters for messages by period and name."""

    name = Text(required=False, max_length=64)


class MessageQuery(Window, FeedQuery):
    """Filters for messages, and which page of them to return."""


class StreamQuery(Window, FeedQuery):
    """Filters for the messages of all devices, and where to continue."""

    order = serializers.ChoiceField(["asc"], default="asc", help_text="Messages come in ascending order only.")
    device = Id(required=False, in_query=True)
    product = Id(required=False, in_query=True)
    customer = Id(
        required=False, in_query=True, help_text="The id of the customer who owned the devices when they published."
    )
    project = Id(
        required=False, in_query=True, help_text="The id of the project the devices were in when they published."
    )


@endpoint(
    "Follow messages",
    may=Permission.VIEW,
    customer=CustomerScope.READ,
    query=StreamQuery,
    answers=MessageOut,
    is_list=True,
)
def message_stream(request: Any) -> Any:
    """Returns what all devices publish, in ascending order. Continue with `next`, which is always returned.

    No message is missed or returned twice, however long a device's request or a change of ownership takes.
    """
    query, last = request.query, horizon.settled(request.actor)
    rows = Message.objects.visible_to(request.actor, up_to=last)
    if query.get("device"):
        rows = rows.filter(device=query["device"])
    if query.get("product"):
        rows = rows.filter(device__product=query["product"])
    for name in ("customer", "project"):
        if query.get(name):
            rows = rows.lying_in(request.actor, **{name: query[name]})
    return follow(query, _named(_between(rows, request), request), MessageOut, up_to=last)


@endpoint(
    "List a device's messages",
    may=Permission.VIEW,
    customer=CustomerScope.READ,
    query=MessageQuery,
    answers=MessageOut,
    is_list=True,
)
def message_list(request: Any, pk: int) -> Any:
    """Returns the newest messages first. A period outside all of the caller's ownerships is refused with 403."""
    if request.query["order"] == "asc":
        last = horizon.settled(request.actor)
        return follow(request.query, _of_device(request, pk, last), MessageOut, up_to=last)
    return page(request.query, _of_device(request, pk), MessageOut, by="at")


@export(
    "Download a device's messages", may=Permission.EXPORT, customer=CustomerScope.READ, query=Window, tag="messages"
)
def message_export(request: Any, form: str, pk: int) -> StreamingHttpResponse:
    """Returns all messages of the device, newest first, with times to the microsecond."""
    return _file(request, form, f"messages-{pk}", _of_device(request, pk))


@endpoint(
    "List a project's messages",
    may=Permission.VIEW,
    customer=CustomerScope.READ,
    query=MessageQuery,
    answers=MessageOut,
    is_list=True,
)
def project_message_list(request: Any, pk: int) -> Any:
    """Returns what the project's devices published while they were in it, newest first."""
    if request.query["order"] == "asc":
        last, project = horizon.settled(request.actor), _project(request, pk)
        rows = Message.objects.visible_to(request.actor, up_to=last).lying_in(request.actor, project=project)
        return follow(request.query, _named(_between(rows, request), request), MessageOut, up_to=last)
    return page(request.query, _of_project(request, pk), MessageOut, by="at")


@export(
    "Download a project's messages", may=Permission.EXPORT, customer=CustomerScope.READ, query=Window, tag="messages"
)
def project_message_export(request: Any, form: str, pk: int) -> StreamingHttpResponse:
    """Returns all messages of the project, newest first, with times to the microsecond."""
    return _file(request, form, f"project-{pk}-messages", _of_project(request, pk))


def _of_device(request: Any, pk: int, up_to: int | None = None) -> QuerySet[Message]:
    device = get_object_or_404(messages.devices_of(request.actor), pk=pk)
    window = messages.window(request.actor, device, request.query.get("from"), request.query.get("to"), up_to)
    if not window.is_within:
        raise Refused(
            "outside_ownership",
            "You didn't own this device at any time in this period. Choose another period.",
            status=403,
        )
    return _named(window.rows, request)


def _project(request: Any, pk: int) -> Project:
    return get_object_or_404(Project.objects.visible_to(request.actor), pk=pk)


def _of_project(request: Any, pk: int) -> QuerySet[Message]:
    rows = Message.objects.visible_to(request.actor).of_project(_project(request, pk))
    return _named(_between(rows, request), request)


def _between(rows: Any, request: Any) -> Any:
    if request.query.get("from"):
        rows = rows.filter(at__gte=request.query["from"])
    if request.query.get("to"):
        rows = rows.filter(at__lt=request.query["to"])
    return rows


def _named(rows: QuerySet[Message], request: Any) -> QuerySet[Message]:
    rows = rows.select_related("device")
    return rows.filter(name=request.query["name"]) if request.query.get("name") else rows


def _file(request: Any, form: str, name: str, rows: QuerySet[Message]) -> StreamingHttpResponse:
    header = ["received", "device_at", "serial_number", "name", "data", "device"]
    return written(form, request, name, header, exports.lines_with_device(rows))
