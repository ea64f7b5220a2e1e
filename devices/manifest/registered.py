"""Compares checked rows with the registered devices, thousands at once in a few queries."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from console import sql
from console.fields import fold
from console.imports import Notices, Row
from devices.fields import UPDATED
from devices.models import Device, DeviceTag, Product

# A secret is never shown, not even in the history.
HIDDEN = "•••"
# Built once, because the comparison runs for every row.
_COMPARED = [(field.stored_as, field) for field in UPDATED]
_TAKEN = {
    "iccid": lambda: _("This ICCID is already registered, for %(device)s."),
    "mac": lambda: _("This MAC address is already registered, for %(device)s."),
}


class Known(NamedTuple):
    """A registered device that a row is compared with; `values` are those that a manifest may change."""

    pk: int
    product: str
    serial_number: str
    archived_at: datetime | None
    values: dict[str, Any]

    def __str__(self) -> str:
        named = {"serial": self.serial_number, "product": self.product}
        return (
            _("%(serial)s in %(product)s (archived)") if self.archived_at else _("%(serial)s in %(product)s")
        ) % named


class Comparison:
    """One batch of rows and the devices that have any of their identifiers.

    `fields` are the names of the rows' values; `mapped` are the fields that the file has columns for. An empty cell
    says nothing, so it changes nothing.
    """

    def __init__(self, rows: list[Row], fields: tuple[str, ...], mapped: set[str], product: Product) -> None:
        self.rows, self.mapped = rows, mapped
        self.place = {name: position for position, name in enumerate(fields)}
        others = [name for name in ("imei", *_TAKEN) if name in mapped]
        everywhere, here = {"organization": product.organization_id}, {"product": product.pk}
        lookups = [self._lookup("serial_key", here), self._lookup("name_key", everywhere)]
        # The indexes hold only non-empty values; the database uses them only if the query excludes empty ones too.
        lookups += [self._lookup(name, everywhere, f"NOT ({sql.quote(name)} = '')") for name in others]
        # All lookups see the same instant: between two queries, somebody could register the same device.
        found = sql.ids_by_value(Device, lookups)
        self.by_serial, self.by_name, self.others = (found[0], found[1], dict(zip(others, found[2:], strict=True)))
        self.known = _known({pk for ids in found for pk in ids.values()})

    def _lookup(self, name: str, scope: dict[str, int], where: str = "") -> sql.Lookup:
        position = self.place[name]
        return sql.Lookup(name, [row.values[position] for row in self.rows if row.values[position]], scope, where)

    def judge(self, notices: Notices) -> None:
        """Set `target` and `changes` of rows that name a registered device, and refuse rows that clash with one."""
        serial_place, name_place = self.place["serial_key"], self.place["name_key"]
        for row in self.rows if self.known else ():
            by_serial = self.by_serial.get(row.values[serial_place])
            by_name = self.by_name.get(row.values[name_place])
            if by_serial != by_name:
                row.reasons.append(self._clash(by_serial, by_name))
                continue
            device = self.known[by_serial] if by_serial else None
            self._look_at_others(row, device, notices)
            if device:
                self._settle(row, device, notices)
        if "tags" in self.mapped:
            self._compare_tags()

    def _clash(self, by_serial: int | None, by_name: int | None) -> str:
        """Return why a row is refused: its serial number or its device name belongs to another device."""
        if by_serial and self.known[by_serial].archived_at:
            return _("This serial number is already registered with another device name, on an archived device.")
        if by_serial:
            return _("This serial number is already registered with another device name.")
        return _("This device name is already registered, for %(device)s.") % {"device": self.known[by_name or 0]}

    def _look_at_others(self, row: Row, device: Known | None, notices: Notices) -> None:
        """Refuse a row with another device's ICCID or MAC.

        A new IMEI that another device has is only noticed, because factories make mistakes there.
        """
        for name, ids in self.others.items():
            value = row.values[self.place[name]]
            holder = ids.get(value)
            if holder is None or (device and (holder == device.pk or device.values[name] == value)):
                continue
            if name in _TAKEN:
                row.reasons.append(_TAKEN[name]() % {"device": self.known[holder]})
            else:
                notices.add("imei_taken", row.number)

    def _settle(self, row: Row, device: Known, notices: Notices) -> None:
        if device.archived_at:
            row.reasons.append(_("This device is archived. Restore it first, then check the file again."))
            return
        if row.values[self.place["serial_number"]] != device.serial_number:
            notices.add("other_letters", row.number)
        row.target = device.pk
        row.changes = differences(device.values, {name: row.values[self.place[name]] for name in self.mapped}) or None

    def _compare_tags(self) -> None:
        position = self.place["tags"]
        named = {row.target: row for row in self.rows if row.target and row.values[position]}
        tags = tags_of(list(named)) if named else {}
        for device_id, row in named.items():
            change = tag_difference(tags.get(device_id, []), json.loads(row.values[position]))
            if change:
                row.changes = (row.changes or {}) | {"tags": change}


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return `{field: [old, new]}` for the fields that a row would change, by the columns of device and row.

    Fields about which the row says nothing are missing in `new`, or None.
    """
    found: dict[str, list[Any]] = {}
    for name, field in _COMPARED:
        value = new.get(name)
        if value is None:
            continue
        before, after = _said(old[name]), field.as_kept(value)
        if before != after:
            found[field.name] = [HIDDEN if before else "", HIDDEN] if field.is_secret else [before, after]
    return found


def _said(value: Any) -> Any:
    """Return a device's value in the form that rows and the log use."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else value


def tags_of(device_ids: list[int]) -> dict[int, list[str]]:
    """Return the names of the tags of each device that has any."""
    found: dict[int, list[str]] = {}
    # unscoped: devices of the file's organization
    rows = sql.having_ids(DeviceTag.objects.order_by("tag__name_key"), "device_id", device_ids)
    for device_id, name in rows.values_list("device_id", "tag__name"):
        found.setdefault(device_id, []).append(name)
    return found


def tag_difference(old: list[str], named: list[str]) -> list[Any] | None:
    """Return `[old, new]` as text if a file names tags that a device does not have, else None. It removes no tags."""
    known = {fold(name) for name in old}
    added = [name for name in named if fold(name) not in known]
    return [", ".join(old), ", ".join([*old, *added])] if added else None


def _known(ids: set[int]) -> dict[int, Known]:
    if not ids:
        return {}
    columns = [field.stored_as for field in UPDATED]
    # unscoped: devices found in the file's organization
    rows = sql.having_ids(Device.objects.order_by(), "id", sorted(ids))
    return {
        pk: Known(pk, product, serial, archived_at, dict(zip(columns, values, strict=True)))
        for pk, product, serial, archived_at, *values in rows.values_list(
            "pk", "product__name", "serial_number", "archived_at", *columns
        )
    }
