"""Invitation, roles and removal of the people of a customer."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from console import mail
from console.access import Actor
from console.audit import record
from console.errors import Refused
from console.models import Organization, User
from console.people.actions import accounts
from console.transactions import retrying
from customers import events
from customers.directory.actions import lock
from customers.keys.actions import api_keys
from customers.models import Customer, CustomerKind, CustomerUser
from customers.projects.actions import members as project_members


@retrying
def invite(
    customer: Customer, *, email: str, role: str, by: Actor, name: str = "", at: datetime | None = None
) -> CustomerUser:
    """Give a person access to the customer, and email them the way to the portal.

    There an emailed code signs them in. A removed person comes back; a person who has not signed in yet gets the email
    again. Raises Refused if the customer is archived, or (422) if the person belongs to it already or the address
    cannot have an account.
    """
    lock(customer)
    user = accounts.find_or_make(email)
    if user is None:
        raise Refused("no_account", _("This address can't be used. Use a different one."), status=422)
    if name and not user.name:
        User.objects.filter(pk=user.pk, name="").update(name=name)
        user.refresh_from_db(fields=["name"])
    person = CustomerUser.objects.filter(customer=customer, user=user).first()
    if person is None or person.removed_at:
        person, kind = _let_in(customer, user, role, at or timezone.now()), events.PERSON_INVITED
    elif user.last_login is None:
        kind = events.PERSON_INVITED_AGAIN
    else:
        raise Refused("already_there", _("%(person)s already belongs to this customer.") % {"person": user}, status=422)
    record(kind, person, by=by, about=customer, at=at, email=user.email, role=person.get_role_display())
    _mail(person, by)
    return person


def _let_in(customer: Customer, user: User, role: str, at: datetime) -> CustomerUser:
    values = {"role": role, "removed_at": None}
    person, _made = CustomerUser.objects.update_or_create(
        customer=customer,
        user=user,
        defaults=values,
        create_defaults={**values, "organization_id": customer.organization_id, "created_at": at},
    )
    return person


def _mail(person: CustomerUser, by: Actor) -> None:
    organization = person.customer.organization
    context = {
        "customer": person.customer,
        "organization": organization,
        "by": by.label,
        "person": person,
        "link": settings.BASE_URL + reverse("portal:home"),
    }
    with override(person.user.language or get_language()):
        mail.send("customer_invited", person.user.email, context)


@transaction.atomic
def change_role(person: CustomerUser, *, role: str, by: Actor) -> None:
    """Give a person another role. Raises Refused if somebody else has changed or removed them in the meantime."""
    old = person.role
    if role == old:
        return
    if not CustomerUser.objects.filter(pk=person.pk, role=old, removed_at=None).update(role=role):
        raise Refused("changed_meanwhile", _("Someone else has changed this person in the meantime. Reload the page."))
    record(events.PERSON_EDITED, person, by=by, about=person.customer, role=[old, role])


@transaction.atomic
def remove(person: CustomerUser, *, by: Actor, at: datetime | None = None) -> None:
    """Remove a person from the customer and its projects. From their next request on, they have no access."""
    if CustomerUser.objects.filter(pk=person.pk, removed_at=None).update(removed_at=at or timezone.now()):
        record(events.PERSON_REMOVED, person, by=by, about=person.customer, at=at)
        api_keys.revoke_of(person.customer.organization, person.user, by=by, customer=person.customer, at=at)
        project_members.end_at(person.customer, person.user, by=by, at=at)


@transaction.atomic
def leave_internal(organization: Organization, user: User, *, by: Actor, at: datetime | None = None) -> None:
    """Remove a person who leaves the organization from its own accounts, which show customers' devices."""
    own = CustomerUser.objects.filter(
        organization=organization, user=user, customer__kind=CustomerKind.INTERNAL, removed_at=None
    )
    for person in own.select_related("customer__organization", "user").order_by("pk"):
        remove(person, by=by, at=at)
