"""Long and bulk work that survives leaving the page and a killed worker, and has a result for each row.

* A feature registers its work as a `handler`, by a permanent name: `run(operation, by)`.
* Its action calls `begin`, which does the work in the request or hands it to the worker, and returns the operation.
* The handler uses `in_chunks`, which runs each chunk in one transaction with its count, and records what it did.
* If the work can be undone, a second handler does so with `undo_in_chunks`; its action calls `take_undo`, then
  `begin_undo`.
"""

from console.operations.beginning import (
    IN_REQUEST,
    begin,
    begin_undo,
    check_undo,
    perform,
    start,
    take_undo,
    undone_operation,
)
from console.operations.handlers import Handler, find, handler, registered
from console.operations.outcome import (
    Outcome,
    RefusedRow,
    Work,
    evidence_of,
    in_chunks,
    sentence_of,
    succeeded,
    undo_in_chunks,
)
from console.operations.running import (
    Interrupted,
    Superseded,
    actor_of,
    advance,
    chunk,
    enqueue,
    queued,
    recover,
    run,
    stop_soon,
)

__all__ = [
    "IN_REQUEST",
    "Handler",
    "Interrupted",
    "Outcome",
    "RefusedRow",
    "Superseded",
    "Work",
    "actor_of",
    "advance",
    "begin",
    "begin_undo",
    "check_undo",
    "chunk",
    "enqueue",
    "evidence_of",
    "find",
    "handler",
    "in_chunks",
    "perform",
    "queued",
    "recover",
    "registered",
    "run",
    "sentence_of",
    "start",
    "stop_soon",
    "succeeded",
    "take_undo",
    "undo_in_chunks",
    "undone_operation",
]
