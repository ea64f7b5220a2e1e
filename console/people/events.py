"""Event kinds of members and invitations."""

from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.audit import subjects
from console.audit.kinds import Kind
from console.events import SETTINGS
from console.models import Member

INVITED = Kind("member.invited", _("Member invited"), "mail", _("{actor} invited {subject}"), SETTINGS)
INVITED_AGAIN = Kind(
    "member.invited_again", _("Invitation sent again"), "mail", _("{actor} sent {subject} a new invitation"), SETTINGS
)
INVITATION_REVOKED = Kind(
    "member.invitation_revoked",
    _("Invitation revoked"),
    "ban",
    _("{actor} revoked the invitation of {subject}"),
    SETTINGS,
)
JOINED = Kind("member.joined", _("Member joined"), "user-check", _("{subject} joined"), SETTINGS)
EDITED = Kind(
    "member.edited", _("Member's role changed"), "user-check", _("{actor} changed the role of {subject}"), SETTINGS
)
REMOVED = Kind("member.removed", _("Member removed"), "user-x", _("{actor} removed {subject}"), SETTINGS)

subjects.register(
    subjects.Subject(Member, page="console:member_edit", may=Permission.MEMBER_MANAGE, title=_("Members"), place=50)
)
