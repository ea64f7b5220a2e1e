"""Collects what is printed for the selected devices, and finds those that have nothing to print."""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy

from claims.codes import LINK_LENGTH
from claims.labels.drawing import Unit, encode
from claims.labels.stocks import Stock
from claims.models import ClaimCode, ClaimProfile
from claims.paper import fonts
from claims.profiles import printed
from console import sql
from console.access import Actor
from devices import causes
from devices.models import Device

# The messages, by the code of the refusal.
SENTENCES = {
    "no_code": gettext_lazy("It has no claim code. Select it in the device list and choose “Claim codes” first."),
    "no_code_there": gettext_lazy(
        "It has no code of this claim profile. Choose another profile, or add it to this one."
    ),
    "key_missing": gettext_lazy(
        "The server key that created its code is no longer configured. Replace the code on its page."
    ),
    "not_found": gettext_lazy("There is no such device."),
    "ambiguous": gettext_lazy("Several devices have this serial number. Use the id or the device name instead."),
    "duplicate": gettext_lazy("It is in the list more than once."),
    "no_typeface": gettext_lazy(
        "This server has no font for some letters of its serial number: %(letters)s. Install one, or choose CSV."
    ),
    "too_small": gettext_lazy("Its link is too long for a QR code of this size. Choose a larger label."),
}
# Placeholders for the id, used when a name does not identify a device to print.
NOT_FOUND, AMBIGUOUS, DUPLICATE = 0, -1, -2
_NO_DEVICE = {AMBIGUOUS: "ambiguous", DUPLICATE: "duplicate"}
# Nobody can claim a device that is archived or scrapped.
_OUT_OF_USE = ("archived", "scrapped")
_SAMPLE = "2F8T7K3M9QXD"


@dataclass
class Gathered:
    """The labels to print, and the devices without one as (position from 1, name, code, message)."""

    units: list[Unit] = field(default_factory=list)
    refused: list[tuple[int, str, str, str]] = field(default_factory=list)

    def refuse(self, position: int, label: str, code: str, sentence: str = "") -> None:
        """Leave a device out, and record why."""
        self.refused.append((position, label, code, sentence or str(SENTENCES[code])))


def gather(
    device_ids: list[int],
    *,
    profile_id: int | None,
    by: Actor,
    stock: Stock | None,
    sets_serial: bool = False,
    first: int = 0,
) -> Gathered:
    """Return the labels of the devices, in the order of the given ids, with the codes of this moment.

    The codes are those of the profile or, without one, those of the newest profile that has a code of the device.
    `first` is the offset of the ids among all ids to print. If a `stock` is given, codes that are too fine to be read
    from it are left out. If `sets_serial`, serial numbers with letters that no typeface has are left out too. Takes two
    queries.
    """
    gathered, brand = Gathered(), by.organization.brand
    rows = Device.objects.visible_to(by).select_related("product").order_by()
    devices = {device.pk: device for device in sql.having_ids(rows, "id", device_ids)}
    codes = _codes(device_ids, profile_id, by)
    for position, device_id in enumerate(device_ids, first + 1):
        device, code = devices.get(device_id), codes.get(device_id)
        if device is None:
            gathered.refuse(position, str(device_id), _NO_DEVICE.get(device_id, "not_found"))
        elif (cause := causes.of(device)) and cause.code in _OUT_OF_USE:
            gathered.refuse(position, device.serial_number, *cause)
        elif code is None:
            gathered.refuse(position, device.serial_number, "no_code_there" if profile_id else "no_code")
        elif (label := printed.label(code)) is None:
            gathered.refuse(position, device.serial_number, "key_missing")
        elif stock and not stock.fits(encode(label.canonical).size):
            gathered.refuse(position, device.serial_number, "too_small")
        elif sets_serial and (letters := fonts.lacking(device.serial_number)):
            sentence = str(SENTENCES["no_typeface"]) % {"letters": letters}
            gathered.refuse(position, device.serial_number, "no_typeface", sentence)
        else:
            gathered.units.append(_unit(device, brand, label.canonical, label.typed))
    return gathered


def samples(devices: list[Device], profile: ClaimProfile | None, *, by: Actor) -> list[Unit]:
    """Return the devices as they will be printed, but with a sample code that cannot be claimed.

    A preview must not reveal real codes.
    """
    return [_unit(device, by.organization.brand, _sample_link(profile), _sample_typed()) for device in devices]


def modules(profiles: list[ClaimProfile]) -> int:
    """Return the number of modules per side of the largest QR code of these profiles."""
    return max((encode(_sample_link(profile)).size for profile in profiles), default=encode(_sample_link(None)).size)


def profiles_of(devices: QuerySet[Any], *, by: Actor) -> list[tuple[ClaimProfile, int]]:
    """Return the profiles that have a code of any of the devices, with the number of devices, largest number first."""
    codes = ClaimCode.objects.visible_to(by).filter(device__in=devices.order_by().values("pk"))
    numbers = dict(codes.order_by().values_list("profile").annotate(n=Count("pk")))
    profiles = ClaimProfile.objects.visible_to(by).filter(pk__in=numbers).select_related("domain")
    return sorted(((each, numbers[each.pk]) for each in profiles), key=lambda pair: (-pair[1], -pair[0].pk))


def without_code(devices: QuerySet[Any], profile_id: int | None) -> QuerySet[Any]:
    """Return those of the devices that have no code, or none of this profile."""
    having = {"claim_codes__profile": profile_id} if profile_id else {"claim_codes__isnull": False}
    # unscoped: only excludes rows from the given devices
    return devices.exclude(pk__in=Device.objects.filter(**having).order_by().values("pk"))


def _codes(device_ids: list[int], profile_id: int | None, by: Actor) -> dict[int, ClaimCode]:
    rows: QuerySet[ClaimCode] = ClaimCode.objects.visible_to(by)
    if profile_id:
        rows = rows.filter(profile=profile_id)
    rows = sql.having_ids(rows, "device_id", device_ids).select_related("profile__domain")
    return {code.device_id: code for code in rows.order_by("profile_id") if code.device_id}


def _unit(device: Device, brand: str, link: str, typed: str) -> Unit:
    return Unit(device.pk, link, typed, device.serial_number, device.device_name, device.product.name, brand)


def _sample_link(profile: ClaimProfile | None) -> str:
    token = (_SAMPLE * 3)[:LINK_LENGTH]
    return printed.canonical(profile, token) if profile else f"{settings.BASE_URL.upper()}/C/{token}"


def _sample_typed() -> str:
    return "0000-0000-0000-0"
