"""Pages of members and invitations of the organization."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from console import mailbox, once
from console.access import Permission
from console.editing import Edit
from console.forms import InvitationForm, JoinForm, RoleForm, attempt, page, press
from console.middleware import ORGANIZATION_IN_SESSION
from console.models import Invitation, Member, User
from console.people import allowances, rosters
from console.people.actions import members
from console.people.adapters import sign_in
from console.policies import public, requires
from console.requests import Request

TOKEN_IN_SESSION, CLEAN = "invitation", "accept"


@requires(Permission.MEMBER_MANAGE)
def member_list(request: Request) -> HttpResponse:
    """Show the members and the open invitations and, once after inviting somebody, the link to copy."""
    context = {"members": rosters.members(request.actor), "invitations": rosters.invitations(request.actor)}
    return once.show(request, "console/people/member_list.html", "link", **context)


@requires(Permission.MEMBER_MANAGE)
def invitation_create(request: Request) -> HttpResponse:
    """Invite somebody by email; inviting the same address again sends a new link."""
    form = InvitationForm(request.POST or None, roles=members.grantable(request.actor))
    invited = attempt(form, lambda: _invite(request, **form.cleaned_data), field="email")
    if invited is None:
        return page(request, "console/people/invitation_create.html", form)
    _invitation, link = invited
    messages.success(request, mailbox.invited(form.cleaned_data["email"]))
    return once.lead_to(request, reverse("console:member_list"), link)


@requires(Permission.MEMBER_MANAGE)
def invitation_revoke(request: Request, pk: int) -> HttpResponse:
    """Revoke an invitation, so that its link stops working."""
    invitation = get_object_or_404(Invitation.objects.visible_to(request.actor), pk=pk)
    said = _("Invitation of %(email)s revoked.") % {"email": invitation.email}
    return press(request, invitation, members.revoke, said, to="console:member_list")


@requires(Permission.MEMBER_MANAGE)
def member_edit(request: Request, pk: int) -> HttpResponse:
    """Change a member's role, or lead to the page that removes them."""
    member = get_object_or_404(rosters.current(request.actor), pk=pk)
    roles = members.grantable(request.actor)
    edit = Edit(
        request,
        member,
        lambda data, row: RoleForm(data, initial={"role": row.role}, roles=roles),
        lambda row, values: members.change_role(row, **values, by=request.actor),
        refused_at="role",
    )
    if not edit.is_done:
        may_change = members.may_touch(member, request.actor)
        return edit.page("console/people/member_edit.html", member=member, may_change=may_change)
    messages.success(request, _("Role of %(name)s changed.") % {"name": member})
    return redirect("console:member_list")


@requires(Permission.MEMBER_MANAGE)
def member_remove(request: Request, pk: int) -> HttpResponse:
    """Ask for confirmation, then end a membership."""
    member = get_object_or_404(rosters.current(request.actor), pk=pk)
    if request.method != "POST":
        return render(request, "console/people/member_remove.html", {"member": member})
    said = _("%(name)s is no longer a member.") % {"name": member}
    return press(request, member, members.remove, said, to="console:member_list")


@public("Whoever was invited may have no account yet; the mailed link opens it.")
def invitation_accept(request: Request, token: str) -> HttpResponse:
    """Remove the token from the address, ask for what is missing, and make the person a member."""
    if token != CLEAN:
        request.session[TOKEN_IN_SESSION] = token[:100]
        return redirect("console:invitation_accept", CLEAN)
    invitation = members.find_open(request.session.get(TOKEN_IN_SESSION, ""))
    if invitation is None:
        return render(request, "console/people/invitation_closed.html", status=404)
    if request.user.is_authenticated:
        return _accept_as(request, request.user, invitation)
    if rosters.has_account(invitation):
        return render(
            request, "console/people/invitation_accept.html", {"invitation": invitation, "must_sign_in": True}
        )
    return _join(request, invitation)


def _invite(request: Request, *, email: str, role: str) -> tuple[Invitation, str]:
    allowances.invitation(request.actor.organization, email)
    return members.invite(email=email, role=role, by=request.actor)


def _accept_as(request: Request, user: User, invitation: Invitation) -> HttpResponse:
    if request.method == "POST":
        members.accept(invitation, user=user)
        return _welcome(request, invitation)
    context = {"invitation": invitation, "is_other": user.email != invitation.email}
    return render(request, "console/people/invitation_accept.html", context)


def _join(request: Request, invitation: Invitation) -> HttpResponse:
    form = JoinForm(request.POST or None, email=invitation.email)
    if request.method == "POST" and form.is_valid():
        member: Member = members.join(invitation, **form.cleaned_data)
        response = sign_in(request, member.user)
        _welcome(request, invitation)
        return response
    return page(request, "console/people/invitation_accept.html", form, invitation=invitation)


def _welcome(request: Request, invitation: Invitation) -> HttpResponse:
    request.session.pop(TOKEN_IN_SESSION, None)
    request.session[ORGANIZATION_IN_SESSION] = invitation.organization_id
    messages.success(request, _("Welcome to %(name)s.") % {"name": invitation.organization})
    return redirect("console:home")
