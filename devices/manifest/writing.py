"""Writes checked rows into the database, set by set, within the caller's transaction."""

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from console import sql
from console.access import Actor
from console.audit import record_each
from console.fields import fold
from console.imports import Staged, Staging, Verdict
from console.imports.lifecycle import Outdated
from devices import events as device_events
from devices.fields import FIELDS, UPDATED
from devices.manifest.registered import differences, tag_difference, tags_of
from devices.models import Device, DeviceStatus, DeviceTag, Product, Tag

BATCH = 2_000
# The columns of a new device that a row fills, and their values if it says nothing.
_FILLED = {name: field.empty for field in FIELDS if field.column is not None for name in field.columns}
_UPDATED = [field.stored_as for field in UPDATED]


def insert_new(product: Product, staging: Staging, *, count: int, at: datetime) -> list[int]:
    """Register the new rows as devices. Returns their ids, in the order of the file.

    Raises IntegrityError if one of them was registered in the meantime.
    """
    ids = sql.reserve_ids(Device, count)
    constants = {
        "organization": product.organization_id,
        "product": product.pk,
        "status": DeviceStatus.IN_STOCK.value,
        "created_at": at,
    }
    shared = tuple(sql.prepared(Device, name, value) for name, value in constants.items())
    columns, empty = tuple(_FILLED), tuple(_FILLED.values())
    marks = [place for place, value in enumerate(empty) if value is False]
    as_mark = [sql.prepared(Device, "is_development", value) for value in (False, True)]

    def lines() -> Iterator[tuple[Any, ...]]:
        for pk, values in zip(ids, staging.tuples(Verdict.NEW, columns), strict=True):
            filled = [nothing if value is None else value for value, nothing in zip(values, empty, strict=True)]
            for place in marks:
                filled[place] = as_mark[bool(filled[place])]
            yield (pk, *shared, *filled)

    sql.insert_rows(Device, ("id", *constants, *columns), lines())
    return ids


def tag_new(product: Product, staging: Staging, ids: list[int]) -> None:
    """Add the tags that the rows name to the new devices."""
    wanted: dict[str, list[int]] = {}
    for pk, (tags,) in zip(ids, staging.tuples(Verdict.NEW, ("tags",)), strict=True):
        for name in json.loads(tags) if tags else ():
            wanted.setdefault(name, []).append(pk)
    for name, tag in tags_named(product.organization_id, list(wanted)).items():
        sql.insert_from(DeviceTag, {"tag": tag.pk}, {"device": "id"}, Device, wanted[name])


def update_changed(product: Product, staging: Staging, *, by: Actor, at: datetime, act: UUID) -> int:
    """Write the changed rows into their devices, each with its entry in the log. Returns how many changed.

    Raises Outdated if a device is no longer the one that the check found.
    """
    rows, count = staging.read(Verdict.CHANGED), 0
    while batch := list(islice(rows, BATCH)):
        count += _update(product, batch, by=by, at=at, act=act)
    return count


def _update(product: Product, batch: list[Staged], *, by: Actor, at: datetime, act: UUID) -> int:
    targets = sorted(row.target for row in batch if row.target is not None)
    locked = sql.having_ids(Device.objects.order_by("pk").select_for_update(), "id", targets)
    devices = {device.pk: device for device in locked}
    tags = tags_of(targets) if any(row.values["tags"] for row in batch) else {}
    changed, added = [], []
    for row in batch:
        device = devices.get(row.target or 0)
        if device is None or not _is_as_seen(device, product, row.values):
            raise Outdated
        change = differences({name: getattr(device, name) for name in _UPDATED}, row.values)
        _take_over(device, row.values)
        named = json.loads(row.values["tags"] or "[]")
        if tag_change := tag_difference(tags.get(device.pk, []), named):
            change["tags"] = tag_change
            added.append((device.pk, named))
        if change:
            changed.append((device, change))
    sql.update_rows(Device, [device for device, _change in changed], _UPDATED)
    _add_tags(product.organization_id, added)
    record_each(device_events.EDITED, changed, by=by, at=at, act=act)
    return len(changed)


def _is_as_seen(device: Device, product: Product, values: dict[str, Any]) -> bool:
    return (
        device.product_id == product.pk
        and device.archived_at is None
        and (device.serial_key, device.name_key) == (values["serial_key"], values["name_key"])
    )


def _take_over(device: Device, values: dict[str, Any]) -> None:
    for field in UPDATED:
        if (value := values[field.stored_as]) is not None:
            setattr(device, field.stored_as, field.as_kept(value))


def _add_tags(organization_id: int, added: list[tuple[int, list[str]]]) -> None:
    tags = tags_named(organization_id, [name for _pk, names in added for name in names])
    rows = [DeviceTag(tag=tags[name], device_id=pk) for pk, names in added for name in names]
    DeviceTag.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)


def tags_named(organization_id: int, names: list[str]) -> dict[str, Tag]:
    """Return the tags with these names, creating missing ones. Several spellings may lead to the same tag."""
    if not names:
        return {}
    keys = {name: fold(name) for name in names}
    new = {key: Tag(organization_id=organization_id, name=name, name_key=key) for name, key in keys.items()}
    Tag.objects.bulk_create(new.values(), batch_size=500, ignore_conflicts=True)
    mine = Tag.objects.filter(organization_id=organization_id)
    found = {tag.name_key: tag for tag in sql.having_ids(mine, "name_key", list(new))}
    return {name: found[key] for name, key in keys.items()}
