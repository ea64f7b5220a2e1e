"""Messages published by devices, as their owners read them in the portal: of one device, or of a project."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render

from claims.portal import calls
from claims.portal.tables import MessageTable
from claims.redemption import portal_queries
from console.export import stream
from console.listing import paginate
from console.policies import portal
from console.requests import Request
from devices.messages import window as messages
from devices.messages.exports import message_table
from devices.messages.filters import MessageFilter
from devices.models import Device, Message


@portal
def message_list(request: Request, pk: int) -> HttpResponse:
    """List the messages of one device from the time that it belonged to the person."""
    device = get_object_or_404(_devices(request), pk=pk)
    rows = Message.objects.visible_to(request.actor, device=device)
    context = {"device": device, "organization": device.organization, **calls.held(request.actor, pk)}
    return _list(request, "portal/message_list.html", rows, context)


@portal
def message_export(request: Request, pk: int) -> HttpResponseBase:
    """Download the messages of one device as a file."""
    device = get_object_or_404(_devices(request), pk=pk)
    request.days_of = device.organization
    return stream(request, *message_table(request, Message.objects.visible_to(request.actor, device=device)))


@portal
def message_project_list(request: Request, pk: int) -> HttpResponse:
    """List the messages of all devices of a project from the time that they belonged to it."""
    project = get_object_or_404(portal_queries.projects(request.actor), pk=pk)
    rows = Message.objects.visible_to(request.actor).of_project(project).select_related("device")
    context = {"project": project, "organization": project.organization}
    return _list(request, "portal/message_project_list.html", rows, context)


@portal
def message_project_export(request: Request, pk: int) -> HttpResponseBase:
    """Download the messages of all devices of a project as a file."""
    project = get_object_or_404(portal_queries.projects(request.actor), pk=pk)
    request.days_of = project.organization
    return stream(request, *message_table(request, Message.objects.visible_to(request.actor).of_project(project)))


def _devices(request: Request) -> QuerySet[Device]:
    found = messages.devices_of(request.actor).select_related("product", "organization__logo")
    return found.defer("organization__logo__png")


def _list(request: Request, template: str, rows: QuerySet[Any], context: dict[str, Any]) -> HttpResponse:
    request.days_of = context["organization"]
    filterset = MessageFilter(request.GET, queryset=rows, request=request)
    rows = filterset.qs if filterset.is_valid() else rows.none()
    page = paginate(request, rows, MessageTable, is_counted=False)
    asked = {name: request.GET.get(name, "")[:64] for name in ("name", "since", "until")}
    query = request.GET.copy()
    query.pop("cursor", None)
    more = {"page": page, "asked": asked, "is_filtered": any(asked.values()), "query": query.urlencode()}
    return render(request, template, {**context, **more})
