"""The operation that new lines of the log belong to: all of its chunks are one act."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID, uuid5

NAMESPACE = UUID("6f1f5c0e-5d5a-4d39-9f0f-3a3c1c1f2a11")


@dataclass(frozen=True)
class OperationAct:
    """An operation as the log identifies it."""

    operation_id: int

    @property
    def id(self) -> UUID:
        """Return the act's id, the same for every chunk, whichever worker runs it."""
        return uuid5(NAMESPACE, str(self.operation_id))


_current: ContextVar[OperationAct | None] = ContextVar("act", default=None)


def current() -> OperationAct | None:
    """Return the operation that runs in this thread, or None."""
    return _current.get()


@contextmanager
def within(operation_id: int) -> Iterator[None]:
    """Attribute the lines that are written inside the block to this operation."""
    token = _current.set(OperationAct(operation_id))
    try:
        yield
    finally:
        _current.reset(token)
