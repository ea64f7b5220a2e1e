"""Compares checked rows with the devices that are registered, thousands at once with a few queries."""

import json
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from console import sql
from console.fields import fold
from console.imports import Notices, Row
from devices.models import Device, DeviceTag, Product

# A secret is never shown, not even in the history.
HIDDEN = "•••"
_PLAIN = ("imei", "iccid", "mac", "hardware_revision", "manufactured_on", "is_development", "notes")
_TAKEN = {
    "imei": lambda: _("This IMEI is registered already, for %(unit)s."),
    "iccid": lambda: _("This ICCID is registered already, for %(unit)s."),
    "mac": lambda: _("This MAC address is registered already, for %(unit)s."),
}


def compare(rows: list[Row], fields: tuple[str, ...], told: set[str], product: Product, notices: Notices) -> None:
    """Set `target` and `changes` of rows that stand for a registered device, and refuse those that clash with one.

    `fields` name the values of the rows; `told` are the fields that the file has columns for. An empty cell says
    nothing, so it changes nothing.
    """
    place = {name: position for position, name in enumerate(fields)}
    mine = Device.objects.filter(organization_id=product.organization_id).select_related("product").order_by()
    by_serial = _found(mine.filter(product=product), "serial_key", rows, place)
    by_name = _found(mine, "name_key", rows, place)
    others = {name: _found(mine, name, rows, place) for name in _TAKEN if name in told}
    for row in rows:
        serial, name = row.values[place["serial_key"]], row.values[place["name_key"]]
        device, namesake = by_serial.get(serial), by_name.get(name)
        if device is None and namesake is None:
            _refuse_taken(row, None, others, place)
        elif device is not None and device.name_key == name:
            _refuse_taken(row, device, others, place)
            _settle(row, device, told, place, notices)
        else:
            row.reasons.append(_clash(device, namesake))
    if "tags" in told:
        _compare_tags(rows, place["tags"])


def differences(device: Device, values: dict[str, Any]) -> dict[str, list]:
    """`{field: [old, new]}` for the fields of a registered device that a file's values would change."""
    found: dict[str, list] = {}
    for name in _PLAIN:
        new = values.get(name)
        if new is None:
            continue
        old = getattr(device, name)
        if name == "manufactured_on":
            old = old.isoformat() if old else ""
        if name == "is_development":
            new = bool(new)
        if old != new:
            found[name] = [old, new]
    if values.get("secret_sha256") not in {None, device.secret_sha256}:
        found["secret"] = [HIDDEN if device.secret_sha256 else "", HIDDEN]
    return found


def tags_of(device_ids: list[int]) -> dict[int, list[str]]:
    """The names of the tags of each of the devices that has any."""
    found: dict[int, list[str]] = {}
    rows = sql.having_ids(DeviceTag.objects.order_by("tag__name_key"), "device_id", device_ids)
    for device_id, name in rows.values_list("device_id", "tag__name"):
        found.setdefault(device_id, []).append(name)
    return found


def tag_difference(old: list[str], named: list[str]) -> list | None:
    """`[old, new]` as text where a file names tags that a device does not have. It takes none away."""
    known = {fold(name) for name in old}
    added = [name for name in named if fold(name) not in known]
    return [", ".join(old), ", ".join([*old, *added])] if added else None


def _found(devices: QuerySet, column: str, rows: list[Row], place: dict[str, int]) -> dict[str, Device]:
    """The devices by the value of `column`, for the values of the rows."""
    position = place[column]
    values = [row.values[position] for row in rows if row.values[position]]
    if not values:
        return {}
    found = sql.having_ids(devices, column, values)
    if column in _TAKEN:
        # The index holds the filled ones only, which the database has to be told in the index's own words.
        filled = f'"{Device._meta.db_table}"."{column}"'
        found = found.extra(where=[f"NOT ({filled} = '')"])  # noqa: S610 - a column's name
    return {getattr(device, column): device for device in found}


def _refuse_taken(row: Row, device: Device | None, others: dict[str, dict], place: dict[str, int]) -> None:
    for name, holders in others.items():
        holder = holders.get(row.values[place[name]])
        if holder is not None and (device is None or holder.pk != device.pk):
            row.reasons.append(_TAKEN[name]() % {"unit": _unit(holder)})


def _settle(row: Row, device: Device, told: set[str], place: dict[str, int], notices: Notices) -> None:
    if device.archived_at:
        row.reasons.append(_("This unit is archived. Restore it first, then check the file again."))
        return
    if row.values[place["serial_number"]] != device.serial_number:
        notices.add("other_letters", row.number)
    row.target = device.pk
    row.changes = differences(device, {name: row.values[place[name]] for name in told}) or None


def _clash(device: Device | None, namesake: Device | None) -> str:
    """Why a row can't be: its serial number or its device name belongs to another unit."""
    if device is not None and device.archived_at:
        return _("This serial number is registered already, with another device name, on an archived unit.")
    if device is not None:
        return _("This serial number is registered already, with another device name.")
    return _("This device name is registered already, for %(unit)s.") % {"unit": _unit(namesake)}


def _unit(device: Any) -> str:
    named = {"serial": device.serial_number, "product": device.product.name}
    return (_("%(serial)s in %(product)s (archived)") if device.archived_at else _("%(serial)s in %(product)s")) % named


def _compare_tags(rows: list[Row], position: int) -> None:
    named = {row.target: row for row in rows if row.target and row.values[position]}
    if not named:
        return
    tags = tags_of(list(named))
    for device_id, row in named.items():
        change = tag_difference(tags.get(device_id, []), json.loads(row.values[position]))
        if change:
            row.changes = (row.changes or {}) | {"tags": change}
