"""Template tags for returns in the portal."""

from typing import Any

from django import template

from claims.portal import returns as portal_returns
from claims.returns import choices as return_choices
from devices.models import Device

register = template.Library()


@register.filter
def in_words(reason: str) -> str:
    """Return a reason in the reader's language, if it is one of the defaults."""
    return return_choices.in_words(reason)


@register.inclusion_tag("portal/_return_link.html", takes_context=True)
def send_back(context: dict[str, Any], device: Device) -> dict[str, Any]:
    """Return a link to send the device back, if the person may, or to its open return."""
    actor = context["request"].actor
    returned = portal_returns.under_way(actor, device)
    may_send = returned is None and portal_returns.is_sendable(actor, device)
    return {"device": device, "returned": returned, "may_send": may_send}
