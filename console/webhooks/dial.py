"""The connection to a receiver: to the address that was checked, and to no other.

It follows no redirects and uses no proxy. The certificate is checked against the name in the webhook's address.
"""

import http.client
import io
import math
import socket
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from console.errors import Refused
from console.webhooks import addresses
from console.webhooks.addresses import Address, Resolver, Target

CONNECT_WITHIN, ANSWER_WITHIN = 5.0, 15.0
READ_AT_MOST, KEPT = 64 * 1024, 1024
DAY = 24 * 60 * 60


@dataclass(frozen=True)
class Answer:
    """The result of a call: a status, or the error in its place.

    `refused` means that nothing was dialled; `retry_after` is how many seconds the receiver asks to be left alone.
    """

    status: int | None
    milliseconds: int
    error: str = ""
    text: str = ""
    refused: bool = False
    retry_after: int = 0

    @property
    def is_success(self) -> bool:
        """Whether the receiver accepted the call."""
        return self.status is not None and 200 <= self.status < 300


class Line:
    """A connection to one receiver that is kept open between calls. Each new connection resolves and checks again."""

    def __init__(self, url: str, resolve: Resolver | None = None) -> None:
        self.url, self.resolve = url, resolve
        self.connection: http.client.HTTPConnection | None = None

    def post(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Send one call and read the answer. Never raises, whatever a receiver or a network does."""
        began = time.monotonic()
        until = began + ANSWER_WITHIN
        try:
            target = addresses.parse(self.url)
            is_old = self.connection is not None
            try:
                response = self._ask(target, body, headers, until)
            except (http.client.RemoteDisconnected, ConnectionError):
                # The receiver closed the connection between two calls, as it may: not a failure yet.
                if not is_old:
                    raise
                self.close()
                response = self._ask(target, body, headers, until)
            text = self._read(response)
        except Refused as refusal:
            self.close()
            return Answer(None, _since(began), refusal.sentence, refused=True)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            return Answer(None, _since(began), _say(error))
        asked = retry_after(response.headers.get("Retry-After", "")) if response.status >= 400 else 0
        return Answer(response.status, _since(began), _wrong(response.status), text, retry_after=asked)

    def close(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _ask(self, target: Target, body: bytes, headers: dict[str, str], until: float) -> http.client.HTTPResponse:
        if self.connection is None:
            self.connection = _connect(target, addresses.allowed(target, self.resolve or addresses.look_up))
        self.connection.sock.settimeout(max(0.01, until - time.monotonic()))
        self.connection.response_class = lambda sock, *a, **k: http.client.HTTPResponse(  # type: ignore[assignment]
            _Timed(sock, until),  # type: ignore[arg-type]
            *a,
            **k,
        )
        sent = {"Host": target.authority, "Accept-Encoding": "identity", **headers}
        self.connection.request("POST", target.path, body=body, headers=sent)
        return self.connection.getresponse()

    def _read(self, response: http.client.HTTPResponse) -> str:
        found = response.read(READ_AT_MOST)
        if not response.isclosed() or response.will_close:
            self.close()
        return found[:KEPT].decode("utf-8", "replace").replace("\0", "�")


def retry_after(value: str) -> int:
    """Return the seconds of a Retry-After header, number or date, up to a day; else 0 (RFC 9110, 10.2.3)."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), DAY)
    try:
        at = parsedate_to_datetime(text)
        return min(max(math.ceil((at - timezone.now()).total_seconds()), 0), DAY)
    except (ValueError, TypeError, OverflowError):
        return 0


class _Timed:
    """A read-only socket with a deadline: a receiver that answers byte by byte does not hold the line any longer."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self.sock, self.until = sock, until

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return the file that http.client reads from."""
        return io.BufferedReader(_Raw(self.sock, self.until))


class _Raw(io.RawIOBase):
    def __init__(self, sock: socket.socket, until: float) -> None:
        # The file keeps the socket open until it is closed itself, even if http.client closes the socket first.
        self.sock, self.file, self.until = sock, sock.makefile("rb", buffering=0), until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)
        return self.file.readinto(buffer)

    def close(self) -> None:
        self.file.close()
        super().close()


def _connect(target: Target, found: list[Address]) -> http.client.HTTPConnection:
    """Return a connection over a socket to one of the checked addresses; http.client itself never dials."""
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.auto_open = 0
    sock = _dial(found, target.port)
    if target.scheme == "https":
        try:
            sock = _context().wrap_socket(sock, server_hostname=target.host)
        except BaseException:
            sock.close()
            raise
    connection.sock = sock
    return connection


def _dial(found: list[Address], port: int) -> socket.socket:
    until, last = time.monotonic() + CONNECT_WITHIN, OSError()
    for address in found:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(max(0.01, until - time.monotonic()))
        try:
            sock.connect((str(address), port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            last = error
        else:
            return sock
    raise last


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _wrong(status: int) -> str:
    """Return what is wrong with an answer, or an empty string if it is accepted."""
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return _("The receiver redirected; redirects aren't followed.")
    return _("The receiver answered %(status)d.") % {"status": status}


def _say(error: Exception) -> str:
    """Describe the error in words that do not depend on the machine."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _("The certificate isn't valid: %(why)s.") % {"why": error.verify_message or "unknown"}
    if isinstance(error, ssl.SSLError):
        return _("TLS with the receiver failed.")
    if isinstance(error, TimeoutError):
        return _("No answer within %(n)d seconds.") % {"n": ANSWER_WITHIN}
    if isinstance(error, ConnectionRefusedError):
        return _("The receiver refused the connection.")
    if isinstance(error, OSError):
        return _("The connection failed or was interrupted.")
    return _("The receiver's response isn't HTTP.")
