"""The kinds of events that concern organizations and their domains."""

from django.utils.translation import gettext_lazy as _

from console.audit import subjects
from console.audit.kinds import Group, Kind
from console.models import Operation, Organization

SETTINGS = Group(_("Members and settings"), place=60)

ORGANIZATION_CREATED = Kind(
    "organization.created",
    _("Organization created"),
    "building",
    _("{actor} created the organization {subject}"),
    SETTINGS,
    former=("organization.made",),
)
ORGANIZATION_EDITED = Kind(
    "organization.edited",
    _("Organization edited"),
    "settings",
    _("{actor} edited the organization {subject}"),
    SETTINGS,
)
ORGANIZATION_LOGO_CHANGED = Kind(
    "organization.logo_changed", _("Logo changed"), "sparkles", _("{actor} changed the logo"), SETTINGS
)
ORGANIZATION_LOGO_REMOVED = Kind(
    "organization.logo_removed", _("Logo removed"), "trash-2", _("{actor} removed the logo"), SETTINGS
)
DOMAIN_ADDED = Kind("domain.added", _("Domain added"), "globe", _("{actor} added the domain {subject}"), SETTINGS)
DOMAIN_REMOVED = Kind(
    "domain.removed", _("Domain removed"), "globe", _("{actor} removed the domain {subject}"), SETTINGS
)

subjects.register(subjects.Subject(Organization, title=_("Organization"), place=60))
subjects.register(subjects.Subject(Operation, page="console:operation_detail"))
