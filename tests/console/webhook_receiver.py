"""A receiver on this machine that verifies what arrives with the official library of Standard Webhooks."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

LOCAL = [ip_network("127.0.0.0/8")]


class Receiver(ThreadingHTTPServer):
    """Answers each call with the next of `answers`, or 200; keeps what came, verified or not."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.secret = ""
        self.answers: list[int] = []
        self.headers: dict[str, str] = {}
        self.calls: list[tuple[str, Any, dict[str, str], bytes]] = []
        self.refused = 0
        self.connections = 0
        self.url = f"http://127.0.0.1:{self.server_port}/hooks"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def get_request(self) -> Any:
        self.connections += 1
        return super().get_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that was killed is no news."""

    @property
    def ids(self) -> list[str]:
        """The ids of the calls that were verified, in the order of their coming."""
        return [call[0] for call in self.calls]

    @property
    def told(self) -> list[Any]:
        """What they told."""
        return [call[1] for call in self.calls]


class Handler(BaseHTTPRequestHandler):
    """Verifies one call."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Receiver

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            # Its caller was killed half way.
            return
        status = 200
        if self.server.secret:
            try:
                told = Verifier(self.server.secret).verify(body, dict(self.headers))
            except WebhookVerificationError:
                self.server.refused += 1
                status = 401
            else:
                status = self.server.answers.pop(0) if self.server.answers else 200
                self.server.calls.append((self.headers["webhook-id"], told, dict(self.headers), body))
        self.send_response(status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""
