"""What somebody at a bench scans or types: a serial number, a device name, a label's link or typed code, a return slip."""

import re
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext as _

from claims import codes, offers
from claims.models import Return
from console.access import Actor
from console.errors import Refused
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
    """The scans of a pasted list: one a line, or separated by commas, semicolons and tabs; each once, in order.

    Raises Refused (422) where there are more than are looked up at once.
    """
    parts = (part.strip() for part in re.split(r"[\r\n,;\t]+", text))
    found = list(dict.fromkeys(part for part in parts if part))
    if len(found) > MOST_LINES:
        sentence = _("The list has %(n)s lines. Paste at most %(most)s at once.")
        raise Refused("too_many_lines", sentence % {"n": len(found), "most": MOST_LINES}, status=422)
    return found


def find(actor: Actor, text: str) -> Scan:
    """What the text stands for among what the actor may see. Two indexed queries at most, three for a return slip."""
    return find_all(actor, [text])[0]


def find_all(actor: Actor, texts: list[str]) -> list[Scan]:
    """The same for many texts: one query for all that are serial numbers or device names, the rest one by one."""
    texts = [text.strip()[:MOST_CHARACTERS] for text in texts]
    keys = {fold(text) for text in texts if text and "\0" not in text}
    rows = (
        Device.objects.visible_to(actor).select_related("product", "customer").order_by("archived_at", "pk")
    )
    found: dict[str, list[Device]] = {}
    for device in rows.filter(Q(serial_key__in=keys) | Q(name_key__in=keys))[: MOST_TWINS * len(texts)]:
        for key in {device.serial_key, device.name_key} & keys:
            found.setdefault(key, []).append(device)
    return [_named(text, found.get(fold(text), [])) or _printed(actor, text) for text in texts]


def _named(text: str, found: list[Device]) -> Scan | None:
    """The units of this name; a device name goes before a serial number, for it is unique."""
    key = fold(text)
    return Scan(text, [device for device in found if device.name_key == key] or found) if found else None


def _printed(actor: Actor, text: str) -> Scan:
    """What the text stands for as something printed: a return slip, or the link or typed code of a label."""
    if not text or "\0" in text:
        return Scan(text)
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
    rows = Device.objects.visible_to(actor).select_related("product", "customer")
    return Scan(text, list(rows.filter(pk=code.device_id)))
