"""Clients, each a process without Django, that send one request after the other."""

import http.client
import multiprocessing
import time
from typing import Any

WARM = 20


def per_second(
    port: int, clients: int, seconds: float, method: str, path: str, body: str | None, headers: dict[str, str]
) -> float:
    """Return how many requests a second are answered to that many clients at once."""
    context = multiprocessing.get_context("spawn")
    queue, barrier = context.Queue(), context.Barrier(clients)
    arguments = (port, method, path, body, headers, seconds, barrier, queue)
    processes = [context.Process(target=press, args=arguments, daemon=True) for _client in range(clients)]
    for process in processes:
        process.start()
    total = sum(queue.get(timeout=60) for _process in processes)
    for process in processes:
        process.join(30)
    return total / seconds


def press(
    port: int,
    method: str,
    path: str,
    body: str | None,
    headers: dict[str, str],
    seconds: float,
    barrier: Any,
    queue: Any,
) -> None:
    """Send until the time is over, and report how many requests were answered."""
    client = http.client.HTTPConnection("localhost", port, timeout=30)
    for _time in range(WARM):
        send(client, method, path, body, headers)
    barrier.wait(60)
    count, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        send(client, method, path, body, headers)
        count += 1
    queue.put(count)


def send(client: http.client.HTTPConnection, method: str, path: str, body: str | None, headers: dict[str, str]) -> None:
    """Send one request, which must succeed."""
    client.request(method, path, body, headers)
    answer = client.getresponse()
    text = answer.read()
    assert answer.status < 300, (answer.status, text[:200])
