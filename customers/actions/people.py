"""The people of a customer."""

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from console import mail
from console.access import Actor
from console.audit import record
from console.errors import Refused
from console.models import User
from console.transactions import retrying
from customers.models import Customer, CustomerUser


@retrying
def invite(customer: Customer, *, email: str, role: str, by: Actor, name: str = "") -> CustomerUser:
    """Let a person into the customer, and mail him the way to the portal, where a mailed code signs him in.

    Somebody who was removed before comes back. Raises Refused for who belongs to the customer already.
    """
    if customer.archived_at:
        raise Refused("archived", _("%(customer)s is archived. Restore it first.") % {"customer": customer})
    email = User.objects.normalize_email(email).lower()
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, name=name)
    back = CustomerUser.objects.filter(customer=customer, user=user).exclude(removed_at=None)
    if not back.update(removed_at=None, role=role):
        if CustomerUser.objects.filter(customer=customer, user=user).exists():
            raise Refused("already_there", _("%(person)s belongs to this customer already.") % {"person": user}, status=422)
        CustomerUser.objects.create(organization_id=customer.organization_id, customer=customer, user=user, role=role)
    record("customer.person_invited", customer, by=by, email=email, role=role)
    mail.send("customer_invited", email, {"customer": customer, "organization": customer.organization, "by": by.label,
                                          "link": settings.BASE_URL + reverse("portal:home")})  # fmt: skip
    return CustomerUser.objects.get(customer=customer, user=user)


@transaction.atomic
def change_role(person: CustomerUser, *, role: str, by: Actor) -> None:
    """Give a person another role."""
    old = person.role
    if CustomerUser.objects.filter(pk=person.pk, removed_at=None).exclude(role=role).update(role=role):
        record("customer.person_role", person.customer, by=by, email=person.user.email, role=[old, role])


@transaction.atomic
def remove(person: CustomerUser, *, by: Actor) -> None:
    """Take a person out of the customer; he sees nothing of it from the next page on."""
    if CustomerUser.objects.filter(pk=person.pk, removed_at=None).update(removed_at=timezone.now()):
        record("customer.person_removed", person.customer, by=by, email=person.user.email)
