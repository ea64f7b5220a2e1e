"""Begins to receive many devices that a program names, with a result for each."""

from django.urls import reverse

from claims.returns.actions import returns
from console import sql
from console.access import Actor
from console.models import Operation
from console.transactions import retrying
from devices.actions import named
from devices.actions.ownership import check_unclaim_limit
from devices.models import Device


@retrying
def receive(
    named_by: str,
    names: list[str],
    *,
    reason: str,
    by: Actor,
    note: str = "",
    also_unowned: bool = False,
    leaves_profiles: bool = False,
    is_dry: bool = False,
) -> Operation:
    """Start receiving the devices of these names as an operation: up to 200 at once, more by the worker.

    With `is_dry` nothing is changed. Raises Refused (403) above 50 owned devices an hour if the actor may not unclaim
    many, and Refused (422) without a reason where one is needed.
    """
    ids = named.resolve(named_by, names, by=by)
    owned = Device.objects.visible_to(by).filter(customer__isnull=False)
    check_unclaim_limit(sql.having_ids(owned, "id", set(ids)).count(), by=by)
    return named.begin(
        returns.run_receive,
        named_by,
        names,
        by=by,
        is_dry=is_dry,
        in_background=None,
        return_url=reverse("claims:return_workbench"),
        reason=reason,
        note=note,
        also_unowned=also_unowned,
        leaves_profiles=leaves_profiles,
    )
