"""What the page frame needs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from console import navigation
from console.models import Member, Organization


def frame(request: HttpRequest) -> dict[str, Any]:
    """The actor and, lazily, the sidebar with the entry of the current page marked."""
    actor = getattr(request, "actor", None)

    def sidebar() -> list[dict]:
        if actor is None or actor.kind != "member":
            return []
        match = request.resolver_match
        view = match.view_name if match else ""
        return [
            {"entry": entry, "count": count, "current": view.startswith(entry.prefixes)}
            for entry, count in navigation.for_actor(actor)
        ]

    def others() -> list[Organization]:
        if actor is None or actor.user is None or actor.organization is None:
            return []
        members = Member.objects.filter(user=actor.user, removed_at=None).exclude(organization=actor.organization)
        return [member.organization for member in members.select_related("organization")]

    return {
        "actor": actor, "sidebar": sidebar, "other_organizations": others, "mail_is_kept": not settings.MAIL_URL,
    }  # fmt: skip
