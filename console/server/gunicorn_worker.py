"""gunicorn's threaded worker, changed so that slow clients can't hold a thread.

The main loop receives requests and sends the rest of answers, for up to `MOST_CONNECTIONS` clients; a thread gets a
request when it is complete. Each step has a deadline, and if there are too many connections, the one that has kept the
server waiting longest is closed. Of the requests that are ready, those of the address with the fewest threads go
first, and no address gets all of them.
"""

import errno
import resource
import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from console import environment
from console.server.buffered import BufferedSocket

MOST_CONNECTIONS = 2_000
# In seconds: for the first byte and the rest of the head; for a body initially, extended by its size.
HEAD_WITHIN, BODY_WITHIN = 10.0, 20.0
BODY_BYTES_A_SECOND = 8 * 1024
# The longest pause, in seconds, before a client takes more of an answer.
SEND_WITHIN = 30.0
# How long a client may take, in seconds, to read its last answer before the connection is closed.
LINGER, LINGER_AT_MOST = 2.0, 30.0
BETWEEN_LOOKS = 0.5
# A larger body is not awaited in full: the application refuses it.
MOST_BODY = max(environment.number("CUSTODY_UPLOAD_LIMIT", 50 * 1024 * 1024), 16 * 1024 * 1024) + 1024 * 1024
# Requests that are still arriving may use this many bytes of temporary files in each process.
LARGE, MOST_KEPT = 1024 * 1024, 1024 * 1024 * 1024
# Threads that no single address can take.
KEPT_FREE = 2
PROXIES = environment.number("CUSTODY_PROXIES", 0)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_REFUSAL = b"HTTP/1.1 %b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"


def _refusal(status: bytes, sentence: bytes) -> bytes:
    return _REFUSAL % (status, len(sentence), sentence)


TOO_SLOW = _refusal(b"408 Request Timeout", b"The request came too slowly. Send it again.")
TOO_LONG = _refusal(b"431 Request Header Fields Too Large", b"The headers are too long. Send up to 128 kB.")


class Connection(TConn):
    """A client, and until when it may keep the server waiting."""

    def __init__(self, cfg: Any, raw: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, BufferedSocket(raw, MOST_BODY), client, server)
        self.data_ready = True
        self.source = ""
        self.deadline = self.at_latest = 0.0
        self.keeps_alive = False
        self.was_told_to_continue = False


