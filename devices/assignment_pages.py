"""Pages that assign or unclaim a selection of devices: previews, operations and messages."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console import operations, sql
from console.access import Actor
from console.bulk import Selection
from console.models import Operation
from console.requests import Request
from customers.models import Customer
from devices import link_slots
from devices.actions import ownership
from devices.ledger import ASSIGNABLE
from devices.models import Device, DeviceStatus, SharedAccess

SHOWN = 50


def preview(chosen: Selection, *, assigning: bool) -> dict[str, Any]:
    """Return how many devices would change, and which would be refused and why: all counted, the first ones listed."""
    by_status = chosen.by_mark
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


def limit(request: Request, chosen: Selection) -> str:
    """Return why the actor can't unclaim so many devices now; empty if they can."""
    return ownership.over_unclaim_limit(sum(chosen.by_mark.values()), by=request.actor)


def links(request: Request, chosen: Selection) -> dict[str, Any]:
    """Return the links that stop working after the unclaim, and whether the user chose to keep them working."""
    said = link_slots.for_page(chosen.rows, by=request.actor)
    return {**said, "keeps_links": bool(request.POST.get("leaves_profiles"))}


def links_of(request: Request, ids: list[int]) -> dict[str, Any]:
    """Return the links that stop working when those of the devices that have an owner lose it."""
    rows = sql.having_ids(Device.objects.visible_to(request.actor).filter(customer__isnull=False), "id", ids)
    return link_slots.for_page(list(rows.values_list("pk", flat=True)), by=request.actor)


def assign(chosen: Selection, *, customer: Customer, note: str, by: Actor) -> Operation:
    """Assign the selection as an operation that can be undone, in the background above 200 devices."""
    return operations.begin(
        ownership.run_assign,
        chosen.ids,
        by=by,
        words={"customer": customer},
        return_url=chosen.back or reverse("devices:device_list"),
        customer=customer.pk,
        note=note,
    )


def unclaim(chosen: Selection, *, reason: str, leaves_profiles: bool = False, by: Actor) -> Operation:
    """Unclaim the selection as an operation that can be undone, in the background above 200 devices."""
    ids = chosen.ids
    ownership.check_unclaim_limit(len(ids), by=by)
    return operations.begin(
        ownership.run_unclaim,
        ids,
        by=by,
        return_url=chosen.back or reverse("devices:device_list"),
        reason=reason,
        leaves_profiles=leaves_profiles,
    )


def access_ended(share: SharedAccess) -> str:
    """Return the message after shared access was ended."""
    return _("%(customer)s no longer sees this device.") % {"customer": share.customer}


def assigned(n: int, customer: Customer) -> str:
    """Return the message after devices were assigned."""
    sentence = ngettext("%(n)d device assigned to %(customer)s.", "%(n)d devices assigned to %(customer)s.", n)
    return sentence % {"n": n, "customer": customer}


def unclaimed(n: int) -> str:
    """Return the message after devices were unclaimed."""
    return ngettext(
        "%(n)d device unclaimed. It is in stock, and its old code no longer works.",
        "%(n)d devices unclaimed. They are in stock, and their old codes no longer work.",
        n,
    ) % {"n": n}
