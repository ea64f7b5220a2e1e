"""Makes, edits and archives customers."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console import edits, words
from console.access import Actor
from console.audit import record
from console.errors import Refused
from console.transactions import retrying
from customers import events
from customers.actions import projects
from customers.models import Customer

KEYS = {"name": "name_key", "reference": "reference_key", "email": "email_key"}


def create(*, by: Actor, **fields: Any) -> Customer:
    """Make a customer with its default project. Raises Refused where the reference is taken."""
    customer = Customer(organization=by.organization, **fields)
    customer.set_keys()
    try:
        with transaction.atomic():
            customer.save(force_insert=True)
            words.write("customer", {customer.pk: customer.name}, are_new=True)
            projects.make_default(customer)
            record(events.CUSTOMER_CREATED, customer, by=by)
    except IntegrityError:
        raise _taken() from None
    return customer


@retrying
def edit(customer: Customer, *, by: Actor, **fields: Any) -> Customer:
    """Change the given fields and no others. Nothing is written or told where nothing changes.

    Raises Refused where the reference is taken.
    """
    try:
        with transaction.atomic():
            changed = edits.write(customer, fields, keys=KEYS)
            if "name" in changed:
                words.write("customer", {customer.pk: customer.name})
    except IntegrityError:
        raise _taken() from None
    if changed:
        record(events.CUSTOMER_EDITED, customer, by=by, **changed)
    return customer


def hold(customer: Customer) -> None:
    """Keep a customer from being archived until this transaction ends. Raises Refused where it is already.

    For what gives it something: else it could be archived at the same moment, and own devices from then on.
    """
    if not Customer.objects.select_for_update(no_key=True).filter(pk=customer.pk, archived_at=None).values_list("pk"):
        raise Refused("archived", _("%(customer)s is archived. Restore it first.") % {"customer": customer})


@retrying
def archive(customer: Customer, *, by: Actor, at: datetime | None = None) -> None:
    """Take a customer out of lists and choices; its people lose the portal.

    Raises Refused while it owns devices.
    """
    # Who is just giving it a device holds the row, see `hold`: the condition is asked after that is done.
    Customer.objects.select_for_update().filter(pk=customer.pk).values_list("pk").first()
    free = Customer.objects.owning_none().filter(pk=customer.pk, archived_at=None)
    if free.update(archived_at=at or timezone.now()):
        record(events.CUSTOMER_ARCHIVED, customer, by=by, at=at)
    elif count := customer.devices.count():
        raise Refused("owns_devices", owns_devices(customer, count))


def owns_devices(customer: Customer, count: int) -> str:
    """Why a customer with devices can't be archived, and what to do."""
    return ngettext(
        "%(customer)s owns %(n)d device. Unclaim it first, then archive.",
        "%(customer)s owns %(n)d devices. Unclaim them first, then archive.",
        count,
    ) % {"customer": customer, "n": count}


@transaction.atomic
def restore(customer: Customer, *, by: Actor) -> None:
    """Bring an archived customer back; its people reach the portal again."""
    if Customer.objects.filter(pk=customer.pk, archived_at__isnull=False).update(archived_at=None):
        record(events.CUSTOMER_RESTORED, customer, by=by)


def _taken() -> Refused:
    return Refused("duplicate", _("Another customer has this reference."), status=422)
