"""The texts of the pages that undo assigning and unclaiming."""

from typing import Any

from django.utils.formats import localize
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from console.undo import Undo
from devices.actions import undo

ROWS = "devices/_undo.html"
OWNERS_AGAIN = ("user-check", _("The owners have them again, as if they had never been taken; shared access too."))
NOT_ERASED = ("cpu", _("The request to erase themselves is withdrawn. A request for an earlier owner remains."))


def give_back(n: int) -> str:
    """Return the label of the button that gives devices back to their owners."""
    return ngettext("Give %(n)s device back", "Give %(n)s devices back", n) % {"n": localize(n)}


def wiped(found: dict[str, Any]) -> str:
    """Return the warning about devices that have wiped themselves since; empty if there are none."""
    n = found["wiped"]
    sentence = ngettext(
        "%(n)s of them has wiped itself already. It goes back all the same, and its owner has to set it up anew.",
        "%(n)s of them have wiped themselves already. They go back all the same, and their owners have to set "
        "them up anew.",
        n,
    )
    return sentence % {"n": localize(n)} if n else ""


def _heading_of_assignment(n: int) -> str:
    sentence = ngettext("Undo the assignment of %(n)s device?", "Undo the assignment of %(n)s devices?", n)
    return sentence % {"n": localize(n)}


def _take_back(n: int) -> str:
    return ngettext("Take %(n)s device back", "Take %(n)s devices back", n) % {"n": localize(n)}


def _heading_of_unclaim(n: int) -> str:
    sentence = ngettext("Undo the unclaim of %(n)s device?", "Undo the unclaim of %(n)s devices?", n)
    return sentence % {"n": localize(n)}


ASSIGN = Undo(
    route=undo.ASSIGN,
    title=_("Undo the assignment"),
    parent=(_("Devices"), "devices:device_list"),
    heading=_heading_of_assignment,
    effects=[
        ("user-x", _("The customer loses access at once. Its history shows a correction.")),
        ("archive", _("The devices are in stock or in quarantine again, as before.")),
        ("key-round", _("Printed codes stay good.")),
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
    fit=_("Will be given back"),
    rows=ROWS,
    preview=undo.preview,
    begin=undo.begin,
    warning=wiped,
)
