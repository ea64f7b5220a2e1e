"""Who is in an organization and who was invited, as its pages show it."""

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, QuerySet

from console.access import Actor
from console.models import Invitation, Member, Role, User


def current(actor: Actor) -> QuerySet[Member]:
    """The members that were not removed, each with `has_factor`: whether a second step is set up."""
    # unscoped: of visible members
    factors = Authenticator.objects.filter(user=OuterRef("user"), type__in=["totp", "webauthn"])
    rows = Member.objects.visible_to(actor).filter(removed_at=None)
    return rows.select_related("user", "organization").annotate(has_factor=Exists(factors))


def members(actor: Actor) -> QuerySet[Member]:
    """The members, by name."""
    return current(actor).order_by("user__name", "user__email", "pk")


def invitations(actor: Actor) -> QuerySet[Invitation]:
    """The invitations that are neither used nor revoked, the newest first. Those that expired can be sent again."""
    return Invitation.objects.visible_to(actor).filter(accepted_at=None, revoked_at=None).order_by("-created_at")


def has_account(invitation: Invitation) -> bool:
    """Whether the invited address can sign in already."""
    return User.objects.filter(email=invitation.email).exists()  # unscoped: of a visible invitation


def helpers(actor: Actor) -> list[str]:
    """Three people who can change the rights of others."""
    # unscoped: whom to ask; also those who may view nothing read it
    rows = Member.objects.filter(organization=actor.organization, removed_at=None)
    heads = rows.filter(role__in=[Role.OWNER, Role.ADMINISTRATOR]).select_related("user").order_by("pk")[:3]
    return [str(member.user) for member in heads]
