"""Makes, edits and archives customers."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.access import Actor
from console.audit import changes, record
from console.errors import Refused
from customers.actions import projects
from customers.models import Customer


def create(*, by: Actor, **fields: Any) -> Customer:
    """Make a customer with its default project. Raises Refused where the reference is taken."""
    customer = Customer(organization=by.organization, **fields)
    customer.set_keys()
    try:
        with transaction.atomic():
            customer.save(force_insert=True)
            projects.make_default(customer)
            record("customer.made", customer, by=by)
    except IntegrityError:
        raise _taken() from None
    return customer


def edit(customer: Customer, *, by: Actor, **fields: Any) -> Customer:
    """Change the given fields. Raises Refused where the reference is taken."""
    changed = changes({name: getattr(customer, name) for name in fields}, fields)
    for name, value in fields.items():
        setattr(customer, name, value)
    customer.set_keys()
    try:
        with transaction.atomic():
            customer.save(update_fields=[*fields, "name_key", "reference_key"])
            if changed:
                record("customer.edited", customer, by=by, **changed)
    except IntegrityError:
        raise _taken() from None
    return customer


@transaction.atomic
def archive(customer: Customer, *, by: Actor) -> None:
    """Take a customer out of lists; its people lose the portal. Raises Refused while it owns devices."""
    devices = Customer._meta.get_field("devices").related_model.objects.filter(customer=OuterRef("pk"))
    rows = Customer.objects.filter(~Exists(devices), pk=customer.pk, archived_at=None)
    if rows.update(archived_at=timezone.now()):
        record("customer.archived", customer, by=by)
        return
    count = customer.devices.count()
    if count:
        raise Refused("owns_devices", ngettext(
            "%(customer)s owns %(n)d device. Unclaim it first.", "%(customer)s owns %(n)d devices. Unclaim them first.",
            count,
        ) % {"customer": customer, "n": count})  # fmt: skip


@transaction.atomic
def restore(customer: Customer, *, by: Actor) -> None:
    """Bring an archived customer back."""
    if Customer.objects.filter(pk=customer.pk, archived_at__isnull=False).update(archived_at=None):
        record("customer.restored", customer, by=by)


def _taken() -> Refused:
    return Refused("duplicate", _("Another customer has this reference."), status=422)
