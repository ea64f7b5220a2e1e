"""The kinds of events in the audit log. Each room declares its own in its `events.py`; `describe` words them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from console.audit.public import Sends


@dataclass(frozen=True, eq=False)
class Group:
    """Kinds that the filter of the log shows together; the group with the lowest `place` comes first."""

    label: Any
    place: int


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of event. Declaring it registers it, so `record` never receives an unknown one.

    The sentence has the placeholders {actor}, {subject} and, if the event has one, {object}. `former` are the kind's
    names in earlier releases: links saved with one of them keep working. `webhook` is what webhooks are sent.
    """

    name: str
    label: Any
    icon: str
    sentence: Any
    group: Group
    former: tuple[str, ...] = ()
    webhook: Sends | None = None

    def __post_init__(self) -> None:
        registry.add(self)

    def __str__(self) -> str:
        return self.name


@dataclass
class Registry:
    """Every declared kind, in that order, including those that share a name: a system check refuses them."""

    declared: list[Kind] = field(default_factory=list)
    by_name: dict[str, Kind] = field(default_factory=dict)

    def add(self, kind: Kind) -> None:
        """Register a kind under its names."""
        self.declared.append(kind)
        for name in (kind.name, *kind.former):
            self.by_name.setdefault(name, kind)


registry = Registry()


def find(name: str) -> Kind | None:
    """Return the kind with this name, or None for one that only an earlier or a later release declares."""
    return registry.by_name.get(name)


def names() -> list[str]:
    """Return the names of all kinds, in alphabetical order."""
    return sorted({kind.name for kind in registry.declared})


def names_in(group: Group) -> list[str]:
    """Return the names of the kinds of one group."""
    return [kind.name for kind in registry.declared if kind.group is group]


def choices() -> list[tuple[Any, list[tuple[str, Any]]]]:
    """Return the kinds in their groups, as choices of a form."""
    found: dict[Group, list[tuple[str, Any]]] = {}
    for kind in registry.declared:
        found.setdefault(kind.group, []).append((kind.name, kind.label))
    return [(group.label, found[group]) for group in sorted(found, key=lambda group: group.place)]


def names_of(kinds: Iterable[Kind]) -> list[str]:
    """Return the names by which a query finds these kinds."""
    return [kind.name for kind in kinds]
