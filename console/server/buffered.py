"""A connection whose request is complete before a thread sees it, and whose answer the thread need not wait for."""

import select
import socket
import time
from tempfile import SpooledTemporaryFile
from typing import IO

from console.server.framing import Framing

AT_ONCE = 256 * 1024
# This much of a request and of an answer is kept in memory; the rest goes to a temporary file.
IN_MEMORY = 256 * 1024
# An answer that is further ahead of its reader than this makes its thread wait.
MOST_AHEAD = 64 * 1024 * 1024
# A reader for whom a thread waits must take at least this many bytes in this many seconds.
LEAST_TAKEN, STALL = 64 * 1024, 20.0


class BufferedSocket:
    """Replaces a client's socket: reads from what was received, and writes without waiting.

    gunicorn's threads read and write through it; its main loop fills and empties it. The two never do so at the
    same time: a connection is either with a thread or with the loop.
    """

    def __init__(self, raw: socket.socket, most_body: int = 2**63) -> None:
        self.raw, self.most_body = raw, most_body
        raw.setblocking(False)
        self.framing = Framing(most_body)
        self.received = 0
        self._incoming: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 -- closed with the connection
        self._later = b""
        self._outgoing: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        self._written = self._sent = 0

    # Called by the main loop.

    def receive(self) -> bool:
        """Receive without waiting. Returns False if the client has closed its side."""
        try:
            data = self.raw.recv(AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return True
        self._take(data)
        return bool(data)

    def next_request(self) -> None:
        """Drop the answered request, and start with what has already arrived of the next one."""
        later, self._later = self._later, b""
        self.framing, self.received = Framing(self.most_body), 0
        self._incoming.seek(0)
        self._incoming.truncate()
        self._take(later)

    def begin(self) -> None:
        """Hand the request over: the next reader starts at its first byte."""
        self._incoming.seek(0)

    def flush(self) -> int:
        """Send without waiting, and return how many bytes the client took. Raises OSError if it is gone."""
        taken = 0
        while self.is_behind:
            self._outgoing.seek(self._sent)
            step = self._send(memoryview(self._outgoing.read(AT_ONCE)))
            if not step:
                break
            self._sent += step
            taken += step
        if not self.is_behind and self._written:
            self._outgoing.seek(0)
            self._outgoing.truncate()
            self._written = self._sent = 0
        return taken

    @property
    def is_behind(self) -> bool:
        """Whether the client has not yet taken everything that was written."""
        return self._sent < self._written

    # Called by a thread, as on a socket.

    def recv(self, size: int) -> bytes:
        """Return the next bytes of the request; none after its end, so no thread waits for a client."""
        return self._incoming.read(size)

    def sendall(self, data: bytes) -> None:
        """Send, or keep the data for the main loop to send. Waits only for a reader who is far behind."""
        self.flush()
        rest = memoryview(data)
        if not self.is_behind:
            rest = rest[self._send(rest) :]
        if rest:
            self._outgoing.seek(self._written)
            self._outgoing.write(rest)
            self._written += len(rest)
        if self._written - self._sent > MOST_AHEAD:
            self._wait_for_reader()

    def send(self, data: bytes) -> int:
        """Send like `sendall`, and return the length."""
        self.sendall(data)
        return len(data)

    def fileno(self) -> int:
        return self.raw.fileno()

    def getsockname(self) -> object:
        return self.raw.getsockname()

    def setblocking(self, flag: bool) -> None:
        """Do nothing: it never blocks, whatever gunicorn asks for."""

    def settimeout(self, value: float | None) -> None:
        """Do nothing: it never blocks, whatever gunicorn asks for."""

    def gettimeout(self) -> float | None:
        return 0.0

    def shutdown(self, how: int) -> None:
        self.raw.shutdown(how)

    def close(self) -> None:
        """Close the connection and discard its buffers."""
        self._incoming.close()
        self._outgoing.close()
        self.raw.close()

    def _take(self, data: bytes) -> None:
        own, self._later = self.framing.feed(data)
        if own:
            self._incoming.seek(0, 2)
            self._incoming.write(own)
            self.received += len(own)

    def _send(self, data: memoryview) -> int:
        try:
            return self.raw.send(data) if data else 0
        except (BlockingIOError, InterruptedError):
            return 0

    def _wait_for_reader(self) -> None:
        """Wait until the reader has caught up enough. Raises TimeoutError for one that takes next to nothing."""
        until, taken = time.monotonic() + STALL, 0
        while self._written - self._sent > MOST_AHEAD // 2:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("The client reads too slowly.")
            select.select([], [self.raw], [], left)
            taken += self.flush()
            if taken >= LEAST_TAKEN:
                until, taken = time.monotonic() + STALL, 0
