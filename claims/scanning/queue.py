"""What a bench's browser keeps until the server has it: scans with ids of their own, sent by the person who scanned them."""

import re

from django.http import QueryDict
from django.utils.translation import gettext as _

from claims.scanning.scans import MOST_LINES
from console.access import Actor
from console.errors import Refused

_TOKEN = re.compile(r"[0-9a-z]{8,36}\Z")


def person(actor: Actor) -> str:
    """Who scans, in which organization, as the page notes it with each scan that waits."""
    return f"{actor.organization.pk}-{actor.user_id}"


def read(data: QueryDict, actor: Actor) -> dict[str, str]:
    """The scans that were sent, by their ids and in their order.

    Raises Refused where somebody else is signed in by now: nobody's scans are sent in another person's name unseen.
    """
    sent = data.getlist("queued")
    if not sent:
        return {}
    if data.get("person") != person(actor):
        raise Refused("another_person", _("Somebody else is signed in now. Reload the page to go on."))
    if len(sent) > MOST_LINES:
        raise Refused("too_many_lines", _("Send fewer scans at once."), status=422)
    pairs = (each.partition(" ") for each in sent)
    return {token: text for token, _space, text in pairs if _TOKEN.match(token)}


def handled(data: QueryDict) -> str:
    """The ids of the scans that were sent, for the answer: what is not among them stays with the browser."""
    tokens = (each.partition(" ")[0] for each in data.getlist("queued"))
    return " ".join(dict.fromkeys(token for token in tokens if _TOKEN.match(token)))
