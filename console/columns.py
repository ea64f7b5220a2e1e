"""Recognises the columns of a table by their headers, even if there is a title above them."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from console.errors import Refused
from console.tabular import MAX_COLUMNS

# The header must be within this many rows.
SEARCHED_ROWS = 20
# How many characters of a header are kept for display.
MAX_LABEL = 100
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]")


@dataclass(frozen=True)
class Column:
    """A column that an import understands. `label` is for people, `aliases` are other names in use for it.

    The name and the label need not be repeated in the aliases.
    """

    name: str
    label: Any
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Header:
    """Maps the columns of a file to those that the import understands.

    `row_number` is the header's row, 0 for an empty table; `labels` are its texts. `mapping` holds the columns in use,
    index to name, in their order. `doubles` are the indexes of all columns that share a name, as long as nobody has
    chosen among them; the first is in use. `empty_twins` are the columns that are empty and mean the same as one in
    use.
    """

    row_number: int
    labels: tuple[str, ...]
    mapping: dict[int, str]
    columns: tuple[Column, ...]
    doubles: dict[str, tuple[int, ...]] = field(default_factory=dict)
    empty_twins: tuple[int, ...] = ()

    @property
    def unknown(self) -> tuple[int, ...]:
        """Return the indexes of the columns that have a label and are not used."""
        return tuple(index for index, label in enumerate(self.labels) if label and index not in self.mapping)

    def missing(self, *names: str) -> tuple[str, ...]:
        """Return those of the names that no column of the file has."""
        return tuple(name for name in names if name not in self.mapping.values())

    def values(self, cells: Sequence[str]) -> dict[str, str]:
        """Return the cells of one row by the names of their columns. Cells that a short row lacks are ""."""
        count = len(cells)
        return {name: cells[index] if index < count else "" for index, name in self.mapping.items()}

    def surplus(self, cells: list[str]) -> list[str]:
        """Return the cells of a row that have no header, so that nothing is lost unnoticed."""
        cut = [cells[index] for index in self._gaps if index < len(cells)] + cells[len(self.labels) :]
        return [cell for cell in cut if cell.strip()]

    @cached_property
    def _gaps(self) -> list[int]:
        return [index for index, label in enumerate(self.labels) if not label and index not in self.mapping]

    def with_mapping(self, changes: Mapping[int, str]) -> "Header":
        """Return the header with some columns remapped, index to name, "" for not used. The others stay as they are.

        A name that another column had is taken from that column. Raises Refused if two columns are set to one name, or
        if a name or an index does not exist.
        """
        names = {column.name for column in self.columns}
        chosen = [name for name in changes.values() if name]
        if not names.issuperset(chosen) or not all(0 <= index < MAX_COLUMNS for index in changes):
            raise Refused("unknown_column", _("One of the chosen columns does not exist."), status=422)
        for column in self.columns:
            if chosen.count(column.name) > 1:
                raise Refused(
                    "column_twice",
                    _("Two columns are set to %(column)s. Choose one of them.") % {"column": column.label},
                    status=422,
                )
        kept = {index: name for index, name in self.mapping.items() if index not in changes and name not in chosen}
        mapping = kept | {index: name for index, name in changes.items() if name}
        return replace(self, mapping=dict(sorted(mapping.items())), doubles={})

    def with_filled(self, held: set[int]) -> "Header":
        """Return the header with each column that is the only filled one of its name; `held` are the filled columns."""
        mapping, doubles, twins = dict(self.mapping), {}, []
        for name, indexes in self.doubles.items():
            filled = [index for index in indexes if index in held]
            if len(filled) > 1:
                doubles[name] = tuple(filled)
                continue
            used = (filled or indexes)[0]
            del mapping[indexes[0]]
            mapping[used] = name
            twins += [index for index in indexes if index != used]
        return replace(self, mapping=dict(sorted(mapping.items())), doubles=doubles, empty_twins=tuple(twins))


def find_header(rows: Iterable[tuple[int, list[str]]], columns: Iterable[Column]) -> Header:
    """Find the row that names the most columns, among the first 20, and return which column is which.

    `rows` are (row number, cells), of which no more than 20 are read. Of two equal rows the upper one wins. If no row
    names any column, the first one is the header, with nothing recognised: a person can then map it. If two columns
    have one name, the first is in use and both are `doubles`.
    """
    columns = tuple(columns)
    known = _known(columns)
    best = Header(0, (), {}, columns)
    for number, cells in islice(rows, SEARCHED_ROWS):
        header = _read(number, cells, columns, known)
        if not best.row_number or len(header.mapping) > len(best.mapping):
            best = header
    return best


def normalise(label: str) -> str:
    """Return a header without variations in case, accents, spaces and punctuation; ä becomes ae."""
    return _plain(unicodedata.normalize("NFC", label).translate(_UMLAUTS))


def _plain(label: str) -> str:
    letters = unicodedata.normalize("NFKD", label.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


def _known(columns: tuple[Column, ...]) -> dict[str, str]:
    """Return normalised header to name. If two columns claim one header, the column declared first has it."""
    known: dict[str, str] = {}
    for column in columns:
        for alias in (column.name, str(column.label), *column.aliases):
            # Some systems drop the dots of an umlaut instead of writing it out.
            for key in (normalise(alias), _plain(alias)):
                known.setdefault(key, column.name)
    known.pop("", None)
    return known


def _read(number: int, cells: list[str], columns: tuple[Column, ...], known: dict[str, str]) -> Header:
    mapping: dict[int, str] = {}
    places: dict[str, list[int]] = {}
    for index, cell in enumerate(cells):
        # "Serial number (hex)" is a serial number; "(S/N)" alone stays as it is.
        name = known.get(normalise(cell)) or known.get(normalise(_BRACKETS.sub("", cell)))
        if name:
            places.setdefault(name, []).append(index)
            if len(places[name]) == 1:
                mapping[index] = name
    doubles = {name: tuple(indexes) for name, indexes in places.items() if len(indexes) > 1}
    labels = tuple(" ".join(cell.split())[:MAX_LABEL] for cell in cells)
    return Header(number, labels, mapping, columns, doubles)
