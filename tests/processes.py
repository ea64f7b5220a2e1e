"""Runs the same thing in many processes at once, against the one test database."""

import contextlib
import multiprocessing
import threading
import traceback
from collections.abc import Callable
from typing import Any

from django.db import connections

from tests.waiting import PATIENCE

# Where a lock keeps some from coming, the others don't wait for them for longer than this.
MOMENT = 30


def meeting(number: int) -> Callable[[], None]:
    """Return what lets `number` processes wait for each other, for the controls: nobody writes before all have looked.

    To be made before they start.
    """
    barrier = multiprocessing.get_context("fork").Barrier(number)

    def meet() -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            barrier.wait(MOMENT)

    return meet


def run(number: int, prepare: Callable[[int], Any], act: Callable[[Any], Any]) -> list[Any]:
    """Start `number` processes; each prepares itself, waits for all the others, then acts. Gives what they returned.

    An exception comes back as its traceback's text, so that a test sees it in its asserts.
    """
    connections.close_all()
    context = multiprocessing.get_context("fork")
    barrier, queue = context.Barrier(number), context.Queue()

    def body(index: int) -> None:
        try:
            prepared = prepare(index)
            barrier.wait(PATIENCE)
            queue.put(act(prepared))
        except BaseException:
            barrier.abort()
            queue.put(traceback.format_exc())
        finally:
            connections.close_all()

    processes = [context.Process(target=body, args=(index,), daemon=True) for index in range(number)]
    for process in processes:
        process.start()
    results = [queue.get(timeout=PATIENCE) for _process in processes]
    for process in processes:
        process.join(PATIENCE)
    return results
