"""Finds where a request ends in the bytes that a client sends (RFC 9112, sections 2 and 6).

gunicorn parses and validates the request. This only detects that it is complete, so that no thread waits for the rest.
"""

import re

# gunicorn allows 100 fields of 8 kB each; no real client sends that much.
MOST_HEAD = 128 * 1024
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:.*chunked[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_EXPECT = re.compile(rb"^expect:[ \t]*100-continue[ \t]*\r?\n", re.IGNORECASE | re.MULTILINE)
_CONNECTION = re.compile(rb"^connection:.*\n", re.IGNORECASE | re.MULTILINE)
_END = re.compile(rb"\r?\n\r?\n")


class Framing:
    """Follows the bytes of one request.

    `head` is the request line with the fields, once they have arrived; `length` is the declared Content-Length. A
    request that declares more than `most` bytes is handed over without them, as the last one of its connection.
    """

    def __init__(self, most: int = 2**63) -> None:
        self.most = most
        self.head = b""
        self.length = 0
        self.expects_continue = False
        self.is_complete = False
        self.is_too_long = False
        self._start = bytearray()
        self._chunks: _Chunks | None = None
        self._left = 0

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Take the next bytes. Returns those that belong to this request, and those that belong to the next one."""
        if self.is_complete:
            return b"", data
        if self.head:
            return self._body(data)
        looked_at = max(0, len(self._start) - 3)
        self._start += data
        end = _END.search(self._start, looked_at)
        if end is None and len(self._start) <= MOST_HEAD:
            return b"", b""
        if end is None:
            self.is_too_long = True
            return b"", b""
        rest = bytes(self._start[end.end() :])
        self._read_head(bytes(self._start[: end.end()]))
        own, later = self._body(rest)
        return self.head + own, later

    @property
    def has_begun(self) -> bool:
        """Whether any byte of the request has arrived."""
        return bool(self._start)

    def _read_head(self, head: bytes) -> None:
        # The interim answer is sent while the body is awaited, so the application must not send it again.
        self.head, expectations = _EXPECT.subn(b"", head)
        length = _LENGTH.search(head)
        self.length = self._left = int(length[1]) if length else 0
        if _CHUNKED.search(head):
            self._chunks, self.length = _Chunks(), 0
        if self.length > self.most:
            first, _end, fields = _CONNECTION.sub(b"", self.head).partition(b"\n")
            self.head = first + b"\nConnection: close\r\n" + fields
        self.expects_continue = bool(expectations) and (self.length > 0 or self._chunks is not None)

    def _body(self, data: bytes) -> tuple[bytes, bytes]:
        if self._chunks is not None:
            used = self._chunks.feed(data)
            self.is_complete = self._chunks.is_over
            return data[:used], data[used:]
        own, later = data[: self._left], data[self._left :]
        self._left -= len(own)
        self.is_complete = self._left == 0
        return own, later


class _Chunks:
    """Finds the end of a chunked body (RFC 9112, section 7.1)."""

    def __init__(self) -> None:
        self.is_over = False
        self._line = bytearray()
        self._left = 0
        self._is_last = False

    def feed(self, data: bytes) -> int:
        """Take the next bytes. Returns how many of them belong to the body."""
        at = 0
        while at < len(data) and not self.is_over:
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                continue
            end = data.find(b"\n", at)
            stop = len(data) if end < 0 else end + 1
            self._line += data[at:stop]
            at = stop
            if end >= 0 or len(self._line) > MOST_HEAD:
                self._take_line(bytes(self._line).strip())
                self._line.clear()
        return at

    def _take_line(self, line: bytes) -> None:
        if self._is_last:
            # Trailers, up to an empty line.
            self.is_over = not line
            return
        try:
            size = int(line.partition(b";")[0].strip(), 16)
        except ValueError:
            # Malformed: the application reports it.
            self.is_over = True
            return
        self._is_last = size == 0
        # The data and the line break after it.
        self._left = size + 2 if size > 0 else 0
        self.is_over = size < 0
