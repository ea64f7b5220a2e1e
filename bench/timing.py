"""Timers for the benchmarks."""

import gc
import time
from collections.abc import Callable
from statistics import median
from typing import Any

Work = Callable[[], Any]


def seconds(work: Work) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(*works: Work, rounds: int = 15, most_seconds: float = 3.0, warm: int = 2) -> list[float]:
    """Return the median time of each work. They take turns (ABAB), so that other load affects all alike.

    After `most_seconds` no further round begins, but there are at least three.
    """
    for work in works:
        for _time in range(warm):
            work()
    gc.collect()
    times: list[list[float]] = [[] for _work in works]
    until = time.perf_counter() + most_seconds
    for number in range(rounds):
        if number >= 3 and time.perf_counter() > until:
            break
        for taken, work in zip(times, works, strict=True):
            taken.append(seconds(work))
    return [median(taken) for taken in times]