class BufferingWorker(ThreadWorker):
    """Receives and sends in the main loop; threads only run the application."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # At its own limit gunicorn would stop accepting, and slow clients would keep fast ones out.
        self.most, self.worker_connections = MOST_CONNECTIONS, 10**9
        self.max_keepalived = MOST_CONNECTIONS
        self.waiting: dict[Connection, Callable[..., Any]] = {}
        self.ready: dict[str, deque[Connection]] = {}
        self.running: Counter[str] = Counter()
        self.looks_at = 0.0
        self.share = max(1, self.cfg.threads - KEPT_FREE)

    def init_process(self) -> None:
        """Allow as many open files as the connections need."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST_CONNECTIONS * 2 + 512
        if soft < wanted:
            limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
            self.most = min(self.most, max(50, (max(soft, limit) - 512) // 2))
        super().init_process()

    # Connections, in the main loop.

    def accept(self, listener: Any) -> None:
        """Accept a new connection, in place of the slowest one if there are too many."""
        try:
            raw, client = listener.accept()
        except OSError as error:
            # The client is already gone; or no file descriptor is left, and a connection must be closed.
            if error.errno in {errno.EMFILE, errno.ENFILE}:
                self._close_slowest()
            return
        if self.nr_conns >= self.most and not self._close_slowest():
            raw.close()
            return
        self.nr_conns += 1
        conn = Connection(self.cfg, raw, client, listener.getsockname())
        conn.sock.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) if raw.family != socket.AF_UNIX else None
        self._wait(conn, selectors.EVENT_READ, self._receive, HEAD_WITHIN)

    def _receive(self, conn: Connection) -> None:
        """Take what arrived; a complete request goes to the threads."""
        try:
            is_open = conn.sock.receive()
        except OSError:
            self._drop(conn)
            return
        framing = conn.sock.framing
        if framing.is_too_long:
            self._refuse(conn, TOO_LONG)
        elif framing.is_complete or conn.sock.received > MOST_BODY:
            self._enqueue(conn)
        elif not is_open:
            self._drop(conn)
        else:
            self._await_rest(conn)

    def _await_rest(self, conn: Connection) -> None:
        framing = conn.sock.framing
        if not framing.head:
            return
        if framing.expects_continue and not conn.was_told_to_continue:
            conn.was_told_to_continue = True
            conn.sock.sendall(CONTINUE)
        if not conn.at_latest:
            seconds = BODY_WITHIN + (framing.length or MOST_BODY) / BODY_BYTES_A_SECOND
            conn.at_latest = time.monotonic() + seconds
        conn.deadline = min(conn.at_latest, time.monotonic() + BODY_WITHIN)
        if conn.sock.received > LARGE:
            self._make_room()

    def _make_room(self) -> None:
        """Close the largest upload if together they would fill the disk."""
        if sum(each.sock.received for each in self.waiting) > MOST_KEPT:
            self._drop(max(self.waiting, key=lambda each: each.sock.received))

    def finish_request(self, conn: Connection, future: Any) -> None:
        """Send the rest of the answer; then await the next request, or close."""
        self.running[conn.source] -= 1
        try:
            # If a request was handed over before its end, the rest would be mistaken for another request.
            is_whole = conn.sock.framing.is_complete
            conn.keeps_alive = bool(not future.cancelled() and future.result()) and self.alive and is_whole
        except Exception:
            self.log.exception("A request ended with an error")
            conn.keeps_alive = False
        self._start_ready()
        self._send(conn)

    def _send(self, conn: Connection) -> None:
        try:
            taken = conn.sock.flush()
        except (OSError, ValueError):
            self._drop(conn)
            return
        if conn.sock.is_behind:
            if conn not in self.waiting:
                self._wait(conn, selectors.EVENT_WRITE, self._send, SEND_WITHIN)
            elif taken:
                conn.deadline = time.monotonic() + SEND_WITHIN
            return
        self._forget(conn)
        if not conn.keeps_alive:
            self._linger(conn)
            return
        self._await_next(conn)

    def _await_next(self, conn: Connection) -> None:
        conn.at_latest, conn.was_told_to_continue = 0.0, False
        conn.sock.next_request()
        within = HEAD_WITHIN if conn.sock.framing.has_begun else self.cfg.keepalive
        self._wait(conn, selectors.EVENT_READ, self._receive_next, within)
        if conn.sock.framing.is_complete:
            self._enqueue(conn)

    def _receive_next(self, conn: Connection) -> None:
        """Receive the first byte of another request on a kept connection, and set the deadline for its head."""
        self.waiting[conn] = self._receive
        self.poller.modify(conn.sock.raw, selectors.EVENT_READ, partial(self._happened, conn))
        conn.deadline = time.monotonic() + HEAD_WITHIN
        self._receive(conn)

    def _linger(self, conn: Connection) -> None:
        """Close without cutting the answer off (RFC 9112, section 9.6), and without waiting in this loop."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        conn.at_latest = time.monotonic() + LINGER_AT_MOST
        self._wait(conn, selectors.EVENT_READ, self._drain, LINGER)

    def _drain(self, conn: Connection) -> None:
        try:
            gone = not conn.sock.raw.recv(256 * 1024)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            gone = True
        if gone:
            self._drop(conn)
        else:
            conn.deadline = min(conn.at_latest, time.monotonic() + LINGER)

    # Threads.

    def _enqueue(self, conn: Connection) -> None:
        self._forget(conn)
        conn.sock.begin()
        conn.source = self._source(conn)
        self.ready.setdefault(conn.source, deque()).append(conn)
        self._start_ready()

    def _start_ready(self) -> None:
        """Hand requests to free threads: first those of the address with the fewest, and none beyond its share."""
        while self.ready and self.running.total() < self.cfg.threads:
            source = min(self.ready, key=lambda each: self.running[each])
            if self.running[source] >= self.share:
                return
            queue = self.ready[source]
            conn = queue.popleft()
            if not queue:
                del self.ready[source]
            self.running += Counter()
            self.running[source] += 1
            self.enqueue_req(conn)

    def _source(self, conn: Connection) -> str:
        """Return who asks: the client's address, or the one that the outermost of our proxies reports."""
        address = conn.client[0] if isinstance(conn.client, tuple) else ""
        if not PROXIES:
            return str(address)
        said: list[str] = []
        for line in conn.sock.framing.head.split(b"\n")[1:]:
            name, _colon, value = line.partition(b":")
            if name.strip().lower() == b"x-forwarded-for":
                said += [part.strip() for part in value.decode("latin-1").split(",")]
        return said[-PROXIES] if len(said) >= PROXIES else str(address)

    # Waiting.

    def _wait(self, conn: Connection, events: int, then: Callable[..., Any], within: float) -> None:
        conn.deadline = time.monotonic() + within
        self.waiting[conn] = then
        self.poller.register(conn.sock.raw, events, partial(self._happened, conn))

    def _happened(self, conn: Connection, _fileobj: Any) -> None:
        then = self.waiting.get(conn)
        if then is not None:
            then(conn)

    def _forget(self, conn: Connection) -> None:
        if self.waiting.pop(conn, None) is not None:
            self.poller.unregister(conn.sock.raw)

    def _drop(self, conn: Connection) -> None:
        self._forget(conn)
        self.nr_conns -= 1
        conn.sock.close()

    def _close_slowest(self) -> bool:
        """Close the connection that has kept the loop waiting longest. Returns False if threads hold all of them."""
        # They are in the order in which they began to wait.
        slowest = next(iter(self.waiting), None)
        if slowest is not None:
            self._drop(slowest)
        return slowest is not None

    def murder_pending(self) -> None:
        """Close connections whose deadline has passed; a client that has begun a request gets the reason."""
        now = time.monotonic()
        if now < self.looks_at:
            return
        self.looks_at = now + BETWEEN_LOOKS
        for conn in [each for each in self.waiting if each.deadline <= now]:
            if self.waiting[conn] == self._receive and conn.sock.framing.has_begun:
                self._refuse(conn, TOO_SLOW)
            else:
                self._drop(conn)

    def _refuse(self, conn: Connection, answer: bytes) -> None:
        self._forget(conn)
        conn.keeps_alive = False
        try:
            conn.sock.sendall(answer)
        except OSError:
            self._drop(conn)
            return
        self._send(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        """Close all open connections when the worker ends."""
        for conn in list(self.waiting) if force else ():
            self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """Do not wait, in a stopping worker, for requests that have not begun."""
        for conn in [each for each in self.waiting if not each.sock.framing.has_begun]:
            conn.deadline = min(conn.deadline, deadline)
