"""No client keeps the others waiting, however slowly it sends or reads, and nothing that is sent is cut or mixed up."""

import hashlib
import http.client
import io
import os
import random
import socket
import subprocess
import sys
import time

import pytest
from django.conf import settings

from console.server.framing import Framing
from tests.console.server.test_serve import free_port
from tests.server_app import MUCH
from tests.waiting import PATIENCE, until

EMPTY = hashlib.sha256(b"").hexdigest()
MANY = 12
# gunicorn's own worker would answer at once if it could; a busy machine only makes the control's wait longer.
LONG_ENOUGH = 2


class Server:
    """The application of these tests on four threads of one process."""

    def __init__(self, folder, *arguments):
        self.port, self.gate = free_port(), folder / "gate"
        self.gate.touch()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.server_app", str(self.port), *arguments],
            cwd=settings.BASE_DIR,
            env={"PATH": os.environ["PATH"], "GATE": str(self.gate), "PYTHONPATH": str(settings.BASE_DIR)},
        )
        until(self._listens)

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def connect(self, source="127.0.0.1"):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE, source_address=(source, 0))

    def sends(self, data, source="127.0.0.1"):
        connection = self.connect(source)
        connection.sendall(data)
        return connection

    def answers(self, timeout=PATIENCE, source="127.0.0.1", headers=None):
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout, source_address=(source, 0))
        try:
            client.request("GET", "/", headers=headers or {})
            return client.getresponse().read().decode() == EMPTY
        except TimeoutError:
            return False
        finally:
            client.close()

    def end(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def serve(tmp_path):
    servers = []

    def start(*arguments):
        servers.append(Server(tmp_path, *arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.end()


SLOW = {
    "head": b"GET / HTTP/1.1\r\nHost: x\r\n",
    "body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
    "chunks": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
}


@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW)
def test_many_who_send_slowly_keep_nobody_waiting(serve, slow):
    server = serve()
    held = [server.sends(slow) for _each in range(MANY)]
    assert server.answers()
    assert len(held) == MANY


def test_the_control_sees_that_they_would(serve):
    server = serve("--plain")
    held = [server.sends(SLOW["head"]) for _each in range(MANY)]
    assert not server.answers(timeout=LONG_ENOUGH)
    assert len(held) == MANY


def _slow_reader(server):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return connection


def test_many_who_read_slowly_keep_nobody_waiting_and_get_all_of_it(serve):
    server = serve()
    held = [_slow_reader(server) for _each in range(MANY)]
    assert server.answers()
    answer = http.client.HTTPResponse(held[0])
    answer.begin()
    assert len(answer.read()) == MUCH


def test_the_control_sees_that_slow_readers_would(serve):
    server = serve("--plain")
    held = [_slow_reader(server) for _each in range(MANY)]
    time.sleep(LONG_ENOUGH)
    assert not server.answers(timeout=LONG_ENOUGH)
    assert len(held) == MANY


def test_where_there_are_too_many_connections_the_one_that_waits_longest_goes(serve):
    server = serve("MOST_CONNECTIONS=20")
    idle = [server.connect() for _each in range(60)]
    assert server.answers()
    assert idle[0].recv(1) == b""


def test_a_request_that_does_not_come_is_told_so(serve):
    server = serve("HEAD_WITHIN=0.5", "BODY_WITHIN=0.5")
    assert server.sends(SLOW["head"]).recv(1000).startswith(b"HTTP/1.1 408 ")
    assert server.sends(SLOW["body"]).recv(1000).startswith(b"HTTP/1.1 408 ")
    assert server.connect().recv(1000) == b""


def test_one_address_does_not_take_all_threads(serve):
    server = serve()
    held = [server.sends(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n") for _each in range(MANY)]
    assert server.answers(source="127.0.0.2")
    server.gate.unlink()
    assert all(each.recv(100).startswith(b"HTTP/1.1 200 ") for each in held)


def test_the_control_sees_that_it_would(serve):
    server = serve("KEPT_FREE=0")
    held = [server.sends(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n") for _each in range(MANY)]
    assert not server.answers(timeout=LONG_ENOUGH, source="127.0.0.2")
    assert len(held) == MANY


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_names(serve):
    server = serve("PROXIES=1")
    busy = b"GET /wait HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.%d, 203.0.113.7\r\n\r\n"
    held = [server.sends(busy % number) for number in range(MANY)]
    assert server.answers(headers={"X-Forwarded-For": "203.0.113.8"})
    assert not server.answers(timeout=LONG_ENOUGH, headers={"X-Forwarded-For": "198.51.100.9, 203.0.113.7"})
    assert len(held) == MANY


def test_bodies_come_whole_however_they_are_cut(serve):
    server, chance = serve(), random.Random(2611)
    body = chance.randbytes(700_000)
    chunked = (
        b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in _cut(body, chance, 60_000))
        + b"0\r\nX-T: 1\r\n\r\n"
    )
    requests = [
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body),
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
    # All on one connection, none waiting for the answer before.
    with server.connect() as connection:
        for part in _cut(b"".join(requests), chance, 90_000):
            connection.sendall(part)
        # A `wsgi.input` that gunicorn unchunks gives the body; Django's own way with it is tested elsewhere.
        answers = _Answers(connection.makefile("rb", buffering=0))
        found = [answers.read_one() for _request in requests]
    assert found == [hashlib.sha256(body).hexdigest()] * 2 + [EMPTY]


def _cut(data, chance, most):
    at = 0
    while at < len(data):
        step = chance.randint(1, most)
        yield data[at : at + step]
        at += step


class _Answers(io.BufferedReader):
    """The answers on one connection. What is read ahead of the next answer while one is read is kept for it."""

    def makefile(self, mode):
        return self

    def close(self):
        """Stay open: an answer closes its file when it has been read."""

    def read_one(self):
        answer = http.client.HTTPResponse(self)
        answer.begin()
        return answer.read().decode()


def test_answers_that_come_at_once_are_read_one_after_the_other():
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none" + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo"
    answers = _Answers(io.BytesIO(said))
    assert [answers.read_one(), answers.read_one()] == ["one", "two"]


def test_a_client_that_expects_100_continue_gets_it_once(serve):
    server = serve()
    connection = server.sends(
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
    )
    assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(b"abc")
    said = b"".join(iter(lambda: connection.recv(1000), b""))
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert said.endswith(hashlib.sha256(b"abc").hexdigest().encode())


def test_a_body_that_is_too_large_is_answered_before_all_of_it_is_sent_and_the_answer_is_not_cut(serve):
    server = serve("MOST_BODY=1000")
    connection = server.sends(b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n" + bytes(2000))
    said = b""
    while not said.endswith(b"not read"):
        said += connection.recv(1000)
    assert b"\r\nConnection: close\r\n" in said
    # Who goes on sending still finds the answer, not a reset.
    connection.sendall(bytes(2_000_000))
    connection.shutdown(socket.SHUT_WR)
    assert connection.recv(1000) == b""


def test_uploads_that_would_fill_the_disk_together_are_closed_the_largest_first(serve):
    server = serve("LARGE=1000", "MOST_KEPT=1000000")
    large, small = (
        server.sends(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n" + bytes(size))
        for size in (700_000, 400_000)
    )
    assert _is_closed(large)
    small.sendall(bytes(500_000))
    assert _Answers(small.makefile("rb", buffering=0)).read_one() == hashlib.sha256(bytes(900_000)).hexdigest()


def _is_closed(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_head_without_end_is_refused(serve):
    server = serve()
    connection = server.sends(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000)
    assert connection.recv(1000).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("cut", [1, 2, 7, 10_000])
def test_the_end_of_a_request_is_found_at_every_cut(cut):
    first = b"POST /a HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n"
    framing, own, later = Framing(), b"", b""
    for at in range(0, len(first) + 3, cut):
        part = (first + b"GET")[at : at + cut]
        mine, rest = framing.feed(part)
        own, later = own + mine, later + rest
    assert framing.is_complete
    assert (own, later) == (first, b"GET")
