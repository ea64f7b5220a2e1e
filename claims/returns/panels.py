"""Panels of returns on other apps' pages: functions that take (request, subject) and return HTML or an empty string."""

from django.template.loader import render_to_string

from claims.models import Return
from claims.models.returns import UNDER_WAY
from claims.returns import verdicts
from console.access import Permission
from console.requests import Request
from customers.models import Customer
from devices.models import Device

SHOWN = 5
SHOWN_OF_EACH = ("number", "state", "reason", "created_at", "customer__name")


def device_returns(request: Request, device: Device) -> str:
    """Return the newest returns of a device, with links to receive or swap it.

    Returns an empty string if it has no returns and can be neither received nor swapped.
    """
    actor = request.actor
    found = Return.objects.visible_to(actor).filter(device=device).select_related("customer")
    returns = list(found.only(*SHOWN_OF_EACH).order_by("-pk")[:SHOWN])
    verdict = verdicts.of(device, next((row for row in returns if row.state in UNDER_WAY), None))
    context = {
        "device": device,
        "returns": returns,
        "can_receive": verdict.is_fit and actor.may(Permission.RETURN_RECEIVE),
        "can_swap": device.customer_id is not None and actor.may(Permission.RETURN_EDIT),
    }
    if not returns and not context["can_receive"] and not context["can_swap"]:
        return ""
    return render_to_string("claims/returns/_device_returns.html", context, request)


def customer_returns(request: Request, customer: Customer) -> str:
    """Return the newest returns of a customer, or an empty string if there are none."""
    rows = Return.objects.visible_to(request.actor).filter(customer=customer).select_related("device")
    returns = list(rows.order_by("-pk")[: SHOWN + 1])
    if not returns:
        return ""
    context = {"customer": customer, "returns": returns[:SHOWN], "has_more": len(returns) > SHOWN}
    return render_to_string("claims/returns/_customer_returns.html", context, request)
