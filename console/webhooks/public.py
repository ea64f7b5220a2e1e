"""The public events that webhooks can be sent. Each room declares its own, beside the lines of the log that they follow."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models

# What a webhook may be bound to.
ORGANIZATION, PRODUCT, CUSTOMER = "organization", "product", "customer"
# What names two customers, or only concerns the organization, is not for the webhooks of customers.
STAFF, EVERYONE = frozenset({ORGANIZATION, PRODUCT}), frozenset({ORGANIZATION, PRODUCT, CUSTOMER})


@dataclass
class Guard:
    """What the webhooks of customers may still be sent of an event, asked when a delivery is about to leave.

    `unlocked` returns those of the devices that no running transaction is changing; the others' deliveries wait.
    `visible_now` returns those of the deliveries that their customer may read; the others are given up.
    """

    unlocked: Callable[[set[int]], set[int]]
    visible_now: Callable[[models.QuerySet], models.QuerySet]


@dataclass(frozen=True, eq=False)
class PublicEvent:
    """One kind of event as receivers know it. Declaring it registers it; forms offer it in the order of `place`.

    `scopes` are the webhooks that can have it. One that is sent by `fanout.emit`, and follows no line of the log, is
    `is_emitted`. With `has_names` a webhook may choose some of its names, as with messages.
    """

    name: str
    label: Any
    scopes: frozenset[str]
    place: int
    is_emitted: bool = False
    has_names: bool = False
    guard: Guard | None = None

    def __post_init__(self) -> None:
        registry.add(self)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Occurrence:
    """One thing that happened. `data` is sent as it is; the ids say which webhooks it concerns, `name` is a message's.

    `customer_id` is the owner at the moment `at`: the webhooks of other customers are not sent it. With `readers`, only
    the webhooks of these customers are. `event` is set where a line of the log is sent as a second public event too.
    """

    data: dict[str, Any]
    at: datetime
    product_id: int | None = None
    customer_id: int | None = None
    device_id: int | None = None
    label: str = ""
    name: str = ""
    readers: frozenset[int] = frozenset()
    event: PublicEvent | None = None


@dataclass(frozen=True)
class Logged:
    """What a payload is made of: lines of the log that were just written, one for each id, all of one organization."""

    organization_id: int
    ids: list[int]
    about: models.Model | None
    at: datetime
    label: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Sends:
    """What webhooks are sent of a kind of event: as which public event, and the function that returns the payloads.

    `also` are further public events that the function may name.
    """

    event: PublicEvent
    payload: Callable[[Logged], Iterable[Occurrence]]
    also: tuple[PublicEvent, ...] = ()

    @property
    def events(self) -> tuple[PublicEvent, ...]:
        """Every public event that may be sent."""
        return (self.event, *self.also)


@dataclass
class Registry:
    """Every public event that was declared, also those that share a name: a system check refuses them."""

    declared: list[PublicEvent] = field(default_factory=list)

    def add(self, event: PublicEvent) -> None:
        """Register an event."""
        self.declared.append(event)


registry = Registry()


def find(name: str) -> PublicEvent | None:
    """Return the event with this name, or None for one that an earlier or a later release declared."""
    return next((event for event in registry.declared if event.name == name), None)


def offered() -> list[PublicEvent]:
    """Return the events that some webhook can have, in their order."""
    return [event for event in in_order() if event.scopes]


def in_order() -> list[PublicEvent]:
    """Return all events in their order, also those that are sent without being asked for."""
    return sorted(registry.declared, key=lambda event: event.place)


def label(name: str) -> str:
    """Return an event in words."""
    event = find(name)
    return str(event.label) if event else name


def of_scope(scope: str) -> list[tuple[str, Any]]:
    """Return the events that a webhook of this scope can have, as choices of a form."""
    return [(event.name, event.label) for event in offered() if scope in event.scopes]


def has_names(names: Iterable[str]) -> bool:
    """Return whether one of these events lets a webhook choose names."""
    return any(event.has_names for name in names if (event := find(name)))
