"""Ends what a killed supervisor left running, so that the next start on the same port does not collide with it."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from console import liveness

# In seconds: how long the old processes may take to end, and then how long until their port is free.
END_WITHIN, FREE_WITHIN = 8, 10
BETWEEN_LOOKS = 0.1


def note(file: Path, pids: Iterable[int]) -> None:
    """Record this supervisor and its children, each with its start time, because process ids are reused."""
    births = {pid: liveness.began(str(pid)) for pid in (os.getpid(), *pids)}
    lines = [f"{pid} {birth}\n" for pid, birth in births.items() if birth]
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text("".join(lines))
    fresh.replace(file)


def forget(file: Path) -> None:
    """Delete the record once none of its processes is running."""
    file.unlink(missing_ok=True)


def end(file: Path, probe: Callable[[], None]) -> None:
    """End what a dead supervisor left, and wait until its port is free. A living one is left alone.

    `probe` raises OSError while the port is taken. Returns in any case; the next attempt to listen reports the problem.
    """
    noted = _noted(file)
    if not noted or _lives(*noted[0]):
        return
    left = [pid for pid, birth in noted[1:] if _lives(pid, birth)]
    _signal(left, signal.SIGTERM)
    _wait(lambda: not any(_lives(pid, birth) for pid, birth in noted[1:]), END_WITHIN)
    _signal([pid for pid, birth in noted[1:] if _lives(pid, birth)], signal.SIGKILL)
    # gunicorn's own children hold the port a moment longer than it does.
    _wait(lambda: _is_free(probe), FREE_WITHIN)
    forget(file)


def _noted(file: Path) -> list[tuple[int, str]]:
    try:
        lines = [line.split() for line in file.read_text().splitlines()]
        return [(int(pid), birth) for pid, birth in lines]
    except (OSError, ValueError):
        return []


def _lives(pid: int, birth: str) -> bool:
    return liveness.began(str(pid)) == birth


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            # Each leads its own process group, see `serve.Child`.
            os.killpg(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def _wait(is_over: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not is_over() and time.monotonic() < until:
        time.sleep(BETWEEN_LOOKS)


def _is_free(probe: Callable[[], None]) -> bool:
    try:
        probe()
    except OSError:
        return False
    return True
