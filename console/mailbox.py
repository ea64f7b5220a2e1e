"""The stored mails as the browser shows them."""

import re
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from console import mail
from console.access import Actor
from console.models import Organization, Role

SHOWN = 50
_CODE = re.compile(r"(?<![\d/-])\d{6}(?![\d/-])")


def newest() -> list[dict[str, Any]]:
    """Return the newest stored mails, each with its six-digit `code` if it has one."""
    return [{**each, "code": _code(each["subject"] or "") or _code(each["text"])} for each in mail.kept(SHOWN)]


def is_open_to(actor: Actor) -> bool:
    """Whether the member runs this server alone: an owner or administrator of its only organization.

    If there are several organizations, members of one must not read the sign-in codes of another.
    """
    if actor.kind != "member" or actor.role not in {Role.OWNER, Role.ADMINISTRATOR}:
        return False
    if actor.organization.requires_second_factor and not actor.has_second_factor:
        return False
    return Organization.objects.count() == 1  # unscoped: counts all organizations of the server


def invited(email: str) -> str:
    """Return the sentence that an invitation was mailed, or stored because no mail server is configured."""
    if settings.MAIL_URL:
        return _("Invitation sent to %(email)s.") % {"email": email}
    return _("The invitation to %(email)s is in this server’s mailbox, because no mail server is configured.") % {
        "email": email
    }


def _code(text: str) -> str:
    found = _CODE.search(text)
    return found.group() if found else ""
