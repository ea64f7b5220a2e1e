"""What somebody at a bench scans or types: a serial number, a device name, a label's link or typed code, a return slip."""

import re
from dataclasses import dataclass, field

from django.db.models import Q

from claims import codes, offers
from claims.models import Return
from console.access import Actor
from console.fields import fold
from devices.models import Device

_RETURN = re.compile(r"R-?0*([1-9]\d{0,8})\Z", re.IGNORECASE)
# A pasted list may be long; each line of it is a scan of its own.
MOST_CHARACTERS, MOST_LINES = 400, 2_000
# Of units that share a serial number in several products, so many are looked at.
MOST_TWINS = 20


@dataclass(frozen=True)
class Scan:
    """What was read, and what it stands for: the units of that name (several products may share a serial number), or a
    return."""

    text: str
    devices: list[Device] = field(default_factory=list)
    returned: Return | None = None
    # It is a link or typed code that works, but not one of a single unit.
    is_offer: bool = False


def lines(text: str) -> list[str]:
    """The scans of a pasted list: one a line, or separated by commas, semicolons and tabs; each once, in order."""
    parts = (part.strip() for part in re.split(r"[\r\n,;\t]+", text))
    return list(dict.fromkeys(part for part in parts if part))[:MOST_LINES]


def find(actor: Actor, text: str) -> Scan:
    """What the text stands for among what the actor may see. Two indexed queries at most, three for a return slip."""
    text = text.strip()[:MOST_CHARACTERS]
    if not text or "\0" in text:
        return Scan(text)
    key, rows = fold(text), Device.objects.visible_to(actor).select_related("product", "customer")
    found = list(rows.filter(Q(serial_key=key) | Q(name_key=key)).order_by("archived_at", "pk")[:MOST_TWINS])
    if found:
        return Scan(text, [device for device in found if device.name_key == key] or found)
    if number := _RETURN.match(text):
        returns = Return.objects.visible_to(actor).select_related(
            "device__product", "device__customer", "customer"
        )
        return Scan(text, returned=returns.filter(number=int(number[1])).first())
    printed = codes.normalise(text)
    if len(printed) not in {codes.LINK_LENGTH, codes.TYPED_LENGTH} or codes.is_mistyped(printed):
        return Scan(text)
    code = offers.find(text)
    if code is None or code.organization_id != actor.organization.pk:
        return Scan(text)
    if code.device_id is None:
        return Scan(text, is_offer=True)
    return Scan(text, list(rows.filter(pk=code.device_id)))
