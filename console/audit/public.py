"""The public events that webhooks can be sent. Each room declares its own, beside the audit events that they follow."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models

# What a webhook may be bound to.
ORGANIZATION, PRODUCT, CUSTOMER = "organization", "product", "customer"
# Events that name two customers, or concern only the organization, are not for the webhooks of customers.
STAFF, EVERYONE = frozenset({ORGANIZATION, PRODUCT}), frozenset({ORGANIZATION, PRODUCT, CUSTOMER})


@dataclass
class Guard:
    """Decides, when a delivery is about to leave, what the webhooks of customers may still be sent of an event.

    `unlocked` returns the devices that no running transaction is changing; deliveries about the others wait.
    `visible_now` returns the deliveries that their customer may read; the others are given up.
    """

    unlocked: Callable[[set[int]], set[int]]
    visible_now: Callable[[models.QuerySet[Any]], models.QuerySet[Any]]


@dataclass(frozen=True, eq=False)
class PublicEvent:
    """One kind of event as receivers know it. Declaring it registers it; forms offer it in the order of `place`.

    `scopes` are the webhooks that can have it. An event that is sent by `fanout.emit` and follows no line of the log is
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
    """One occurrence of an event. `data` is sent as it is; the ids select webhooks; `name` is the name of a message.

    `customer_id` is the owner at the moment `at`: the webhooks of other customers are not sent it. With `readers`, only
    the webhooks of these customers are. `event` is set if a line of the log is sent as a second public event too.
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
    """The input of a payload function: lines of the log just written, one for each id, all of one organization."""

    organization_id: int
    ids: list[int]
    about: models.Model | None
    at: datetime
    label: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Sends:
    """What webhooks are sent for a kind of audit event: the public event, and the function that returns the payloads.

    `also` are further public events that the function may name.
    """

    event: PublicEvent
    payload: Callable[[Logged], Iterable[Occurrence]]
    also: tuple[PublicEvent, ...] = ()

    @property
    def events(self) -> tuple[PublicEvent, ...]:
        """Return every public event that may be sent."""
        return (self.event, *self.also)


@dataclass
class Registry:
    """Every public event that was declared, including those that share a name: a system check refuses them."""

    declared: list[PublicEvent] = field(default_factory=list)

    def add(self, event: PublicEvent) -> None:
        """Register an event."""
        self.declared.append(event)


registry = Registry()


def find(name: str) -> PublicEvent | None:
    """Return the event with this name, or None for one that only an earlier or a later release declares."""
    return next((event for event in registry.declared if event.name == name), None)


def offered() -> list[PublicEvent]:
    """Return the events that a webhook can subscribe to, in their order."""
    return [event for event in in_order() if event.scopes]


def in_order() -> list[PublicEvent]:
    """Return all events in their order, including those that are sent without being subscribed to."""
    return sorted(registry.declared, key=lambda event: event.place)


def label(name: str) -> str:
    """Return the label of an event."""
    event = find(name)
    return str(event.label) if event else name


def of_scope(scope: str) -> list[tuple[str, Any]]:
    """Return the events that a webhook of this scope can have, as choices of a form."""
    return [(event.name, event.label) for event in offered() if scope in event.scopes]


def has_names(names: Iterable[str]) -> bool:
    """Whether one of these events lets a webhook choose names."""
    return any(event.has_names for name in names if (event := find(name)))
