"""Membership of an organization: invitations, roles and removal."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from console import addresses, api_keys, mail, throttle
from console import events as console_events
from console.access import ROLES, Actor, Permission, system
from console.actions.organizations import actor_of, make
from console.audit import record
from console.errors import Refused
from console.models import Invitation, Member, Organization, Role, User
from console.people import events
from console.slots import Slot
from console.transactions import retrying

VALID = timedelta(days=7)


@Slot.declare
def leaving(organization: Organization, user: User, *, by: Actor, at: datetime) -> object:
    """Slot called in the same transaction when a person leaves the organization."""


@retrying
def create_organization(name: str, *, owner: str) -> tuple[Organization, str]:
    """Create another organization and invite its owner by email. Returns it with the link that was sent."""
    organization = make(name)
    by = system(organization)
    record(console_events.ORGANIZATION_CREATED, organization, by=by)
    return organization, invite(owner, Role.OWNER, by=by)[1]


@retrying
def invite(
    email: str, role: str, *, by: Actor, token: str | None = None, at: datetime | None = None
) -> tuple[Invitation, str]:
    """Email a link to become a member. Returns the invitation with its link; an older open one is revoked.

    `token` is the secret in the link; only its SHA-256 is stored. Raises Refused if the person is a member already, if
    the role may do more than the inviter, and if somebody other than an owner invites an owner.
    """
    at, token, email = at or timezone.now(), token or secrets.token_urlsafe(32), addresses.normal(email)
    _may_grant(role, by)
    if Member.objects.filter(organization=by.organization, user__email=email, removed_at=None).exists():
        raise Refused("member_already", _("%(email)s is already a member.") % {"email": email}, status=422)
    older = Invitation.objects.filter(organization=by.organization, email=email, accepted_at=None, revoked_at=None)
    for earlier in older.values_list("role", flat=True):
        _must_have(earlier, by)
    kind = events.INVITED_AGAIN if older.update(revoked_at=at) else events.INVITED
    invitation = Invitation.objects.create(
        organization=by.organization,
        email=email,
        role=role,
        token_sha256=digest(token),
        created_at=at,
        # The person, even if one of their keys sends the invitation.
        invited_by=str(by.user or by.label),
        made_by=by.user,
        key_id=by.key_id,
        expires_at=at + VALID,
    )
    link = settings.BASE_URL + reverse("console:invitation_accept", args=[token])
    mail.send("invitation", email, {"invitation": invitation, "organization": by.organization, "link": link})
    record(kind, invitation, by=by, at=at, role=invitation.get_role_display())
    return invitation, link


@retrying
def revoke(invitation: Invitation, *, by: Actor, at: datetime | None = None) -> None:
    """Revoke an open invitation, so that its link stops working. A used or revoked one stays as it is."""
    _may_grant(invitation.role, by)
    if Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(
        revoked_at=at or timezone.now()
    ):
        record(events.INVITATION_REVOKED, invitation, by=by, at=at)


def find_open(token: str, *, at: datetime | None = None) -> Invitation | None:
    """Return the invitation that the link's token opens, or None.

    None if the invitation is used, revoked or expired, or if the key that created it is no longer usable.
    """
    rows = Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=at or timezone.now())
    found = rows.select_related("organization").filter(token_sha256=digest(token)).first()
    if found and found.key_id is not None and not api_keys.is_usable(found.key_id):
        return None
    return found


@retrying
def join(invitation: Invitation, *, name: str, password: str, at: datetime | None = None) -> Member:
    """Create an account for the invited address, proved by the emailed link, and make the person a member.

    Raises Refused if the address has an account already, and in the cases of `accept`.
    """
    if User.objects.filter(email=invitation.email).exists():
        raise Refused("account_exists", _("%(email)s has an account. Sign in to accept.") % {"email": invitation.email})
    user = User.objects.create_user(invitation.email, password, name=name.strip())
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return accept(invitation, user=user, at=at)


@retrying
def accept(invitation: Invitation, *, user: User, at: datetime | None = None) -> Member:
    """Make the person a member, even if they were removed before, and mark the invitation as used.

    Raises Refused if the link is no longer open, and (403) if the person has a different address from the invited one.
    """
    at = at or timezone.now()
    if user.email != invitation.email:
        raise Refused("other_address", _("This invitation is for %(email)s.") % {"email": invitation.email}, status=403)
    open_ = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None, expires_at__gt=at)
    if not open_.update(accepted_at=at):
        raise Refused("not_open", _("This invitation was already used or revoked. Ask for a new one."))
    values: dict[str, Any] = {"role": invitation.role, "removed_at": None}
    member, _made = Member.objects.select_related("user", "organization").update_or_create(
        organization=invitation.organization, user=user, defaults=values, create_defaults={**values, "created_at": at}
    )
    record(events.JOINED, member, by=actor_of(member), at=at, role=member.get_role_display())
    return member


@retrying
def change_role(member: Member, role: str, *, by: Actor) -> None:
    """Give a member another role.

    Raises Refused for one's own role, for an owner's role unless an owner asks, for the last owner's role, and if the
    old or the new role may do more than the person who asks.
    """
    if role == member.role:
        return
    _may_touch(member, by)
    _may_grant(role, by)
    _keep_an_owner(member)
    if not Member.objects.filter(pk=member.pk, role=member.role, removed_at=None).update(role=role):
        raise Refused(
            "changed_meanwhile", _("Someone else changed this member in the meantime. Reload and check again.")
        )
    record(events.EDITED, member, by=by, role=[member.role, role])
    if member.role == Role.OWNER or Permission.MEMBER_MANAGE not in ROLES[role]:
        _revoke_invitations_of(member, by=by)


@retrying
def remove(member: Member, *, by: Actor, at: datetime | None = None) -> None:
    """End a membership. What the person did stays in the history; from their next request on, they have no access.

    Raises Refused for oneself, for an owner unless an owner asks, for the last owner, and if the member's role may do
    more than the person who asks.
    """
    at = at or timezone.now()
    _may_touch(member, by)
    _keep_an_owner(member)
    if Member.objects.filter(pk=member.pk, role=member.role, removed_at=None).update(removed_at=at):
        record(events.REMOVED, member, by=by, at=at)
        leaving.call(member.organization, member.user, by=by, at=at)
        _revoke_invitations_of(member, by=by)


def digest(token: str) -> str:
    """Return the SHA-256 of a token, the only form in which it is stored."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def grantable(by: Actor) -> list[tuple[str, Any]]:
    """Return the roles that this member may give."""
    return [(role, label) for role, label in Role.choices if role != Role.OWNER or _is_owner(by)]


