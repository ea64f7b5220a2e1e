"""The product's own server, as `manage.py serve` starts it."""

import contextlib
import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator

from django.db import connection

from console.server import supervisor as serve

PATIENCE = 60


@contextlib.contextmanager
def running() -> Iterator[int]:
    """Start the server on a free port, with the product's settings only; yield the port, and stop the server."""
    port = _free_port()
    connection.close()
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "console.settings", "PORT": str(port)}
    process = subprocess.Popen(serve.gunicorn(f"127.0.0.1:{port}"), env=environment)
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port: int, process: subprocess.Popen) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError):
            client = http.client.HTTPConnection("localhost", port, timeout=5)
            client.request("GET", "/healthz")
            if client.getresponse().status < 500:
                return
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit("The server did not start.")
        time.sleep(0.1)
