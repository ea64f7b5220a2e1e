"""Runs the server and its workers for `manage.py serve`.

It starts gunicorn and three workers as children, restarts those that die, and stops them all when it stops.
"""

import ctypes
import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import connection

from console import environment
from console.server import predecessor
from console.server.greeting import greeting

log = logging.getLogger("custody.serve")
MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]
QUEUES = ["mail", "operations", "webhooks"]
# In seconds.
BETWEEN_LOOKS = 0.1
ANSWER_WITHIN = 60
STOP_WITHIN = 8
SHORT_LIFE = 20
LONGEST_PAUSE = 30
PR_SET_PDEATHSIG = 1


def bind() -> str:
    """Return where the server listens: CUSTODY_BIND (an address, or unix:/path) and PORT."""
    address = environment.text("CUSTODY_BIND", "127.0.0.1")
    if address.startswith("unix:"):
        return address
    return f"[{address.strip('[]')}]:{settings.PORT}" if ":" in address else f"{address}:{settings.PORT}"


def notes() -> Path:
    """Return the file where the supervisor of this port records its processes."""
    return settings.DATA_DIR / "run" / f"serve-{settings.PORT}"


def probe(where: str) -> None:
    """Raise OSError if the server can't listen, because another process does or it may not."""
    if where.startswith("unix:"):
        return
    host, _sep, port = where.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host.strip("[]"), int(port)))


def gunicorn(where: str) -> list[str]:
    """Return the command that starts the server. Its access log stays off, because URLs contain claim codes."""
    folder = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "console.wsgi:application",
        f"--bind={where}",
        "--preload",
        f"--pythonpath={settings.BASE_DIR}",
        "--worker-class=console.server.gunicorn_worker.BufferingWorker",
        "--no-sendfile",
        "--workers=2",
        "--threads=8",
        "--keep-alive=60",
        "--timeout=60",
        f"--graceful-timeout={STOP_WITHIN - 3}",
        "--log-level=warning",
        "--no-control-socket",
        "--logger-class=console.server.log.ServerLogger",
        *([f"--worker-tmp-dir={folder}"] if folder else []),
    ]


def worker(queue: str) -> list[str]:
    """Return the command that starts the worker of a queue."""
    return [*MANAGE, "worker", f"--queue={queue}", "--skip-checks"]


@dataclass
class Child:
    """A process that is kept alive."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    not_before: float = 0.0

    def start(self) -> None:
        """Start it in its own process group, so that Ctrl-C reaches only the supervisor, which stops it in order."""
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            process_group=0,
            preexec_fn=_dies_with(os.getpid()),  # noqa: PLW1509 -- this process has no threads
        )

    def keep_alive(self) -> None:
        """Restart it if it died; if it lived only briefly, after a pause that grows."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self.deaths = self.deaths + 1 if now - self.started < SHORT_LIFE else 0
            self.not_before = now + min(LONGEST_PAUSE, 2**self.deaths - 1)
            log.error("%s ended with status %s and is restarted", self.name, self.process.returncode)
            self.process = None
        if self.process is None and now >= self.not_before:
            self.start()

    def signal_group(self, number: int) -> None:
        """Send a signal to it and to the processes that it started."""
        try:
            if self.process is not None:
                os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass


@dataclass
class Supervisor:
    """Runs the children until a signal arrives."""

    children: list[Child] = field(default_factory=list)
    signals: int = 0
    # Where it records its processes, for its successor.
    notes: Path | None = None
    _noted: list[int] = field(default_factory=list)

    def listen(self) -> None:
        """Stop at the usual signals. A supervisor started with nohup outlives its terminal."""
        signal.signal(signal.SIGINT, self.hear)
        signal.signal(signal.SIGTERM, self.hear)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self.hear)

    def hear(self, number: int, frame: FrameType | None) -> None:
        self.signals += 1

    def add(self, name: str, command: list[str]) -> Child:
        """Start a child and keep it alive from now on."""
        child = Child(name, command)
        self.children.append(child)
        child.start()
        self.note()
        return child

    def note(self) -> None:
        """Record which processes are running, if that has changed."""
        pids = [child.process.pid for child in self.children if child.process is not None]
        if self.notes is not None and pids != self._noted:
            predecessor.note(self.notes, pids)
            self._noted = pids

    def wait(self) -> None:
        """Keep the children alive until a signal arrives."""
        while not self.signals:
            for child in self.children:
                child.keep_alive()
            self.note()
            time.sleep(BETWEEN_LOOKS)

    def stop(self) -> None:
        """Ask all children to end; kill those that take too long, or all of them at a second signal."""
        living = [(child, child.process) for child in self.children if child.process is not None]
        for _child, process in living:
            process.terminate()
        until, signals = time.monotonic() + STOP_WITHIN, self.signals
        while any(process.poll() is None for _child, process in living):
            if time.monotonic() > until or self.signals > signals:
                break
            time.sleep(BETWEEN_LOOKS)
        for child, process in living:
            child.signal_group(signal.SIGKILL)
            process.wait()
        if self.notes is not None:
            predecessor.forget(self.notes)


def _dies_with(parent: int) -> Callable[[], None] | None:
    """Return the function that a child calls first, to be ended when `parent` is killed. Linux only."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def call() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return call


def answers(where: str, child: Child, supervisor: Supervisor) -> bool:
    """Wait until the server answers. Returns False if it ends, a signal arrives, or a minute passes."""
    until = time.monotonic() + ANSWER_WITHIN
    while time.monotonic() < until and not supervisor.signals:
        if child.process is None or child.process.poll() is not None:
            return False
        if _responds(where):
            return True
        time.sleep(BETWEEN_LOOKS / 2)
    return False


def _responds(where: str) -> bool:
    if where.startswith("unix:"):
        return Path(where.removeprefix("unix:")).exists()
    host = where.rpartition(":")[0].strip("[]")
    local = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    server = http.client.HTTPConnection(local, settings.PORT, timeout=5)
    try:
        server.request("GET", "/healthz", headers={"Host": settings.ALLOWED_HOSTS[0]})
        return server.getresponse().status < 500
    except OSError:
        return False
    finally:
        server.close()


def run(say: Callable[[str], Any], extra: str = "", also: dict[str, list[str]] | None = None) -> bool:
    """Start everything, say how to sign in, and keep running until a signal arrives.

    `also` are further commands of manage.py, by their names. Returns False if the server can't start.
    """
    where, supervisor = bind(), Supervisor(notes=notes())
    supervisor.listen()
    try:
        server = supervisor.add("the server", gunicorn(where))
        if not answers(where, server, supervisor):
            return bool(supervisor.signals)
        for queue in QUEUES:
            supervisor.add(f"the {queue} worker", worker(queue))
        for name, command in (also or {}).items():
            supervisor.add(name, [*MANAGE, *command])
        say("\n".join(filter(None, [greeting(), extra, "\nStop it with Ctrl-C.\n"])))
        connection.close()
        supervisor.wait()
    finally:
        supervisor.stop()
    return True
