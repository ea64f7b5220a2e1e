"""Messages of devices: what a device may send, and which messages of one device an actor may read."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from console import moments
from console.access import Actor
from console.errors import Refused
from devices.models import Device, Message, Ownership, SharedAccess
from devices.models.message import Json, MessageQuerySet, spans_of

MOST = 1_000
MAX_DATA = 64 * 1024
MAX_DEPTH = 100
# Outside these years, the day may not exist in another time zone.
YEARS = range(1970, 3000)
MAX_BODY = 2 * 1024 * 1024
NAME = re.compile(r"[A-Za-z0-9_./-]{1,64}\Z")
FIELDS = {"name", "data", "at"}


class BadMessage(Refused):
    """A message that can't be stored. `index` is its place in what was sent, from 0; None if all of it is bad."""

    def __init__(self, sentence: str, index: int | None = None) -> None:
        super().__init__("bad_message", sentence, status=422)
        self.index = index


class Unstorable(ValueError):
    """JSON that can't be stored. `code` is the reason as one word; `sentence` explains it to people, and what to do."""

    def __init__(self, sentence: str, code: str = "bad_message") -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


class Draft(NamedTuple):
    """A message as it was sent: its data is JSON text, as it will be stored."""

    name: str
    data: Json
    device_at: datetime | None


@dataclass(frozen=True)
class Window:
    """The messages of one device that an actor may read in a period.

    `is_within` is False if the period touches none of the actor's spans: then there can't be any messages.
    """

    rows: MessageQuerySet
    is_within: bool


def window(
    actor: Actor, device: Device, since: datetime | None = None, until: datetime | None = None, up_to: int | None = None
) -> Window:
    """Return what the actor may read of the device from `since` on and before `until`; None leaves an end open.

    With `up_to`, only up to the message with this id, see `horizon.settled`.
    """
    rows = Message.objects.visible_to(actor, device=device, up_to=up_to)
    if since:
        rows = rows.filter(at__gte=since)
    if until:
        rows = rows.filter(at__lt=until)
    if actor.kind != "customer":
        return Window(rows, Device.objects.visible_to(actor).filter(pk=device.pk).exists())
    touched = [
        span
        for span in spans_of(actor, device)
        if (until is None or span.seen_from < until)
        and (since is None or span.ended_at is None or span.ended_at > since)
    ]
    return Window(rows, bool(touched) and (since is None or until is None or since < until))


def devices_of(actor: Actor) -> QuerySet[Device]:
    """Return the devices whose messages the actor may read; for a customer's person also those that it held before."""
    if actor.kind != "customer":
        return Device.objects.visible_to(actor)
    spans = [model.objects.reached_by(actor).filter(device=OuterRef("pk")) for model in (Ownership, SharedAccess)]
    # unscoped: the spans are those that reach the person
    return Device.objects.filter(Q(Exists(spans[0])) | Q(Exists(spans[1])))


def read(body: bytes) -> list[Draft]:
    """Return the messages in a body: one object, or a list of 1 to 1,000. Raises BadMessage for the first bad one."""
    value = loads(body)
    items = value if isinstance(value, list) else [value]
    if not 1 <= len(items) <= MOST:
        raise BadMessage(_("Send 1 to 1,000 messages at once."))
    return [_draft(item, index) for index, item in enumerate(items)]


def loads(body: bytes) -> Any:
    """Return the JSON of a body. Raises BadMessage for anything else, and for NaN and Infinity, which aren't JSON."""
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        raise BadMessage(_too_deep()) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise BadMessage(_("This is not JSON. Send an object or a list of objects in UTF-8.")) from None
    except ValueError:
        # Python refuses to convert numbers with that many digits.
        raise BadMessage(_out_of_range()) from None


def dumps(value: Any, most: int) -> Json:
    """Return the value as JSON text of at most `most` bytes. Raises Unstorable if it is longer or has no JSON text."""
    if _depth(value) > MAX_DEPTH:
        raise Unstorable(_too_deep())
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except UnicodeEncodeError:
        # No page could show it either.
        raise Unstorable(
            _("A text contains half a character (a lone surrogate), which can't be stored. Send the whole character.")
        ) from None
    except ValueError:
        raise Unstorable(_out_of_range()) from None
    if size > most:
        limit = {"size": most // 1024}
        raise Unstorable(_("The data can be at most %(size)s kB of JSON. Send less.") % limit, code="too_long")
    return Json(text)


def _depth(value: Any) -> int:
    """Return how deeply lists and objects are nested."""
    depth, level = 0, [value]
    while depth <= MAX_DEPTH and (level := [one for one in level if isinstance(one, dict | list)]):
        depth += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return depth


def _refuse_constant(name: str) -> None:
    raise BadMessage(_("%(name)s is not JSON. Send a number, null or text.") % {"name": name})


def _out_of_range() -> str:
    return _("A number is out of range. Send numbers up to 1.7e308, or text.")


def _too_deep() -> str:
    limit = {"depth": MAX_DEPTH}
    return _("This is nested too deeply. Send at most %(depth)s levels of lists and objects.") % limit


def _draft(item: Any, index: int) -> Draft:
    if not isinstance(item, dict) or not item.keys() <= FIELDS or "data" not in item:
        raise BadMessage(_("A message is an object with name, data and, optionally, at."), index)
    name = item.get("name")
    if not isinstance(name, str) or not NAME.match(name):
        raise BadMessage(_("The name must have 1 to 64 letters, digits or the characters _ . / -."), index)
    try:
        data = dumps(item["data"], MAX_DATA)
    except Unstorable as cause:
        raise BadMessage(cause.sentence, index) from None
    return Draft(name, data, _time(item.get("at"), index))


def moment(value: Any) -> datetime | None:
    """Return the instant that a text with its offset names (RFC 3339), in UTC; None for anything else."""
    try:
        at = moments.read(value)
        utc = at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
        return utc if utc is not None and utc.year in YEARS else None
    except (ValueError, TypeError, OverflowError):
        return None


def _time(value: Any, index: int) -> datetime | None:
    if value is None:
        return None
    at = moment(value)
    if at is None:
        raise BadMessage(_("Write the time with its offset, like 2026-11-22T09:30:00Z."), index)
    return at
