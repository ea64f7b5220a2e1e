"""From a selection to a change of hands: the preview, and the act in the request or in the background."""

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console import operations
from console.access import Permission
from console.bulk import IN_REQUEST, Selection
from customers.models import Customer
from devices.actions import ownership
from devices.ledger import ASSIGNABLE, Outcome
from devices.models import DeviceStatus, SharedAccess

SHOWN = 50


def preview(chosen: Selection, *, assigning: bool) -> dict[str, Any]:
    """How many devices would change, and which would be refused and why: counts for all, rows for the first ones."""
    by_status = dict(chosen.rows.order_by().values_list("status").annotate(n=Count("pk")))
    fit = {str(status) for status in ASSIGNABLE} if assigning else {str(DeviceStatus.OWNED)}
    labels = dict(DeviceStatus.choices)
    rows = chosen.rows.select_related("product", "customer").order_by("serial_key", "pk")[:SHOWN]
    return {
        "total": sum(by_status.values()),
        "fit": sum(n for status, n in by_status.items() if status in fit),
        "unfit": [(labels[status], n) for status, n in sorted(by_status.items()) if status not in fit],
        "rows": rows,
        "shown": SHOWN,
    }


def assign(request: HttpRequest, chosen: Selection, *, customer: Customer, note: str) -> HttpResponse:
    """Assign now, or start an operation above 200 devices."""
    ids, by = chosen.ids, request.actor  # type: ignore[attr-defined]
    if len(ids) > IN_REQUEST:
        title = ngettext(
            "Assign %(n)d device to %(customer)s", "Assign %(n)d devices to %(customer)s", len(ids)
        )
        operation = operations.start(
            "devices.actions.ownership.run_assign", title % {"n": len(ids), "customer": customer}, by=by,
            permission=Permission.DEVICE_ASSIGN, total=len(ids), return_url=reverse("devices:device_list"),
            payload={"ids": ids, "customer": customer.pk, "note": note},
        )  # fmt: skip
        return redirect(operation)
    outcome = ownership.assign(ids, customer=customer, by=by, note=note)
    done = ngettext("%(n)d device assigned to %(customer)s.", "%(n)d devices assigned to %(customer)s.",
                    len(outcome.done)) % {"n": len(outcome.done), "customer": customer}  # fmt: skip
    return _answer(request, outcome, done, ids)


def unclaim(request: HttpRequest, chosen: Selection, *, reason: str) -> HttpResponse:
    """Unclaim now, or start an operation above 200 devices."""
    ids, by = chosen.ids, request.actor  # type: ignore[attr-defined]
    if len(ids) > IN_REQUEST:
        ownership.check_unclaim_limit(len(ids), by=by)
        title = ngettext("Unclaim %(n)d device", "Unclaim %(n)d devices", len(ids)) % {"n": len(ids)}
        operation = operations.start(
            "devices.actions.ownership.run_unclaim", title, by=by, permission=Permission.DEVICE_UNCLAIM,
            total=len(ids), return_url=reverse("devices:device_list"), payload={"ids": ids, "reason": reason},
        )  # fmt: skip
        return redirect(operation)
    outcome = ownership.unclaim(ids, reason=reason, by=by)
    done = ngettext("%(n)d device unclaimed. It is in stock, and its old code is dead.",
                    "%(n)d devices unclaimed. They are in stock, and their old codes are dead.",
                    len(outcome.done)) % {"n": len(outcome.done)}  # fmt: skip
    return _answer(request, outcome, done, ids)


def access_ended(share: SharedAccess) -> str:
    """The sentence after shared access was taken back."""
    return _("%(customer)s no longer sees this device.") % {"customer": share.customer}


def _answer(request: HttpRequest, outcome: Outcome, done: str, ids: list[int]) -> HttpResponse:
    if outcome.done:
        messages.success(request, done)
    for refused in outcome.refused[:10]:
        messages.error(request, f"{refused.label}: {refused.sentence}")
    if len(outcome.refused) > 10:
        more = len(outcome.refused) - 10
        messages.error(request, ngettext("%(n)d more was left as it is.", "%(n)d more were left as they are.", more)
                       % {"n": more})  # fmt: skip
    if len(ids) == 1:
        return redirect("devices:device_detail", ids[0])
    return redirect("devices:device_list")
