"""The audit events of webhooks themselves; what webhooks send is declared with the events that they follow."""

from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.audit import subjects
from console.audit.kinds import Kind
from console.audit.public import PublicEvent
from console.events import SETTINGS
from console.models import Webhook

TEST = PublicEvent("webhook.test", _("Test"), frozenset(), place=1000, is_emitted=True)

CREATED = Kind(
    "webhook.created",
    _("Webhook created"),
    "webhook",
    _("{actor} created the webhook {subject}"),
    SETTINGS,
    former=("webhook.made",),
)
EDITED = Kind("webhook.edited", _("Webhook edited"), "pencil", _("{actor} edited the webhook {subject}"), SETTINGS)
ROTATED = Kind(
    "webhook.rotated",
    _("Webhook's secret replaced"),
    "key-round",
    _("{actor} replaced the secret of the webhook {subject}"),
    SETTINGS,
)
ENABLED = Kind("webhook.enabled", _("Webhook enabled"), "play", _("{actor} enabled the webhook {subject}"), SETTINGS)
DISABLED = Kind(
    "webhook.disabled", _("Webhook disabled"), "pause", _("{actor} disabled the webhook {subject}"), SETTINGS
)
KEPT_SENT = Kind(
    "webhook.kept_sent",
    _("Kept webhook calls sent"),
    "send",
    _("{actor} sent {subject} the calls that were kept while it was disabled"),
    SETTINGS,
)
KEPT_DISCARDED = Kind(
    "webhook.kept_discarded",
    _("Kept webhook calls discarded"),
    "trash-2",
    _("{actor} discarded the calls that were kept for {subject} while it was disabled"),
    SETTINGS,
)
REMOVED = Kind("webhook.removed", _("Webhook removed"), "trash-2", _("{actor} removed the webhook {subject}"), SETTINGS)
TESTED = Kind("webhook.tested", _("Webhook tested"), "send", _("{actor} tested the webhook {subject}"), SETTINGS)
SENT_AGAIN = Kind(
    "webhook.sent_again",
    _("Webhook call sent again"),
    "refresh-cw",
    _("{actor} sent a call to {subject} again"),
    SETTINGS,
)

subjects.register(subjects.Subject(Webhook, page="console:webhook_detail", may=Permission.WEBHOOK_MANAGE))
