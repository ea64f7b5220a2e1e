"""Short explanations of refused claims, for the console."""

from typing import Any

from django.utils.translation import gettext_lazy as _

CAUSES: dict[str, Any] = {
    "replaced": _("Label was replaced"),
    "wrong_domain": _("Wrong domain"),
    "disabled": _("Profile was disabled"),
    "not_yet_valid": _("Not valid yet"),
    "expired": _("Expired"),
    "used_up": _("All claims taken"),
    "gives_nothing": _("Profile was empty"),
    "archived": _("Device archived"),
    "scrapped": _("Device out of service"),
    "in_quarantine": _("Device returned, not yet inspected"),
    "reserved": _("Device reserved for another customer"),
    "already_owned": _("Device owned by another customer"),
    "not_kept": _("Device now owned by a customer"),
    "already_yours": _("Device already theirs"),
    "claimed_before": _("Claimed before, no longer theirs"),
    "shipment_open": _("Shipment not shipped yet"),
    "shipment_shipping": _("Shipment was being handed over"),
    "shipment_shipped": _("Shipment already handed over"),
    "shipment_cancelled": _("Shipment was cancelled"),
    "not_your_shipment": _("Shipment for another customer"),
    "answer_missing": _("Question not answered"),
    "wrong_customer": _("Account with another supplier"),
    "customer_archived": _("Account closed"),
    "changed": _("Offer changed in the meantime"),
    "busy": _("Somebody else claimed at the same time"),
}


def sentence(cause: str) -> str:
    """Return the cause in words; an unknown cause is shown as its own name."""
    return str(CAUSES.get(cause) or cause.replace("_", " ").capitalize() or _("Unknown"))
