"""Members and invitations over REST.

A key can give, change and take away only what it has itself, see `console.people.actions.members`.
"""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers

from console.access import Permission
from console.forms import InvitationForm
from console.models import Invitation, Member, Role
from console.people import allowances, rosters
from console.people.actions import members
from console.rest.endpoints import endpoint
from console.rest.fields import Body, Email
from console.rest.forms import checked
from console.rest.paging import page

TAG = "members"

MAY = Permission.MEMBER_MANAGE


class MemberOut(serializers.ModelSerializer):
    """A person who is a member of the organization."""

    name = serializers.CharField(source="user.name")
    email = serializers.CharField(source="user.email")
    role = serializers.ChoiceField(choices=Role.choices)
    has_second_factor = serializers.BooleanField(
        source="has_factor", help_text="Whether they have set up two-factor authentication."
    )

    class Meta:
        model = Member
        fields = ["id", "name", "email", "role", "has_second_factor", "created_at"]


class MemberEdit(Body):
    """What you can change about a member."""

    role = serializers.ChoiceField(choices=Role.choices)


class InvitationOut(serializers.ModelSerializer):
    """An invitation that is neither used nor revoked. Its link is contained only in the email."""

    role = serializers.ChoiceField(choices=Role.choices)
    is_open = serializers.BooleanField(help_text="Whether its link still works. If not, invite the person again.")

    class Meta:
        model = Invitation
        fields = ["id", "email", "role", "invited_by", "created_at", "expires_at", "is_open"]


class InvitationIn(Body):
    """The email address to invite, and the role to give."""

    email = Email()
    role = serializers.ChoiceField(choices=Role.choices)


@endpoint("List members", may=MAY, answers=MemberOut, is_list=True)
def member_list(request: Any) -> Any:
    """Returns the current members of the organization. Removed members are not listed."""
    return page(request.query, rosters.current(request.actor), MemberOut)


@endpoint("See a member", may=MAY, answers=MemberOut)
def member_detail(request: Any, pk: int) -> Any:
    """Returns one current member of the organization, with their role."""
    return _member(request, pk)


@endpoint("Change a member's role", may=MAY, takes=MemberEdit, answers=MemberOut)
def member_edit(request: Any, pk: int) -> Any:
    """Gives the member another role.

    Refused (`role_not_yours`) if the old or the new role may do more than your key. Only an owner's key can make
    somebody an owner, no key can change the role of the person who created it, and the last owner keeps their role.
    """
    member = _member(request, pk)
    members.change_role(member, request.body_data.get("role", member.role), by=request.actor)
    return _member(request, pk)


@endpoint("Remove a member", may=MAY)
def member_remove(request: Any, pk: int) -> None:
    """Removes the member from the organization.

    From their next request on they have no access, and the API keys that they created are revoked. Refused
    (`role_not_yours`) if the member's role may do more than your key.
    """
    members.remove(_member(request, pk), by=request.actor)


@endpoint("List invitations", may=MAY, answers=InvitationOut, is_list=True)
def invitation_list(request: Any) -> Any:
    """Returns the invitations that are neither used nor revoked."""
    return page(request.query, rosters.invitations(request.actor), InvitationOut)


@endpoint(
    "Invite a member",
    may=MAY,
    takes=InvitationIn,
    answers=InvitationOut,
    status=201,
    example={"email": "kim@example.com", "role": "viewer"},
)
def invitation_create(request: Any) -> Any:
    """Emails a link to become a member of the organization.

    An older open invitation to the same address is revoked. Refused (`role_not_yours`) for a role that may do more than
    your key.
    """
    form = checked(InvitationForm, request.body_data, roles=Role.choices)
    allowances.invitation(request.actor.organization, form.cleaned_data["email"])
    return members.invite(form.cleaned_data["email"], form.cleaned_data["role"], by=request.actor)[0]


@endpoint("Revoke an invitation", may=MAY)
def invitation_revoke(request: Any, pk: int) -> None:
    """Revokes the invitation, so that its link stops working."""
    members.revoke(get_object_or_404(rosters.invitations(request.actor), pk=pk), by=request.actor)


def _member(request: Any, pk: int) -> Member:
    return get_object_or_404(rosters.current(request.actor), pk=pk)
