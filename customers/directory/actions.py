"""Creation, editing, archiving and restoring of customers."""

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
from customers.models import Customer
from customers.projects.actions import projects

KEYS = {"name": "name_key", "reference": "reference_key", "email": "email_key"}


def create(*, by: Actor, **fields: Any) -> Customer:
    """Create a customer with its default project. Raises Refused (422) if the reference is taken."""
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
    """Change the given fields only. Nothing is written or logged if nothing changes.

    Raises Refused (422) if the reference is taken.
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


def lock(customer: Customer) -> None:
    """Keep a customer from being archived until this transaction ends. Raises Refused if it is archived already.

    Call it before giving the customer anything: otherwise it could be archived at the same moment and still own
    devices.
    """
    if not Customer.objects.select_for_update(no_key=True).filter(pk=customer.pk, archived_at=None).values_list("pk"):
        raise Refused("archived", _("%(customer)s is archived. Restore it first.") % {"customer": customer})


@retrying
def archive(customer: Customer, *, by: Actor, at: datetime | None = None) -> None:
    """Remove a customer from lists and choices; its people lose access to the portal.

    Raises Refused while it owns devices.
    """
    # A transaction that assigns it a device locks the row, see `hold`: the condition is checked after it ends.
    Customer.objects.select_for_update().filter(pk=customer.pk).values_list("pk").first()
    free = Customer.objects.owning_none().filter(pk=customer.pk, archived_at=None)
    if free.update(archived_at=at or timezone.now()):
        record(events.CUSTOMER_ARCHIVED, customer, by=by, at=at)
    elif count := customer.devices.count():
        raise Refused("owns_devices", owns_devices(customer, count))


def owns_devices(customer: Customer, count: int) -> str:
    """Return the sentence that says why a customer with devices cannot be archived, and what to do."""
    return ngettext(
        "%(customer)s owns %(n)d device. Unclaim it first, then archive.",
        "%(customer)s owns %(n)d devices. Unclaim them first, then archive.",
        count,
    ) % {"customer": customer, "n": count}


@transaction.atomic
def restore(customer: Customer, *, by: Actor) -> None:
    """Restore an archived customer; its people can reach the portal again."""
    if Customer.objects.filter(pk=customer.pk, archived_at__isnull=False).update(archived_at=None):
        record(events.CUSTOMER_RESTORED, customer, by=by)


def _taken() -> Refused:
    return Refused("duplicate", _("Another customer has this reference."), status=422)
