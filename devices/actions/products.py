"""Makes and edits products."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from console.access import Actor
from console.audit import changes, record
from console.errors import Refused
from devices.models import Product


def create(*, by: Actor, **fields: Any) -> Product:
    """Make a product of the actor's organization. Raises Refused where name or slug are taken."""
    product = Product(organization=by.organization, **fields)
    product.set_keys()
    try:
        with transaction.atomic():
            product.save(force_insert=True)
            record("product.made", product, by=by)
    except IntegrityError:
        raise Refused("duplicate", _("Another product has this name or slug.")) from None
    return product


def edit(product: Product, *, by: Actor, **fields: Any) -> Product:
    """Change the given fields. What is as it was is not written: it may be another by now.

    Raises Refused where name or slug are taken.
    """
    changed = changes({name: getattr(product, name) for name in fields}, fields)
    if not changed:
        return product
    for name in changed:
        setattr(product, name, fields[name])
    product.set_keys()
    try:
        with transaction.atomic():
            product.save(update_fields=[*changed, *(["name_key"] if "name" in changed else [])])
            record("product.edited", product, by=by, **changed)
    except IntegrityError:
        raise Refused("duplicate", _("Another product has this name or slug.")) from None
    return product


@transaction.atomic
def archive(product: Product, *, by: Actor) -> None:
    """Take a product out of lists and choices. Its units stay as they are."""
    if Product.objects.filter(pk=product.pk, archived_at=None).update(archived_at=timezone.now()):
        record("product.archived", product, by=by)


@transaction.atomic
def restore(product: Product, *, by: Actor) -> None:
    """Bring an archived product back."""
    if Product.objects.filter(pk=product.pk, archived_at__isnull=False).update(archived_at=None):
        record("product.restored", product, by=by)
