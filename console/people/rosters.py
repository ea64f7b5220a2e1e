"""Members and invitations of an organization, as its pages show them."""

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, QuerySet

from console.access import Actor
from console.models import Invitation, Member, Role, User


def current(actor: Actor) -> QuerySet[Member]:
    """Return the members who were not removed, each with `has_factor`: whether a second step is set up."""
    # unscoped: a subquery on visible members
    factors = Authenticator.objects.filter(user=OuterRef("user"), type__in=["totp", "webauthn"])
    rows = Member.objects.visible_to(actor).filter(removed_at=None)
    return rows.select_related("user", "organization").annotate(has_factor=Exists(factors))


def members(actor: Actor) -> QuerySet[Member]:
    """Return the members, ordered by name."""
    return current(actor).order_by("user__name", "user__email", "pk")


def invitations(actor: Actor) -> QuerySet[Invitation]:
    """Return the invitations that are neither used nor revoked, newest first. Expired ones can be sent again."""
    return Invitation.objects.visible_to(actor).filter(accepted_at=None, revoked_at=None).order_by("-created_at")


def has_account(invitation: Invitation) -> bool:
    """Whether the invited address can sign in already."""
    return User.objects.filter(email=invitation.email).exists()  # unscoped: the address of a visible invitation


def helpers(actor: Actor) -> list[str]:
    """Return the names of up to three people who can change the permissions of others."""
    # unscoped: names of people to ask, shown even to members who may view nothing
    rows = Member.objects.filter(organization=actor.organization, removed_at=None)
    heads = rows.filter(role__in=[Role.OWNER, Role.ADMINISTRATOR]).select_related("user").order_by("pk")[:3]
    return [str(member.user) for member in heads]
