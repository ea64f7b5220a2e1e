"""The webhooks bound to one product or customer, shown on its page."""

from typing import Any

from django.template.loader import render_to_string

from console.access import Permission
from console.audit import kind_of
from console.models import Webhook
from console.requests import Request


def bound(request: Request, subject: Any) -> str:
    """Return the panel of this subject's webhooks; empty for readers who may not manage them."""
    actor = request.actor
    if not actor.may(Permission.WEBHOOK_MANAGE):
        return ""
    scope = kind_of(subject)
    rows = Webhook.objects.visible_to(actor).current().filter(**{f"{scope}_id": subject.pk}).order_by("pk")
    context = {"webhooks": list(rows), "scope": scope, "subject": subject}
    return render_to_string("console/webhooks/_webhook_card.html", context, request)
