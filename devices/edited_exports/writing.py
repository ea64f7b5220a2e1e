"""Writes the changes of one portion of rows, set by set, within the caller's transaction."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple
from uuid import uuid4

from django.utils.translation import gettext as _

from console import sql
from console.access import Actor
from console.audit import record_each
from console.errors import Refused
from console.fields import fold
from console.imports import Staged
from console.operations import Outcome
from customers.models import Customer
from customers.projects.actions import projects
from devices import events as device_events
from devices import ledger
from devices.actions import ownership
from devices.acts import Act, BegunAct
from devices.edited_exports.columns import EDITED
from devices.edited_exports.comparison import ASSIGN, TRANSFER, UNCLAIM, not_allowed, not_movable
from devices.edited_exports.registered import RegisteredDevice, registered_devices
from devices.log import record_act
from devices.manifest.writing import tags_named
from devices.models import Device, DeviceTag


class SkippedRow(NamedTuple):
    """A row that was not applied: its number in the file, its device, and why."""

    number: int
    label: str
    code: str
    sentence: str


class Portion:
    """Rows that are applied together. A row that can't be applied is skipped, and the others continue.

    The devices and their new owners are locked first, so that what is decided still holds when it is written.
    """

    act: BegunAct

    def __init__(self, rows: list[Staged], *, by: Actor, reason: str, evidence: str) -> None:
        self.by, self.reason, self.evidence = by, reason, evidence
        self.rows: dict[int, Staged] = {row.target: row for row in rows if row.target is not None}
        self.left: list[SkippedRow] = []

    def apply(self) -> int:
        """Apply changes. Returns how many rows changed; those that did not are in `left`."""
        ids = sorted(self.rows)
        customers = self._lock_customers()
        self.act = ledger.begin(ids, Act(self.by, note=self.reason, evidence=self.evidence))
        mine = Device.objects.filter(organization=self.by.organization)
        found = {device.pk: device for device in registered_devices(sql.having_ids(mine, "id", ids))}
        for pk in ids:
            if why := self._unfit(self.rows[pk], found.get(pk), customers):
                self._leave(pk, *why)
        self._keep_to_the_limit()
        self._move(customers)
        self._edit(found)
        return len(self.rows)

    def _lock_customers(self) -> dict[int, Customer]:
        """Lock and return the new owners that are not archived, which they can't be until this transaction ends."""
        wanted = sorted(
            {row.values["owner_to"] for row in self.rows.values() if row.values["act"] in {ASSIGN, TRANSFER}}
        )
        mine = Customer.objects.filter(organization=self.by.organization, archived_at=None).order_by("pk")
        held = sql.having_ids(mine.select_for_update(no_key=True), "id", wanted) if wanted else ()
        return {customer.pk: customer for customer in held}

    def _unfit(
        self, row: Staged, device: RegisteredDevice | None, customers: dict[int, Customer]
    ) -> tuple[str, str] | None:
        act = row.values["act"]
        if device is None or device.version != row.values["seen"]:
            return "changed", _("It has been changed since the file was checked. Check the file again.")
        if sentence := not_allowed(self.by.permissions, act, row.changes):
            return "not_allowed", sentence
        if act and (sentence := not_movable(device)):
            return "not_movable", sentence
        if act in {ASSIGN, TRANSFER} and row.values["owner_to"] not in customers:
            return "archived", _("The new owner has been archived since the file was checked.")
        return None

    def _keep_to_the_limit(self) -> None:
        taken = [pk for pk, row in self.rows.items() if row.values["act"] in {UNCLAIM, TRANSFER}]
        if not taken:
            return
        try:
            ownership.check_unclaim_limit(len(taken), by=self.by, at=self.act.at)
        except Refused as refusal:
            for pk in taken:
                self._leave(pk, refusal.code, refusal.sentence)

    def _move(self, customers: dict[int, Customer]) -> None:
        terms: dict[str, Any] = {"by": self.by, "at": self.act.at, "evidence": self.evidence}
        for (act, source, target), ids in self._moves():
            if act == ASSIGN:
                self._do(ids, partial(ownership.assign, customer=customers[target], note=self.reason, **terms))
            elif act == UNCLAIM:
                self._do(ids, partial(ownership.unclaim, reason=self.reason, **terms))
            else:
                self._do(ids, partial(self._transfer, source_id=source, target=customers[target]))

    def _moves(self) -> Iterable[tuple[tuple[str, int, int], list[int]]]:
        """Return (act, from, to) and the devices of each change of ownership; all unclaims form one."""

        def key(pair: tuple[int, Staged]) -> tuple[str, int, int]:
            values = pair[1].values
            act = values["act"]
            return act, values["owner_from"] or 0 if act == TRANSFER else 0, values["owner_to"] or 0

        moving = sorted((pair for pair in self.rows.items() if pair[1].values["act"]), key=key)
        return [(move, [pk for pk, _row in pairs]) for move, pairs in groupby(moving, key=key)]

    def _transfer(self, ids: list[int], source_id: int, target: Customer) -> Outcome:
        source, act = Customer.objects.get(pk=source_id), replace(self.act, id=uuid4())
        outcome = ledger.transfer(ids, act, source=source, customer=target, project=projects.default_of(target))
        # The customer who lost the device sees an unclaim, which also counts towards the hourly limit.
        record_act(device_events.UNCLAIMED, outcome.done, act, about=source, note=self.reason)
        record_act(device_events.ASSIGNED, outcome.done, act, about=target, note=self.reason)
        return outcome

    def _do(self, ids: list[int], act: Callable[[list[int]], Outcome]) -> None:
        for refused in act(ids).refused:
            self._leave(refused.row_id, refused.code, refused.sentence)

    def _edit(self, found: dict[int, RegisteredDevice]) -> None:
        """Write the tags and notes of the rows that were not skipped."""
        edited = {pk: row for pk, row in self.rows.items() if set(EDITED) & set(row.changes)}
        devices = list(sql.having_ids(Device.objects.order_by("pk"), "id", sorted(edited))) if edited else []
        self._tag(
            {pk: json.loads(row.values["tags"]) for pk, row in edited.items() if row.values["tags"] is not None}, found
        )
        noted = [device for device in devices if edited[device.pk].values["notes"] is not None]
        for device in noted:
            device.notes = edited[device.pk].values["notes"]
        sql.update_rows(Device, noted, ["notes"])
        edits = [
            (device, {name: pair for name, pair in edited[device.pk].changes.items() if name != "owner"})
            for device in devices
        ]
        record_each(device_events.EDITED, edits, by=self.by, at=self.act.at)

    def _tag(self, wanted: dict[int, list[str]], found: dict[int, RegisteredDevice]) -> None:
        """Replace the tags of the devices with these."""
        keys = {pk: {fold(name) for name in names} for pk, names in wanted.items()}
        gone = []
        carried = (
            sql.having_ids(DeviceTag.objects.order_by(), "device_id", sorted(wanted))
            if wanted
            else DeviceTag.objects.none()
        )
        for pk, device_id, key in carried.values_list("pk", "device_id", "tag__name_key"):
            if key not in keys[device_id]:
                gone.append(pk)
        if gone:
            sql.having_ids(DeviceTag.objects.order_by(), "id", gone).delete()
        had = {pk: {fold(name) for name in found[pk].tags} for pk in wanted}
        new = [(pk, name) for pk, names in wanted.items() for name in names if fold(name) not in had[pk]]
        tags = tags_named(self.by.organization.pk, sorted({name for _pk, name in new}))
        rows = [DeviceTag(tag=tags[name], device_id=pk) for pk, name in new]
        DeviceTag.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)

    def _leave(self, pk: int, code: str, sentence: str) -> None:
        row = self.rows.pop(pk)
        self.left.append(SkippedRow(row.number, str(row.values["serial_number"]), code, sentence))
