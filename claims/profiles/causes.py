"""Short explanations of refused claims, for the console."""

from typing import Any

from django.utils.translation import gettext_lazy as _

CAUSES: dict[str, Any] = {
    "replaced": _("Label was replaced"),
    "wrong_domain": _("On another domain"),
    "disabled": _("Profile was disabled"),
    "not_yet_valid": _("Before it began"),
    "expired": _("After it ended"),
    "used_up": _("All claims taken"),
    "gives_nothing": _("Profile listed nothing"),
    "archived": _("Unit archived"),
    "scrapped": _("Unit out of service"),
    "in_quarantine": _("Unit returned and not inspected"),
    "reserved": _("Unit reserved for somebody else"),
    "already_owned": _("Unit owned by somebody else"),
    "not_kept": _("Unit given away since"),
    "already_yours": _("Unit was theirs already"),
    "claimed_before": _("Claimed before and given back"),
    "shipment_open": _("Shipment had not left"),
    "shipment_shipping": _("Shipment was being handed over"),
    "shipment_shipped": _("Shipment was handed over already"),
    "shipment_cancelled": _("Shipment was cancelled"),
    "not_your_shipment": _("Shipment for another customer"),
    "answer_missing": _("Question not answered"),
    "wrong_customer": _("Account of another supplier"),
    "customer_archived": _("Account closed"),
    "changed": _("Offer changed meanwhile"),
    "busy": _("Somebody else was faster"),
}


def say(cause: str) -> str:
    """Return the cause in words; an unknown cause is shown as its own name."""
    return str(CAUSES.get(cause) or cause.replace("_", " ").capitalize() or _("Unknown"))
