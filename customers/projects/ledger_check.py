"""Checks the memberships of projects for contradictions, across all organizations."""

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q

from console.models import Member
from customers.models import CustomerUser, ProjectMember

SHOWN = 20


def check() -> list[str]:
    """Return a sentence for each contradiction, at most twenty of each kind."""
    return [*_left(), *_overlaps(), *_strangers()]


def _left() -> Iterator[str]:
    """Yield a sentence for each open membership of a person who has left.

    Such a person is no longer a member of the organization, nor a person of the customer.
    """
    member = Member.objects.filter(organization=OuterRef("organization"), user=OuterRef("user"), removed_at=None)
    person = CustomerUser.objects.filter(customer=OuterRef("project__customer"), user=OuterRef("user"), removed_at=None)
    rows = ProjectMember.objects.open().filter(~Exists(member), ~Exists(person))
    for row in rows.order_by("pk")[:SHOWN]:
        yield f"Project member {row.pk} is still open, but the person has left the organization that let them in."


def _overlaps() -> Iterator[str]:
    earlier = ProjectMember.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=OuterRef("started_at")),
        Q(started_at__lt=OuterRef("started_at")) | Q(started_at=OuterRef("started_at"), pk__lt=OuterRef("pk")),
        project=OuterRef("project"),
        user=OuterRef("user"),
    )
    for row in ProjectMember.objects.filter(Exists(earlier)).order_by("pk")[:SHOWN]:
        yield f"Project member {row.pk} begins before the previous one ended."


def _strangers() -> Iterator[str]:
    wrong = ~Q(project__organization=F("organization"))
    for row in ProjectMember.objects.filter(wrong).order_by("pk")[:SHOWN]:
        yield f"Project member {row.pk} is of a project of another organization."
