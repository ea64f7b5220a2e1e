"""The checked rows of one file, in a small database file of their own.

They are written once while the file is read, so that neither the check nor the preview nor the import ever
holds a file in memory; SQLite finds the duplicates and the counts.
"""

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from contextlib import closing
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

from console.imports.files import gone


class Verdict(IntEnum):
    """What happens to a row."""

    NEW = 0
    UNCHANGED = 1
    CHANGED = 2
    REFUSED = 3


class Row:
    """A row while it is checked.

    `values` follow the fields of the import's kind; an empty value is None. `reasons` are the sentences that say why
    it is refused, `target` is the id of the existing row that it matches, `changes` is {field: [old, new]}.
    """

    __slots__ = ("changes", "is_marked", "number", "reasons", "target", "values")

    def __init__(self, number: int, width: int) -> None:
        self.number = number
        self.values: list[Any] = [None] * width
        self.reasons: list[str] = []
        self.target: int | None = None
        self.changes: dict[str, list[Any]] | None = None
        # For decisions that need the whole file; see `Staging.refuse_marked`.
        self.is_marked = False


def visible(text: str, limit: int = 80) -> str:
    """Return a text from a file as it can be shown: cut, and with a visible sign for each invisible character."""
    cut = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return cut if cut.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in cut)


class Staged(NamedTuple):
    """A row that was checked."""

    number: int
    values: dict[str, Any]
    reason: str
    target: int | None
    changes: dict[str, list[Any]]


class Key(NamedTuple):
    """A value that may occur only once in a file: its field, and the field that people see.

    `same` is the sentence that refuses a second one, `other_letters` the one used when the two differ only in
    their letters; both name the first by %(row)s. A key with a `notice` instead is noticed and not refused.
    """

    field: str
    shown: str
    same: Any = None
    other_letters: Any = None
    notice: str = ""


