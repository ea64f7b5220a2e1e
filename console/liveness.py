"""Which workers live, so that the work of the dead goes to the living."""

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
# The queues that this process serves, each by a thread that does nothing else.
_alone: set[str] = set()


def worker_name() -> str:
    """This process: its machine, its process id, and when it began, because ids are given out again."""
    pid = str(os.getpid())
    return f"{_machine()}:{pid}:{began(pid)}"


def serve_alone(queue: str) -> None:
    """Note that a thread of this process serves this queue and no other."""
    _alone.add(queue)


def serves_alone(queue: str) -> bool:
    """Whether what a task of this queue takes, no other queue waits for."""
    return queue in _alone


def beat(queues: str) -> None:
    """Say that this process lives and serves the queues."""
    WorkerHeartbeat.objects.update_or_create(
        worker=worker_name(), defaults={"queues": queues[:80], "at": timezone.now()}
    )


def note_trial() -> None:
    """Write a row in a transaction of its own, for whoever wants to know whether the database takes one.

    It bears the name of no worker, and is no heartbeat: its time is the first of all.
    """
    WorkerHeartbeat.objects.update_or_create(
        worker=f"trial:{_machine()}"[:80], defaults={"queues": str(time.time_ns())[:80], "at": FIRST}
    )


def leave() -> None:
    """Take back that this process lives."""
    WorkerHeartbeat.objects.filter(worker=worker_name()).delete()


def beating() -> set[str]:
    """The workers that were heard of within the last minute."""
    recent = WorkerHeartbeat.objects.filter(at__gt=timezone.now() - SILENCE)
    return set(recent.values_list("worker", flat=True))


def lives(worker: str, heard: set[str]) -> bool:
    """Whether the worker lives: on this machine if its process runs, elsewhere if it was `heard` of.

    On SQLite a long transaction silences all heartbeats, so a process that can be seen is not judged by them.
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
    """The host, and the container on it: process ids mean something within one only."""
    try:
        container = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        container = ""
    return f"{socket.gethostname()[:40]}/{container}"


def began(pid: str) -> str:
    """When the process began, in ticks of the machine; empty if it is over, or the system does not tell."""
    try:
        # The name of the program stands in brackets and may itself hold some.
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return ""
    return "" if state in DEAD_STATES else fields[18]
