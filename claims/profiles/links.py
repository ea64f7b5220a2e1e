"""Which links stop working when devices lose their owners: those of the profiles that list them, for the whole profile."""

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
    """A claim profile with one code for all that it lists: how many devices that is, and how many of them are meant."""

    profile: ClaimProfile
    listed: int
    chosen: int


def concerned(devices: QuerySet[Device] | list[int], *, by: Actor) -> list[Concerned]:
    """The profiles whose printed code stops working when these devices are taken from their owners, by name.

    A list is of ids of devices that have an owner.
    """
    # unscoped: counts the devices given, for visible profiles
    rows = ClaimProfileResource.objects.filter(profile__scope=Scope.LINK).order_by()
    if isinstance(devices, list):
        rows = sql.having_ids(rows, "device_id", devices)
    else:
        rows = rows.filter(device__in=devices.order_by().filter(customer__isnull=False).values("pk"))
    chosen = dict(rows.values_list("profile").annotate(n=Count("device")))
    listed = Count("resources", filter=Q(resources__kind=ResourceKind.DEVICE))
    profiles = ClaimProfile.objects.visible_to(by).filter(pk__in=chosen).annotate(listed=listed)
    return [Concerned(each, each.listed, chosen[each.pk]) for each in profiles.order_by("name_key", "pk")]


def sentence(found: list[Concerned]) -> str:
    """What stops working, in words; empty where nothing does."""
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
    """Return sentences that name the links of these owned devices that stop working; empty if none does."""
    return sentence(concerned(device_ids, by=by))


def for_page(devices: QuerySet[Device] | list[int], *, by: Actor) -> dict[str, Any]:
    """What the page before an unclaim or a receiving says of it."""
    found = concerned(devices, by=by)
    return {"links": found[:SAID], "more_links": max(0, len(found) - SAID)}
