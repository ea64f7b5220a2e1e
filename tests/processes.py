"""Runs the same thing in many processes at once, against the one test database."""

import multiprocessing
import traceback
from collections.abc import Callable
from typing import Any

from django.db import connections

TIMEOUT = 120


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
            barrier.wait(TIMEOUT)
            queue.put(act(prepared))
        except BaseException:
            barrier.abort()
            queue.put(traceback.format_exc())
        finally:
            connections.close_all()

    processes = [context.Process(target=body, args=(index,), daemon=True) for index in range(number)]
    for process in processes:
        process.start()
    results = [queue.get(timeout=TIMEOUT) for _process in processes]
    for process in processes:
        process.join(TIMEOUT)
    return results