def may_touch(member: Member, by: Actor) -> bool:
    """Whether this member may change or remove the other one."""
    return member.user_id != by.user_id and (member.role != Role.OWNER or _is_owner(by))


def _is_owner(by: Actor) -> bool:
    return by.kind == "system" or by.role == Role.OWNER


def _may_grant(role: str, by: Actor) -> None:
    if role == Role.OWNER and not _is_owner(by):
        raise Refused("owners_only", _("Only an owner can make someone an owner."), status=403)
    _must_have(role, by)


def _may_touch(member: Member, by: Actor) -> None:
    if member.user_id == by.user_id:
        raise Refused("oneself", _("You can't change your own membership. Ask another administrator."), status=403)
    if member.role == Role.OWNER and not _is_owner(by):
        raise Refused("owners_only", _("Only an owner can change or remove an owner."), status=403)
    _must_have(member.role, by)


def _must_have(role: str, by: Actor) -> None:
    """Refuse unless the actor has all permissions of the role.

    A key of an owner has the owner's role, but may lack some of its permissions.
    """
    if not ROLES[role] <= by.permissions:
        raise Refused(
            "role_not_yours",
            _(
                "This role has permissions that you don’t have. Ask an administrator, or use a key with all of its "
                "scopes."
            ),
            status=403,
        )


def _keep_an_owner(member: Member) -> None:
    if member.role != Role.OWNER:
        return
    # Two owners who remove each other at the same time take turns here; the second finds no other owner left.
    throttle.take_turn("owners", str(member.organization_id))
    owners = Member.objects.filter(organization=member.organization_id, role=Role.OWNER, removed_at=None)
    if not owners.exclude(pk=member.pk).exists():
        raise Refused("last_owner", _("An organization needs at least one owner. Make someone else an owner first."))


def revoke_invitations_of_key(organization: Any, key_id: int, *, by: Actor) -> None:
    """Revoke the open invitations that a key has created."""
    _revoke(Q(organization=organization, key_id=key_id), by)


def _revoke_invitations_of(member: Member, *, by: Actor) -> None:
    """Revoke the open invitations of a member who may no longer invite."""
    # Older invitations record their creator by name only.
    his = Q(made_by=member.user_id) | Q(made_by=None, invited_by=str(member.user))
    _revoke(his & Q(organization=member.organization_id), by)


def _revoke(made: Q, by: Actor) -> None:
    rows = Invitation.objects.filter(made, accepted_at=None, revoked_at=None)
    for invitation in rows:
        record(events.INVITATION_REVOKED, invitation, by=by)
    rows.update(revoked_at=timezone.now())
