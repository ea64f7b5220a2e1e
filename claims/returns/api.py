"""REST API of returns: requested by customers, received, inspected, and the swap of one device for another."""

from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from rest_framework.response import Response

from claims.models import Return, ReturnState
from claims.returns import choices, slips
from claims.returns.actions import batches, inspection, returns, swaps
from claims.returns.actions.inspection import DECISIONS
from claims.returns.api_shapes import (
    DONE,
    ChoicesOut,
    InspectIn,
    ReceiveIn,
    RequestIn,
    ReturnExportQuery,
    ReturnOut,
    ReturnQuery,
    SwapIn,
)
from claims.returns.exports import return_table
from claims.returns.filters import ReturnFilter
from claims.returns.forms import InspectForm, ReceiveForm, SwapForm
from claims.returns.request_forms import RequestForm
from console import sql
from console.access import CustomerScope, Permission
from console.downloads import answer
from console.export import stream
from console.rest.endpoints import endpoint
from console.rest.exports import as_exported, export
from console.rest.forms import checked, filtered
from console.rest.operations import OperationOut
from console.rest.paging import page
from console.rest.problems import Unfit
from devices.api.batches import DryQuery
from devices.models import Device, DeviceStatus

TAG = "returns"

P, C = Permission, CustomerScope
FILTERS = ("q", "state", "reason", "customer", "needs_label")
CHECKED = {True: "yes", False: "no"}


@endpoint("List returns", may=P.VIEW, customer=C.READ, answers=ReturnOut, query=ReturnQuery, is_list=True)
def return_list(request: Any) -> Any:
    """Lists the returns, newest first. A customer's key lists only the customer's own returns."""
    rows, wanted = _rows(request), dict(request.query)
    state = wanted.get("state")
    if state == DONE:
        rows = rows.filter(state__in=DECISIONS)
        del wanted["state"]
    elif state in DECISIONS and request.actor.kind == "customer":
        raise Unfit({"state": ["Use the state done."]})
    rows = filtered(ReturnFilter, rows, request, **{name: wanted.get(name) for name in FILTERS})
    return page(request.query, rows, ReturnOut, **_context(request))


@endpoint("See the return reasons and the checklist", may=P.VIEW, customer=C.READ, answers=ChoicesOut)
def return_choice_list(request: Any) -> Any:
    """Returns the reasons for returns and the inspection checklist that the organization has set up."""
    organization, is_customer = request.actor.organization, request.actor.kind == "customer"
    checks = [] if is_customer else choices.checks(organization)
    reasons = choices.reasons(organization, for_customers=is_customer)
    return {"reasons": [each.text for each in reasons], "checks": [each.text for each in checks]}


@endpoint("See a return", may=P.VIEW, customer=C.READ, answers=ReturnOut)
def return_detail(request: Any, pk: int) -> Any:
    """Returns one return with its state, its dates and the findings of its inspection."""
    return _response(request, get_object_or_404(_rows(request), pk=pk))


@endpoint(
    "Receive returned devices",
    may=P.RETURN_RECEIVE,
    takes=ReceiveIn,
    query=DryQuery,
    answers=OperationOut,
    status=202,
    example={"devices": ["AQM26-200001"], "reason": "Defective"},
)
def return_receive(request: Any) -> Any:
    """Takes devices from their owners into quarantine, where their labels stop working.

    Each device is received or refused individually; the operation lists the results in the order of the request. With
    `dry_run` nothing is changed.
    """
    body = dict(request.body_data)
    asked = {name: body[name] for name in ("reason", "note") if name in body}
    # The action decides for each device whether a reason is needed.
    form = checked(ReceiveForm, asked, actor=request.actor, asks_reason=False)
    terms = {name: body[name] for name in ("also_unowned", "leaves_profiles")}
    return batches.receive(
        body["named_by"],
        body["devices"],
        by=request.actor,
        is_dry=request.query["dry_run"],
        **terms,
        **form.cleaned_data,
    )


@endpoint(
    "Inspect returned devices",
    may=P.RETURN_EDIT,
    takes=InspectIn,
    answers=OperationOut,
    status=202,
    example={"returns": [1], "decision": "scrapped", "grade": "d", "checks": [{"text": "Powers on", "is_ok": False}]},
)
def return_inspect(request: Any) -> Any:
    """Records the findings for devices in quarantine and, with a decision, takes them out of it.

    Each device is processed or refused individually.
    """
    body, mine = request.body_data, Return.objects.visible_to(request.actor)
    must_grade = sql.having_ids(mine, "id", set(body["returns"])).filter(state=ReturnState.RECEIVED).exists()
    data = _findings(request)
    lists = dict.fromkeys(_checks(request).values(), "checks")
    form = checked(InspectForm, data, lists=lists, actor=request.actor, must_grade=must_grade)
    return inspection.begin(body["returns"], form.findings, decision=form.decided, by=request.actor)


