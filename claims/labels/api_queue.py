"""API endpoints of the label queue: devices with an invalid label, until a new one is printed."""

from typing import Any

from rest_framework import serializers

from claims.models import Return
from claims.returns.actions import returns
from claims.returns.api_shapes import ReturnOut
from claims.returns.filters import ReturnFilter
from console.access import Permission
from console.rest.endpoints import endpoint
from console.rest.fields import Id, Text
from console.rest.forms import filtered
from console.rest.paging import PageQuery, page
from devices.api import naming

TAG = "label queue"


class LabelQueueQuery(PageQuery):
    """Filters for the devices that need a new label."""

    q = Text(required=False, max_length=64, help_text="The return number, or the beginning of the serial number.")
    customer = Id(required=False, in_query=True, help_text="Id of the customer who owned the device.")


class LabelsDone(serializers.Serializer):
    """The number of devices that left the queue, and the result for each name in the order of the request.

    Result codes: `ok`, `not_in_queue`, `archived`, `scrapped`, `not_found`, `ambiguous`, `duplicate`.
    """

    done = serializers.IntegerField()
    results = naming.NamedResult(many=True)


@endpoint(
    "List devices that need a label",
    may=Permission.VIEW,
    answers=ReturnOut,
    query=LabelQueueQuery,
    is_list=True,
    tag="returns",
)
def label_queue_list(request: Any) -> Any:
    """Return the returns whose device carries an invalid label, newest first.

    A device leaves the queue when a new label is printed for it.
    """
    rows = Return.objects.visible_to(request.actor).filter(needs_label=True).select_related("device", "customer")
    query = request.query
    rows = filtered(ReturnFilter, rows, request, q=query.get("q"), customer=query.get("customer"))
    return page(query, rows, ReturnOut, reader=request.actor.kind)


@endpoint(
    "Mark labels as replaced",
    may=Permission.RETURN_RECEIVE,
    takes=naming.Named,
    answers=LabelsDone,
    tag="returns",
    example={"devices": ["AQM26-200001"]},
)
def label_queue_done(request: Any) -> Any:
    """Remove devices from the queue whose new labels were printed elsewhere.

    A device that cannot be removed stays in the queue and does not affect the others.
    """
    named = naming.Naming(request)
    refused = returns.why_no_label(named.ids)
    done = returns.labels_replaced([pk for pk in named.ids if pk not in refused], by=request.actor)
    return {"done": done, "results": named.results(refused)}
