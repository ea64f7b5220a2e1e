"""Eight browsers, each a process without Django, that claim as fast as they are answered."""

import http.client
import multiprocessing
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

PATIENCE = 300
# Each client loads this many pages before the clock starts, so that the server is warm.
WARM = 10


@dataclass
class Result:
    """The result: how many claims in how many seconds, the time of each, and the answers that were not claims."""

    claims: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def run(
    port: int,
    orders: list[list[str]],
    path: str,
    warm: str,
    session: str,
    csrf: str,
    secret: str,
    fields: dict[str, str],
) -> Result:
    """Let one process for each list post with its sessions, all starting at the same time, after a warm-up."""
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(len(orders)), context.Queue()
    body = urlencode(fields | {"csrfmiddlewaretoken": secret})
    arguments = [(port, order, path, warm, f"{csrf}={secret}; {session}=", body, barrier, queue) for order in orders]
    processes = [context.Process(target=_post_all, args=each, daemon=True) for each in arguments]
    for process in processes:
        process.start()
    found = [queue.get(timeout=PATIENCE) for _process in processes]
    for process in processes:
        process.join(PATIENCE)
    result = Result(seconds=max(end for _b, end, _t, _f in found) - min(begin for begin, _e, _t, _f in found))
    for _begin, _end, times, failures in found:
        result.claims += len(times)
        result.latencies += times
        result.failures += failures
    return result


def _post_all(
    port: int, order: list[str], path: str, warm: str, cookies: str, body: str, barrier: Any, queue: Any
) -> None:
    connection = http.client.HTTPConnection("localhost", port, timeout=60)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    times, failures = [], []
    for session in order[:WARM]:
        connection.request("GET", warm, headers={"Cookie": cookies + session})
        connection.getresponse().read()
    barrier.wait(60)
    begin = time.monotonic()
    for session in order:
        start = time.perf_counter()
        connection.request("POST", path, body, headers | {"Cookie": cookies + session})
        response = connection.getresponse()
        text = response.read()
        taken = time.perf_counter() - start
        if response.status == 303 and "/c/done/" in response.headers.get("Location", ""):
            times.append(taken)
        else:
            failures.append(f"{response.status} {response.headers.get('Location')} {text[-300:]!r}")
    queue.put((begin, time.monotonic(), times, failures))


def scan_all(port: int, path: str, cookies: str, secret: str, serials: list[str], barrier: Any, queue: Any) -> None:
    """Send what a scanner sends: one serial number after the other, each answered before the next."""
    connection = http.client.HTTPConnection("localhost", port, timeout=60)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "HX-Request": "true",
        "HX-Target": "bench",
        "Cookie": cookies,
    }
    for _time in range(WARM):
        connection.request("GET", path, headers=headers)
        connection.getresponse().read()
    barrier.wait(60)
    times, failures = [], []
    for serial in serials:
        body = urlencode({"scan": serial, "csrfmiddlewaretoken": secret})
        start = time.perf_counter()
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        text = response.read().decode()
        times.append(time.perf_counter() - start)
        if response.status != 200 or f"{serial} added" not in text:
            failures.append(f"{response.status} {serial} {text[:300]}")
    queue.put((times, failures))
