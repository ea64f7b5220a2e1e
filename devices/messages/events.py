"""The public event of messages. They are not in the audit log."""

from django.utils.translation import gettext_lazy as _

from console.audit.public import EVERYONE, Guard, PublicEvent
from devices.messages import withholding

PUBLISHED = PublicEvent(
    "message",
    _("Device message"),
    EVERYONE,
    place=90,
    is_emitted=True,
    has_names=True,
    guard=Guard(unlocked=withholding.unlocked, visible_now=withholding.visible_now),
)