@endpoint(
    "Request a return",
    may=None,
    customer=C.TAKE,
    takes=RequestIn,
    answers=ReturnOut,
    status=201,
    example={"device": 1, "reason": "Defective"},
)
def return_request(request: Any) -> Any:
    """Creates a return and assigns its number. The device stays with its owner until it is received."""
    body, actor = dict(request.body_data), request.actor
    own = Device.objects.visible_to(actor).filter(status=DeviceStatus.OWNED, customer__in=actor.customers)
    device = own.select_related("customer").filter(pk=body.pop("device")).first()
    if device is None:
        raise Unfit({"device": ["You don't own this device."]})
    form = checked(RequestForm, body, organization=actor.organization)
    made = returns.request(device, customer=device.customer, by=actor, **form.cleaned_data)  # type: ignore[arg-type]  # it is owned
    return _response(request, made, status=201)


@endpoint("Cancel a return", may=P.RETURN_EDIT, customer=C.TAKE, answers=ReturnOut)
def return_cancel(request: Any, pk: int) -> Any:
    """Cancels a return that is still requested. The device stays with its owner."""
    returned = get_object_or_404(_rows(request), pk=pk)
    returns.cancel(returned, by=request.actor)
    return _response(request, get_object_or_404(_rows(request), pk=pk))


@endpoint("Download the slip of a return", may=P.VIEW, customer=C.READ, media=["application/pdf"])
def return_slip(request: Any, pk: int) -> Any:
    """Returns the slip to put into the box, so that the device can be identified when it arrives."""
    rows = _rows(request).select_related("organization", "device__product")
    return answer(slips.as_file(get_object_or_404(rows, pk=pk)))


@endpoint(
    "Swap a device",
    may=P.RETURN_EDIT,
    takes=SwapIn,
    answers=ReturnOut,
    status=201,
    tag="returns",
    example={"replacement": "AQM26-200002", "reason": "Defective"},
)
def device_swap(request: Any, pk: int) -> Any:
    """Replaces a customer's device with another one, at a single instant.

    The replacement gets the owner, the project and the tags of the old device. The response is the return of the old
    device.
    """
    rows = Device.objects.visible_to(request.actor).select_related("product", "customer")
    device = get_object_or_404(rows, pk=pk)
    plan = dict(checked(SwapForm, request.body_data, actor=request.actor, device=device).cleaned_data)
    del plan["other_product"]
    made = swaps.swap(device, plan.pop("replacement"), by=request.actor, **plan)
    return get_object_or_404(_rows(request), pk=made.pk)


@export("Download returns", may=P.EXPORT, query=ReturnExportQuery, tag=TAG)
def return_export(request: Any, form: str) -> StreamingHttpResponse:
    """Returns all returns that match the given filters, newest first."""
    wanted = {name: request.query.get(name) for name in FILTERS}
    filtered(ReturnFilter, Return.objects.visible_to(request.actor), request, **wanted)
    asked = as_exported(request, form, **wanted)
    return stream(asked, *return_table(asked))


def _findings(request: Any) -> dict[str, Any]:
    """Return the body as the data of the console's form. Raises Unfit (422) for a point not on the checklist."""
    body = request.body_data
    data = {name: body.get(name, "") for name in ("grade", "note", "decision")}
    names = _checks(request)
    for place, check in enumerate(body.get("checks", [])):
        if check["text"] not in names:
            raise Unfit({f"checks[{place}].text": ["There is no such point on the checklist."]})
        data[names[check["text"]]] = CHECKED[check["is_ok"]]
    return data


def _checks(request: Any) -> dict[str, str]:
    """Return the points of the checklist, each with the name of its field in the console's form."""
    return {check.text: f"check_{n}" for n, check in enumerate(choices.checks(request.actor.organization))}


def _rows(request: Any) -> QuerySet[Return]:
    return Return.objects.visible_to(request.actor).select_related("device", "customer")


def _context(request: Any) -> dict[str, Any]:
    return {"reader": request.actor.kind}


def _response(request: Any, returned: Return, *, status: int = 200) -> Response:
    return Response(ReturnOut(returned, context=_context(request)).data, status=status)
