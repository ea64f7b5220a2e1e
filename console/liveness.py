"""Worker heartbeats, used to reassign the work of dead workers."""

import os
import socket
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from django.utils import timezone

from console.models import WorkerHeartbeat

SILENCE = timedelta(seconds=60)
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
DEAD_STATES = {"Z", "X"}
# The queues of this process that have a thread of their own.
_alone: set[str] = set()


def worker_name() -> str:
    """Return the name of this process: machine, process id and start time, because process ids are reused."""
    pid = str(os.getpid())
    return f"{_machine()}:{pid}:{began(pid)}"


def serve_alone(queue: str) -> None:
    """Note that a thread of this process serves this queue and no other."""
    _alone.add(queue)


def serves_alone(queue: str) -> bool:
    """Whether no other queue has to wait while a task of this queue runs."""
    return queue in _alone


def beat(queues: str) -> None:
    """Record that this process is alive and serves the queues."""
    WorkerHeartbeat.objects.update_or_create(
        worker=worker_name(), defaults={"queues": queues[:80], "at": timezone.now()}
    )


def note_trial() -> None:
    """Write a row in a transaction of its own, to find out whether the database accepts writes.

    The row has no worker's name and is not a heartbeat: its time is earlier than any other.
    """
    WorkerHeartbeat.objects.update_or_create(
        worker=f"trial:{_machine()}"[:80], defaults={"queues": str(time.time_ns())[:80], "at": FIRST}
    )


def leave() -> None:
    """Delete the heartbeat of this process."""
    WorkerHeartbeat.objects.filter(worker=worker_name()).delete()


def beating() -> set[str]:
    """Return the workers whose heartbeat is at most a minute old."""
    recent = WorkerHeartbeat.objects.filter(at__gt=timezone.now() - SILENCE)
    return set(recent.values_list("worker", flat=True))


def lives(worker: str, heard: set[str]) -> bool:
    """Whether the worker lives: on this machine if its process runs, elsewhere if it is in `heard`.

    On SQLite a long transaction blocks all heartbeats, so a process on this machine is not judged by them.
    """
    machine, _sep, process = worker.partition(":")
    pid, _sep, birth = process.partition(":")
    if birth and machine == _machine():
        return began(pid) == birth
    return worker in heard


def delete_silent() -> int:
    """Delete the heartbeats that are older than a day. Returns how many."""
    return WorkerHeartbeat.objects.filter(at__lt=timezone.now() - timedelta(days=1)).delete()[0]


@cache
def _machine() -> str:
    """Return the host and the container on it, because process ids are unique only within one."""
    try:
        container = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        container = ""
    return f"{socket.gethostname()[:40]}/{container}"


def began(pid: str) -> str:
    """Return when the process began, in ticks of the machine; empty if it ended, or if the system does not say."""
    try:
        # The program's name is in brackets and may contain brackets itself.
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return ""
    return "" if state in DEAD_STATES else fields[18]
