"""Slots: where a module lets other apps take part.

A slot is declared in the module that calls it and filled in `AppConfig.ready()` of the apps that take part. This way a
lower app calls a higher one without knowing it, mypy compares the signatures, and `manage.py check` lists who takes
part.
"""

from collections.abc import Callable, Iterator
from typing import Any, Generic, ParamSpec, Self, TypeVar

from django.core.exceptions import ImproperlyConfigured

P = ParamSpec("P")
R = TypeVar("R")

# Every slot by its dotted path, for `manage.py check`.
DECLARED: dict[str, "Slot[..., Any]"] = {}


class Slot(Generic[P, R]):
    """Functions that apps add, called in order."""

    # Whether `manage.py check` reports an error while the slot is empty.
    is_required = False

    def __init__(self, name: str) -> None:
        """Declare a slot. `name` is its dotted path."""
        if name in DECLARED:
            raise ImproperlyConfigured(f"The slot {name} is declared twice.")
        self.name = name
        self.entries: list[tuple[int, Callable[P, R]]] = []
        DECLARED[name] = self

    @classmethod
    def declare(cls, prototype: Callable[P, R]) -> Self:
        """Declare a slot with the name and the signature of an empty function. Allows keyword-only arguments."""
        slot = cls(f"{prototype.__module__}.{prototype.__qualname__}")
        slot.__doc__ = prototype.__doc__
        return slot

    def add(self, function: Callable[P, R], *, order: int = 0) -> Callable[P, R]:
        """Add a function after those of the same or a lower `order`. Returns it, so `@slot.add` decorates."""
        if function in list(self):
            raise ImproperlyConfigured(f"{path(function)} is added twice to the slot {self.name}.")
        self.entries.append((order, function))
        self.entries.sort(key=lambda entry: entry[0])
        return function

    def __iter__(self) -> Iterator[Callable[P, R]]:
        return (function for _, function in self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def call(self, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        """Call each function in order and return what they return."""
        return [function(*args, **kwargs) for function in self]


class One(Slot[P, R]):
    """A slot that takes exactly one function. Calling the slot calls the function."""

    is_required = True

    def add(self, function: Callable[P, R], *, order: int = 0) -> Callable[P, R]:
        for taken in self:
            raise ImproperlyConfigured(f"The slot {self.name} takes one function and has {path(taken)} already.")
        return super().add(function, order=order)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        for function in self:
            return function(*args, **kwargs)
        raise ImproperlyConfigured(f"The slot {self.name} is empty. Add a function to it in an AppConfig.ready().")


def path(function: Callable[..., Any]) -> str:
    """Return the dotted path of a function."""
    return f"{function.__module__}.{getattr(function, '__qualname__', type(function).__qualname__)}"
