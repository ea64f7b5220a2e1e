"""The texts of the pages that undo assigning and unclaiming."""

from typing import Any

from django.utils.formats import localize
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from console.undo import Undo
from devices.actions import undo

ROWS = "devices/_undo.html"
OWNERS_AGAIN = (
    "user-check",
    _("The owners get them back, including shared access, as if they had never been unclaimed."),
)
NOT_ERASED = ("cpu", _("Requests to erase the owners' data are withdrawn. Requests for earlier owners remain."))


def give_back(n: int) -> str:
    """Return the label of the button that gives devices back to their owners."""
    return ngettext("Return %(n)s device to its owner", "Return %(n)s devices to their owners", n) % {"n": localize(n)}


def wiped(found: dict[str, Any]) -> str:
    """Return the warning about devices that have wiped themselves since; empty if there are none."""
    n = found["wiped"]
    sentence = ngettext(
        "%(n)s of them has already wiped itself. It goes back all the same, but its owner has to set it up again.",
        "%(n)s of them have already wiped themselves. They go back all the same, but their owners have to "
        "set them up again.",
        n,
    )
    return sentence % {"n": localize(n)} if n else ""


def _heading_of_assignment(n: int) -> str:
    sentence = ngettext("Undo assigning %(n)s device?", "Undo assigning %(n)s devices?", n)
    return sentence % {"n": localize(n)}


def _take_back(n: int) -> str:
    return ngettext("Take %(n)s device back", "Take %(n)s devices back", n) % {"n": localize(n)}


def _heading_of_unclaim(n: int) -> str:
    sentence = ngettext("Undo unclaiming %(n)s device?", "Undo unclaiming %(n)s devices?", n)
    return sentence % {"n": localize(n)}


ASSIGN = Undo(
    route=undo.ASSIGN,
    title=_("Undo the assignment"),
    parent=(_("Devices"), "devices:device_list"),
    heading=_heading_of_assignment,
    effects=[
        ("user-x", _("The customer loses access immediately. The history shows a correction.")),
        ("archive", _("The devices go back to stock or quarantine, as before.")),
        ("key-round", _("Printed codes stay valid.")),
    ],
    button=_take_back,
    fit=_("Will be taken back"),
    rows=ROWS,
    preview=undo.preview,
    begin=undo.begin,
    is_danger=True,
)
UNCLAIM = Undo(
    route=undo.UNCLAIM,
    title=_("Undo the unclaim"),
    parent=(_("Devices"), "devices:device_list"),
    heading=_heading_of_unclaim,
    effects=[
        OWNERS_AGAIN,
        NOT_ERASED,
        (
            "key-round",
            _(
                "Codes printed before the unclaim remain invalid. Print new labels. "
                "Devices taken out of claim profiles stay out."
            ),
        ),
    ],
    button=give_back,
    fit=_("Will be returned"),
    rows=ROWS,
    preview=undo.preview,
    begin=undo.begin,
    warning=wiped,
)
