"""Bodies in chunks arrive whole, or are refused before anything is done with them."""

import json
import os
import subprocess
import sys
from io import BytesIO

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from gunicorn.http.errors import InvalidChunkSize, NoMoreData

from console.server import chunked
from tests.api import key_of


class Broken(BytesIO):
    """A body that fails after its first part."""

    def __init__(self, error):
        super().__init__(b'{"notes"')
        self.error = error

    def read(self, size=-1):
        if part := super().read(size):
            return part
        raise self.error


def ask(application, body, **environ):
    said = {}

    def start_response(status, headers):
        said.update(status=status, headers=dict(headers))

    asked = {
        "REQUEST_METHOD": "PATCH",
        "PATH_INFO": "/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.errors": BytesIO(),
        "wsgi.url_scheme": "http",
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": body if hasattr(body, "read") else BytesIO(body),
    }
    answer = application(asked | environ, start_response)
    return said["status"], b"".join(answer)


def echo(environ, start_response):
    start_response("200 OK", [])
    return [environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))]


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 3 * 1024 * 1024])
def test_a_body_without_a_length_gets_one(size):
    assert ask(chunked.measured(echo), b"x" * size) == ("200 OK", b"x" * size)


def test_without_it_nothing_would_be_read():
    """The negative control."""
    assert ask(echo, b"x" * 10) == ("200 OK", b"")


def test_a_body_that_is_too_large_is_refused_unread(monkeypatch):
    monkeypatch.setattr(chunked, "MOST_BYTES", 100_000)
    body = BytesIO(b"x" * 1_000_000)
    status, said = ask(chunked.measured(None), body)
    assert (status, json.loads(said)["code"]) == ("413 Request Entity Too Large", "too_large")
    assert body.tell() < 300_000


@pytest.mark.parametrize("error", [InvalidChunkSize(b"zz"), NoMoreData()])
def test_a_body_that_breaks_off_reaches_nobody(error):
    status, said = ask(chunked.measured(None), Broken(error))
    assert (status, json.loads(said)["code"]) == ("400 Bad Request", "malformed")


def test_the_application_is_imported_where_there_is_no_gunicorn(tmp_path):
    code = "import sys; sys.modules['gunicorn'] = None; from console.wsgi import application; print(application)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "CUSTODY_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "measured" in done.stdout


def test_a_server_that_does_not_end_its_bodies_is_not_waited_for():
    assert ask(chunked.measured(echo), b"x", **{"wsgi.input_terminated": False}) == ("200 OK", b"")


@pytest.fixture
def one_connection():
    """A request leaves the connection of the test open."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_a_call_in_chunks_does_what_it_says(one_connection, device, alice):
    status, said = ask(
        chunked.measured(WSGIHandler()),
        b'{"notes": "in chunks"}',
        PATH_INFO=f"/api/v1/devices/{device.pk}",
        CONTENT_TYPE="application/json",
        HTTP_AUTHORIZATION=f"Bearer {key_of(alice)}",
    )
    assert (status, json.loads(said)["notes"]) == ("200 OK", "in chunks")
    device.refresh_from_db()
    assert device.notes == "in chunks"
