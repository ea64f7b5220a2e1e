"""Finds devices by serial number, device name, IMEI, ICCID or MAC address, for the search and the workbenches."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import F, Q, QuerySet

from console.fields import fold
from devices.models import Device

# The most keys that one query looks up.
KEYS_A_QUERY = 1_000
_HEX = frozenset("0123456789ABCDEF")


@dataclass(frozen=True)
class Keys:
    """The forms in which a text may be stored as each identifier; empty where it can't be one."""

    folded: str
    imei: str = ""
    iccid: str = ""
    mac: str = ""


def keys_of(text: str) -> Keys:
    """Return the forms of a text: a MAC address in any spelling, and an ICCID also with the F that pads 19 digits."""
    compact = "".join(character for character in text if character.isalnum()).upper()
    digits = compact if compact.isascii() and compact.isdigit() else ""
    if len(compact) == 20 and compact[:-1].isascii() and compact[:-1].isdigit() and compact[-1] == "F":
        digits = compact[:-1]
    is_mac = len(compact) in {12, 16} and _HEX.issuperset(compact)
    return Keys(
        folded=fold(text),
        imei=digits if len(digits) == 15 else "",
        iccid=digits if len(digits) in {19, 20} else "",
        mac=":".join(compact[at : at + 2] for at in range(0, len(compact), 2)) if is_mac else "",
    )


def identified_by(all_keys: Iterable[Keys]) -> Q:
    """Return the condition for devices that one of the keys names. Each part of it has an index."""
    keys = list(all_keys)
    folded = {each.folded for each in keys}
    parts = [Q(serial_key__in=folded) | Q(name_key__in=folded)]
    for column in ("imei", "iccid", "mac"):
        if values := {getattr(each, column) for each in keys} - {""}:
            # The partial indexes contain no empty values, and SQLite needs the condition that none is wanted.
            parts.append(Q(**{f"{column}__in": values}) & ~Q(**{column: ""}))
    return reduce(or_, parts)


def find_all(rows: QuerySet[Device], texts: Iterable[str], *, most: int) -> dict[str, list[Device]]:
    """Return the devices that each text names, current ones first. Texts that name none are left out.

    A device name is unique and takes precedence. A text may be several other identifiers of different devices: then all
    of these are returned, up to `most` for each text.
    """
    wanted = {text: keys_of(text) for text in texts if text.strip() and "\0" not in text}
    found: dict[str, list[Device]] = {}
    pairs = list(wanted.items())
    for start in range(0, len(pairs), KEYS_A_QUERY):
        found |= _find(rows, dict(pairs[start : start + KEYS_A_QUERY]), most)
    return found


def _find(rows: QuerySet[Device], wanted: dict[str, Keys], most: int) -> dict[str, list[Device]]:
    known: dict[tuple[str, str], list[Device]] = {}
    order = (F("archived_at").asc(nulls_first=True), "pk")
    for device in rows.filter(identified_by(wanted.values())).order_by(*order)[: most * len(wanted)]:
        for column in ("name_key", "serial_key", "imei", "iccid", "mac"):
            if value := getattr(device, column):
                known.setdefault((column, value), []).append(device)
    found = {}
    for text, keys in wanted.items():
        named = known.get(("name_key", keys.folded), [])
        others = [
            *known.get(("serial_key", keys.folded), []),
            *known.get(("imei", keys.imei), []),
            *known.get(("iccid", keys.iccid), []),
            *known.get(("mac", keys.mac), []),
        ]
        if units := named or list({device.pk: device for device in others}.values())[:most]:
            found[text] = units
    return found
