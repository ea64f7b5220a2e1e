"""Template context of the page frame."""

import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from console import mailbox, navigation
from console.access import Actor
from console.models import Member, Organization
from console.version import VERSION

SECONDS_KEPT = 30


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the actor and, lazily, the sidebar with the entry of the current page marked.

    `account_frame` is the frame of a person's own pages and of refusals: the console's for a member who may enter the
    console.
    """
    actor = getattr(request, "actor", None)
    enters = actor is not None and actor.kind == "member" and not _lacks_second_step(actor)

    def sidebar() -> list[dict[str, Any]]:
        if not enters or actor is None:
            return []
        match = request.resolver_match
        view = match.view_name if match else ""
        return [
            {"entry": entry, "count": count, "current": view.startswith(entry.prefixes)}
            for entry, count in navigation.for_actor(actor, getattr(request, "sidebar_numbers", None))
        ]

    def others() -> list[Organization]:
        if actor is None or actor.user is None or actor.organization is None:
            return []
        # unscoped: the person's own
        members = Member.objects.filter(user=actor.user, removed_at=None).exclude(organization=actor.organization)
        return [member.organization for member in members.select_related("organization")]

    return {
        "actor": actor,
        "sidebar": sidebar,
        "other_organizations": others,
        "is_working": bool(enters and actor and actor.is_working),
        "mail_is_kept": lambda: bool(enters and actor and _reads_kept_mail(actor)),
        "custody_version": VERSION,
        "account_frame": "base.html" if enters else "console/plain.html" if actor and actor.user else "entrance.html",
    }


def _lacks_second_step(actor: Actor) -> bool:
    return actor.organization.requires_second_factor and not actor.has_second_factor


def _reads_kept_mail(actor: Actor) -> bool:
    """Whether to offer the stored mails. May be half a minute old; the page itself checks again."""
    if settings.MAIL_URL:
        return False
    until, known = _kept.get((actor.organization.pk, actor.role), (0.0, False))
    if time.monotonic() > until:
        known = mailbox.is_open_to(actor)
        _kept[actor.organization.pk, actor.role] = (time.monotonic() + SECONDS_KEPT, known)
    return known


def forget() -> None:
    """Clear this process's cache of who may read the stored mails."""
    _kept.clear()


# Cached in this process, because every page shows it.
_kept: dict[tuple[int, str], tuple[float, bool]] = {}
