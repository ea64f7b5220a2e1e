"""The undo pages of receiving and inspecting: their texts, previews and actions."""

from django.utils.formats import localize
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from claims.returns.actions import inspection, inspection_undo, receipt_undo, returns
from console.undo import Undo
from devices.undos import NOT_ERASED, OWNERS_AGAIN, ROWS, give_back, wiped


def _heading_of_receipt(n: int) -> str:
    sentence = ngettext("Undo receiving %(n)s device?", "Undo receiving %(n)s devices?", n)
    return sentence % {"n": localize(n)}


def _heading_of_inspection(n: int) -> str:
    sentence = ngettext("Undo the inspection of %(n)s device?", "Undo the inspection of %(n)s devices?", n)
    return sentence % {"n": localize(n)}


def _undo_inspection(n: int) -> str:
    return ngettext("Undo for %(n)s device", "Undo for %(n)s devices", n) % {"n": localize(n)}


RECEIPT = Undo(
    route=returns.UNDO,
    title=_("Undo the receiving"),
    parent=(_("Returns"), "claims:return_workbench"),
    heading=_heading_of_receipt,
    effects=[
        OWNERS_AGAIN,
        ("mail", _("The owners are notified by email. Returns that they requested are open again.")),
        NOT_ERASED,
        ("key-round", _("Old labels stay invalid; these devices still need new ones.")),
    ],
    button=give_back,
    fit=_("Will be returned"),
    rows=ROWS,
    preview=receipt_undo.preview,
    begin=receipt_undo.begin,
    warning=wiped,
)
INSPECTION = Undo(
    route=inspection.UNDO,
    title=_("Undo the inspection"),
    parent=(_("Returns"), "claims:return_list"),
    heading=_heading_of_inspection,
    effects=[
        ("lock", _("The devices go back into quarantine, including those that were scrapped.")),
        ("clipboard-check", _("Their returns show the previous grade, checks and note.")),
        ("tag", _("Labels printed in the meantime stay as they are.")),
    ],
    button=_undo_inspection,
    fit=_("Will go back into quarantine"),
    rows=ROWS,
    preview=inspection_undo.preview,
    begin=inspection_undo.begin,
)
