"""The tabs of the settings. Each app adds its own at their place among all tabs."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.slots import Slot


@dataclass(frozen=True)
class Tab:
    """A tab of the settings. `key` is the name that its page uses, `prefixes` are the view names that belong to it."""

    key: str
    label: Any
    url_name: str
    position: int
    prefixes: tuple[str, ...]
    permission: Permission = Permission.VIEW


sources: Slot[[], list[Tab]] = Slot("console.settings_tabs.sources")


def every() -> list[Tab]:
    """Return the tabs of the settings in order."""
    return sorted((tab for found in sources.call() for tab in found), key=lambda tab: tab.position)


def own() -> list[Tab]:
    """Return the foundation's own tabs of the settings."""
    edit, members, hooks = Permission.ORGANIZATION_EDIT, Permission.MEMBER_MANAGE, Permission.WEBHOOK_MANAGE
    people = ("console:member", "console:invitation")
    return [
        Tab("organization", _("Organization"), "console:organization_edit", 10, ("console:organization",), edit),
        Tab("members", _("Members"), "console:member_list", 20, people, members),
        Tab("roles", _("Roles"), "console:role_list", 30, ("console:role",)),
        Tab("domains", _("Domains"), "console:domain_list", 40, ("console:domain",), edit),
        Tab("webhooks", _("Webhooks"), "console:webhook_list", 70, ("console:webhook",), hooks),
    ]
