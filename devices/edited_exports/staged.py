"""The checked rows of an edited export, in the order in which they are applied."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

from console.imports import Staged, Staging, Verdict
from console.imports.files import STORE, gone
from devices.edited_exports.comparison import ASSIGN, TRANSFER, UNCLAIM
from devices.edited_exports.kind import RoundTripKind
from devices.models import RoundTrip


class Plan(NamedTuple):
    """What the changed rows do: how many of each action, the ids of devices whose owner changes, and the new owners."""

    assign: int
    transfer: int
    unclaim: int
    tags: int
    notes: int
    moved: list[int]
    owners: set[int]

    @property
    def taken(self) -> int:
        """Return how many devices are taken from their owners."""
        return self.transfer + self.unclaim


class Changes(Staging):
    """The staged rows of an edited export. Rows of one change of ownership are adjacent, so that they form one set."""

    def __init__(self, row: RoundTrip) -> None:
        super().__init__(STORE.path_of(row.checked_as), RoundTripKind.fields)

    def plan(self) -> Plan:
        """Count what would be changed."""
        acts: Counter[Any] = Counter()
        moved, owners = [], set()
        columns = ("target", "act", "owner_to", "tags", "notes")
        for target, act, owner_to, tags, notes in self.tuples(Verdict.CHANGED, columns):
            acts.update(name for name in (act, tags is not None and "tags", notes is not None and "notes") if name)
            if act:
                moved.append(target)
            if owner_to:
                owners.add(owner_to)
        return Plan(acts[ASSIGN], acts[TRANSFER], acts[UNCLAIM], acts["tags"], acts["notes"], sorted(moved), owners)

    def portion(self, start: int, count: int) -> list[Staged]:
        """Return up to `count` changed rows from position `start` on."""
        columns = ("number", "reason", "target", "changes", *self.fields)
        order = "ORDER BY act, owner_from, owner_to, number LIMIT ? OFFSET ?"
        return [
            Staged(
                number, dict(zip(self.fields, values, strict=True)), reason or "", target, json.loads(changes or "{}")
            )
            for number, reason, target, changes, *values in self._rows(columns, Verdict.CHANGED, order, count, start)
        ]

    def refused(self, start: int, count: int) -> Iterator[tuple[int, str, str]]:
        """Yield (row, name, reason) for up to `count` refused rows from position `start` on."""
        columns = ("number", "reason", "serial_number", "device_name")
        for number, reason, serial, name in self._rows(
            columns, Verdict.REFUSED, "ORDER BY number LIMIT ? OFFSET ?", count, start
        ):
            yield number, serial or name or "", reason or ""

    def _rows(self, columns: tuple[str, ...], verdict: Verdict, order: str, *values: int) -> list[tuple[Any, ...]]:
        if not self.path.is_file():
            raise gone()
        named = ", ".join(f'"{name}"' for name in columns)
        with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            question = f"SELECT {named} FROM line WHERE verdict = {verdict.value} {order}"  # noqa: S608
            return connection.execute(question, values).fetchall()  # unscoped: the staged rows of one file
