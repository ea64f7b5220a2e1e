"""Creating, editing and archiving products."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from console import edits, words
from console.access import Actor
from console.audit import record
from console.errors import Refused
from console.transactions import retrying
from devices import events
from devices.models import OwnershipMode, Product


def create(*, by: Actor, **fields: Any) -> Product:
    """Create a product in the actor's organization. Raises Refused if the name or slug is already taken."""
    product = Product(organization=by.organization, **fields)
    product.set_keys()
    try:
        with transaction.atomic():
            product.save(force_insert=True)
            words.write("product", {product.pk: product.name}, are_new=True)
            record(events.PRODUCT_CREATED, product, by=by)
    except IntegrityError:
        raise Refused("duplicate", _("Another product has this name or slug.")) from None
    return product


@retrying
def edit(product: Product, *, by: Actor, **fields: Any) -> Product:
    """Change only the given fields. Nothing is written or logged if nothing changes.

    Raises Refused if the name or slug is already taken, and if the single account and its ownership mode would not
    match: two people who each change one of them at the same time don't see each other's change.
    """
    now = edits.hold(product)
    mode, account = (fields.get(name, getattr(now, name)) for name in ("ownership_mode", "single_account"))
    if (mode == OwnershipMode.SINGLE_ACCOUNT) != (account is not None):
        raise Refused(
            "changed_meanwhile",
            _("Someone else changed the ownership of this product at the same time. Reload the page and try again."),
        )
    try:
        with transaction.atomic():
            changed = edits.write(product, fields, keys={"name": "name_key"})
            if "name" in changed:
                words.write("product", {product.pk: product.name})
    except IntegrityError:
        raise Refused("duplicate", _("Another product has this name or slug.")) from None
    if changed:
        record(events.PRODUCT_EDITED, product, by=by, **changed)
    return product


@transaction.atomic
def archive(product: Product, *, by: Actor) -> None:
    """Archive a product, which hides it from lists and choices. Its devices stay as they are."""
    if Product.objects.filter(pk=product.pk, archived_at=None).update(archived_at=timezone.now()):
        record(events.PRODUCT_ARCHIVED, product, by=by)


@transaction.atomic
def restore(product: Product, *, by: Actor) -> None:
    """Restore an archived product."""
    if Product.objects.filter(pk=product.pk, archived_at__isnull=False).update(archived_at=None):
        record(events.PRODUCT_RESTORED, product, by=by)
