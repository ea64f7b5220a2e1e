"""Scans that a workbench's browser queues, each with its own id, until the server has received them."""

import re

from django.http import QueryDict
from django.utils.translation import gettext as _

from claims.scanning.scans import MOST_LINES
from console.access import Actor
from console.errors import Refused

_TOKEN = re.compile(r"[0-9a-z]{8,36}\Z")


def person(actor: Actor) -> str:
    """Return the key of person and organization that the page stores with each queued scan."""
    return f"{actor.organization.pk}-{actor.user_id}"


def read(data: QueryDict, actor: Actor) -> dict[str, str]:
    """Return the scans that were sent, by id and in order.

    Raises Refused if somebody else is signed in by now, so that scans are not recorded in another person's name, or
    (422) if there are more than 2,000.
    """
    sent = data.getlist("queued")
    if not sent:
        return {}
    if data.get("person") != person(actor):
        raise Refused("another_person", _("Somebody else is signed in now. Reload the page to continue."))
    if len(sent) > MOST_LINES:
        raise Refused("too_many_lines", _("Send fewer scans at once."), status=422)
    pairs = (each.partition(" ") for each in sent)
    return {token: text for token, _space, text in pairs if _TOKEN.match(token)}


def handled(data: QueryDict) -> str:
    """Return the ids of the received scans, separated by spaces. The browser keeps all others in its queue."""
    tokens = (each.partition(" ")[0] for each in data.getlist("queued"))
    return " ".join(dict.fromkeys(token for token in tokens if _TOKEN.match(token)))
