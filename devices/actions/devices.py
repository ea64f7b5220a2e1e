"""Registering, editing and archiving devices."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from console import edits
from console.access import Actor
from console.audit import record
from console.errors import Refused
from console.fields import fold
from console.transactions import retrying
from devices import events, ledger
from devices.actions import ownership
from devices.acts import BegunAct
from devices.ledger import Change
from devices.log import record_devices
from devices.models import Device, DeviceTag, Product, Tag

KEYS = {"serial_number": "serial_key", "device_name": "name_key"}


def register(*, by: Actor, tags: Iterable[str] = (), **fields: Any) -> Device:
    """Register a device. Raises Refused if one of its identifiers is already taken."""
    device = Device(organization=by.organization, **fields)
    device.set_keys()
    try:
        with transaction.atomic():
            device.save(force_insert=True)
            set_tags([device.pk], tags, by=by)
            record(events.REGISTERED, device, by=by)
            after_registration(device.product, [device.pk], by=by, at=device.created_at)
    except IntegrityError:
        raise Refused(
            "duplicate", _("This serial number, device name, IMEI, ICCID or MAC is already registered."), status=422
        ) from None
    return device


@transaction.atomic
def after_registration(product: Product, device_ids: list[int], *, by: Actor, at: datetime) -> None:
    """Give new devices their claim codes, and their owner if the product has a single account."""
    ledger.notify(Change("registered", device_ids, BegunAct(by, at=at)))
    if product.single_account:
        ownership.assign(device_ids, customer=product.single_account, by=by, at=at, reason="import")


@retrying
def edit(device: Device, *, by: Actor, tags: Iterable[str] | None = None, **fields: Any) -> Device:
    """Change only the given fields, and the tags if given. Nothing is logged if nothing changes.

    Raises Refused if an identifier is already taken.
    """
    try:
        with transaction.atomic():
            changed = edits.write(device, fields, keys=KEYS)
    except IntegrityError:
        raise Refused(
            "duplicate", _("This serial number, device name, IMEI, ICCID or MAC is already registered."), status=422
        ) from None
    if tags is not None:
        changed |= _tag_change(device, list(tags), by=by)
    if changed:
        record(events.EDITED, device, by=by, **changed)
    return device


@transaction.atomic
def archive(device_ids: Iterable[int], *, by: Actor) -> int:
    """Archive devices, which hides them from lists. Skips those that have an owner; returns how many were archived.

    Raises Refused if none was archived.
    """
    rows = Device.objects.visible_to(by).filter(pk__in=list(device_ids), archived_at=None, customer=None)
    ids = list(rows.values_list("pk", flat=True))
    count = Device.objects.filter(pk__in=ids, archived_at=None, customer=None).update(archived_at=timezone.now())
    record_devices(events.ARCHIVED, ids, by=by)
    if not count:
        raise Refused("owned", _("It has an owner. Unclaim it before you archive it."))
    return count


@transaction.atomic
def restore(device_ids: Iterable[int], *, by: Actor) -> int:
    """Restore archived devices and return how many."""
    rows = Device.objects.visible_to(by).filter(pk__in=list(device_ids), archived_at__isnull=False)
    ids = list(rows.values_list("pk", flat=True))
    count = Device.objects.filter(pk__in=ids).update(archived_at=None)
    record_devices(events.RESTORED, ids, by=by)
    return count


@transaction.atomic
def set_tags(device_ids: list[int], names: Iterable[str], *, by: Actor) -> None:
    """Replace the tags of the devices with these, creating tags that do not exist yet."""
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(fold(name), " ".join(name.split()))
    Tag.objects.bulk_create(
        [Tag(organization=by.organization, name=name, name_key=key) for key, name in wanted.items()],
        ignore_conflicts=True,
    )
    tags = list(Tag.objects.filter(organization=by.organization, name_key__in=wanted))
    DeviceTag.objects.filter(device__in=device_ids).exclude(tag__in=tags).delete()
    DeviceTag.objects.bulk_create(
        [DeviceTag(tag=tag, device_id=pk) for pk in device_ids for tag in tags], ignore_conflicts=True
    )


def _tag_change(device: Device, names: list[str], *, by: Actor) -> dict[str, Any]:
    before = sorted(device.device_tags.values_list("tag__name", flat=True))
    set_tags([device.pk], names, by=by)
    after = sorted(device.device_tags.values_list("tag__name", flat=True))
    return {"tags": [", ".join(before), ", ".join(after)]} if before != after else {}
