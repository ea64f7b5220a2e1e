"""Pages of what devices published."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404

from console.access import Permission
from console.export import stream
from console.listing import render_list
from console.policies import requires
from console.requests import Request
from devices.messages.exports import message_table
from devices.messages.filters import MessageFilter
from devices.messages.tables import MessageTable
from devices.models import Device, Message


@requires(Permission.VIEW)
def message_list(request: Request, pk: int) -> HttpResponse:
    """List what one device published, newest first."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    rows = Message.objects.visible_to(request.actor, device=device)
    return render_list(
        request,
        rows=rows,
        table=MessageTable,
        filters=MessageFilter,
        template="devices/messages/message_list.html",
        context={"device": device},
    )


@requires(Permission.EXPORT)
def message_export(request: Request, pk: int) -> HttpResponseBase:
    """Export the messages of one device that match the filters, as CSV or XLSX."""
    device = get_object_or_404(Device.objects.visible_to(request.actor), pk=pk)
    return stream(request, *message_table(request, Message.objects.visible_to(request.actor, device=device)))
