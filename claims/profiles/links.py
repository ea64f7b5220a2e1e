"""Finds the links that stop working when devices lose their owners.

A link belongs to a profile that lists devices. It stops working as a whole, even if only one of the devices is
affected.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from claims.models import ClaimProfile, ClaimProfileResource, ResourceKind, Scope
from console import sql
from console.access import Actor
from devices.models import Device

SAID = 5


@dataclass(frozen=True)
class Concerned:
    """A claim profile with one shared code: the number of devices that it lists, and how many of them are affected."""

    profile: ClaimProfile
    listed: int
    chosen: int


def concerned(devices: QuerySet[Device] | list[int], *, by: Actor) -> list[Concerned]:
    """Return the profiles whose printed code stops working when these devices lose their owners, sorted by name.

    `devices` is a queryset, or a list of ids of devices that have an owner.
    """
    # unscoped: counts the devices given, for visible profiles
    rows = ClaimProfileResource.objects.filter(profile__scope=Scope.LINK).order_by()
    if isinstance(devices, list):
        rows = sql.having_ids(rows, "device_id", devices)
    else:
        rows = rows.filter(device__in=devices.order_by().filter(customer__isnull=False).values("pk"))
    chosen = dict(rows.values_list("profile").annotate(n=Count("device")))
    listed = Count("resources", filter=Q(resources__kind=ResourceKind.DEVICE))
    profiles: QuerySet[Any] = ClaimProfile.objects.visible_to(by).filter(pk__in=chosen).annotate(listed=listed)
    return [Concerned(each, each.listed, chosen[each.pk]) for each in profiles.order_by("name_key", "pk")]


def sentence(found: list[Concerned]) -> str:
    """Return a text that names the codes that stop working; empty if there are none."""
    said = [
        ngettext(
            "The printed code of “%(profile)s” stops working; it lists %(n)d device.",
            "The printed code of “%(profile)s” stops working; it lists %(n)d devices.",
            each.listed,
        )
        % {"profile": each.profile, "n": each.listed}
        for each in found[:SAID]
    ]
    if len(found) > SAID:
        said.append(_("And those of %(n)d more.") % {"n": len(found) - SAID})
    return " ".join(said)


def in_words(device_ids: list[int], *, by: Actor) -> str:
    """Return sentences that name the links of these owned devices that stop working; empty if there are none."""
    return sentence(concerned(device_ids, by=by))


def for_page(devices: QuerySet[Device] | list[int], *, by: Actor) -> dict[str, Any]:
    """Return the context for the pages that confirm an unclaim or a receipt: the links that stop working."""
    found = concerned(devices, by=by)
    return {"links": found[:SAID], "more_links": max(0, len(found) - SAID)}