class Staging:
    """The rows of one check. `fields` are the names of their values, fixed for each kind of import."""

    def __init__(self, path: Path, fields: tuple[str, ...], keys: tuple[Key, ...] = ()) -> None:
        self.path, self.fields, self.keys = path, fields, keys
        self._hashes = [array("q") for _key in keys]
        places = [fields.index(key.field) for key in keys]
        self._remember = [(p, hashes.append) for p, hashes in zip(places, self._hashes, strict=True)]

    def create(self) -> None:
        """Create the file, empty. Rows are only read after `finish`, so it needs no journal."""
        self.path.touch(mode=0o600, exist_ok=False)
        self._connection = sqlite3.connect(self.path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        columns = ", ".join(f'"{name}"' for name in self.fields)
        self._connection.execute(
            "CREATE TABLE line (number INTEGER PRIMARY KEY, verdict INTEGER, target INTEGER, marked INTEGER, "
            f"changes TEXT, reason TEXT, {columns})"
        )
        self._connection.execute("BEGIN")
        marks = ", ".join("?" * (6 + len(self.fields)))
        self._insert = f"INSERT INTO line VALUES ({marks})"  # noqa: S608 - question marks

    def add(self, rows: Iterable[Row]) -> None:
        """Write rows to the file."""
        self._connection.executemany(self._insert, [self._line(row) for row in rows])

    def _line(self, row: Row) -> tuple[Any, ...]:
        values, reasons, changes = row.values, row.reasons, row.changes
        for position, remember in self._remember:
            value = values[position]
            if value:
                remember(hash(value))
        # Numbers instead of members of Verdict, because this runs for every row.
        verdict = 3 if reasons else 0 if row.target is None else 2 if changes else 1
        told = json.dumps(changes) if changes else None
        reason = " ".join(reasons) if reasons else None
        return (row.number, verdict, row.target, row.is_marked or None, told, reason, *values)

    def samples(self, field: str) -> list[tuple[str, bool]]:
        """Return one value of the field for each length it occurs in, among the marked rows and among the others."""
        found = self._connection.execute(
            f'SELECT min("{field}"), marked FROM line WHERE "{field}" IS NOT NULL '  # noqa: S608
            f'GROUP BY length("{field}"), marked, "{field}" GLOB \'*[^0-9]*\''
        )
        return [(value, bool(is_marked)) for value, is_marked in found]

    def refuse_marked(self, sentence: str, condition: str, *parameters: Any) -> int:
        """Refuse the marked rows for which an SQL condition on the fields is true. Returns how many."""
        return self._connection.execute(
            "UPDATE line SET verdict = 3, target = NULL, changes = NULL, "  # noqa: S608
            f"reason = trim(coalesce(reason, '') || ' ' || ?) WHERE marked AND ({condition})",
            [sentence, *parameters],
        ).rowcount

    def duplicates(self) -> Iterator[tuple[Key, int, str]]:
        """Yield the key, row and sentence of each row with a key that already occurs in a row above."""
        for key, hashes in zip(self.keys, self._hashes, strict=True):
            # Equal hashes are rare without equal keys, and this costs a fraction of the query below.
            if len(set(hashes)) < len(hashes):
                for number, first, is_same in self._twice(key):
                    sentence = key.same if is_same or not key.other_letters else key.other_letters
                    yield key, number, sentence % {"row": first} if sentence else ""

    def _twice(self, key: Key) -> list[tuple[int, int, int]]:
        return self._connection.execute(
            f'SELECT later.number, first.number, later."{key.shown}" = first."{key.shown}" '  # noqa: S608
            f'FROM line AS later JOIN (SELECT "{key.field}" AS value, min(number) AS number FROM line '
            f"WHERE \"{key.field}\" <> '' GROUP BY 1 HAVING count(*) > 1) AS twice "
            f'ON later."{key.field}" = twice.value AND later.number > twice.number '
            "JOIN line AS first ON first.number = twice.number ORDER BY later.number"
        ).fetchall()

    def refuse(self, refused: Iterable[tuple[int, str]]) -> None:
        """Refuse rows that were already added, each for one more reason: (row, sentence)."""
        self._connection.executemany(
            "UPDATE line SET verdict = 3, target = NULL, changes = NULL, "
            "reason = trim(coalesce(reason, '') || ' ' || ?2) WHERE number = ?1",
            refused,
        )

    def finish(self) -> dict[str, int]:
        """Finish writing the file, and count the rows by their verdict."""
        counts = dict(self._connection.execute("SELECT verdict, count(*) FROM line GROUP BY verdict").fetchall())
        for verdict in (Verdict.CHANGED, Verdict.REFUSED):
            name = verdict.name.lower()
            self._connection.execute(f"CREATE INDEX {name} ON line (number) WHERE verdict = {verdict.value}")
        self._connection.execute("COMMIT")
        self._connection.close()
        return {verdict.name.lower(): counts.get(verdict, 0) for verdict in Verdict}

    def abandon(self) -> None:
        """Stop before the end, and leave no file behind."""
        self._connection.close()
        self.path.unlink(missing_ok=True)

    def read(self, verdict: Verdict, limit: int = -1) -> Iterator[Staged]:
        """Yield the rows of one verdict in the order of the file. Raises Refused if the file is gone."""
        for number, reason, target, changes, *values in self.tuples(
            verdict, ("number", "reason", "target", "changes", *self.fields), limit
        ):
            named = dict(zip(self.fields, values, strict=True))
            yield Staged(number, named, reason or "", target, json.loads(changes) if changes else {})

    def tuples(self, verdict: Verdict, columns: tuple[str, ...], limit: int = -1) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of one verdict as bare tuples of some columns, for many rows."""
        if not self.path.is_file():
            raise gone()
        named = ", ".join(f'"{name}"' for name in columns)
        with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            yield from connection.execute(
                f"SELECT {named} FROM line WHERE verdict = {verdict.value} ORDER BY number LIMIT {limit:d}"  # noqa: S608
            )
