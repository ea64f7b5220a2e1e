"""One command serves everything, says how to get in, and leaves nothing behind."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from console import keys
from console.server import predecessor
from console.server import supervisor as serve
from console.server.greeting import greeting
from console.server.preparation import collect_static
from tests.waiting import PATIENCE, until

READY = "Stop it with Ctrl-C."
CODE = "7K3M9QXD2F8TC0000000000000"


class Server:
    """`manage.py serve` in a process of its own, on a port and in a folder of its own."""

    def __init__(self, folder, database, port=None):
        self.folder, self.port, self.log = folder, port or free_port(), folder / f"log-{uuid4().hex}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CUSTODY_DATA": str(folder / "data"),
            "PORT": str(self.port),
            "CUSTODY_EMBEDDED": "1",
            **database,
        }
        keys.make(folder / "data")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, settings.BASE_DIR / "manage.py", "serve"],
                cwd=folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def said(self):
        return self.log.read_text()

    def wait(self):
        until(lambda: READY in self.said() or self.process.poll() is not None)
        assert READY in self.said(), self.said()
        return self

    def get(self, path):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE).status
        except urllib.error.HTTPError as answer:
            return answer.code

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self):
        self.process.kill()
        self.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def runs(pid):
    return Path(f"/proc/{pid}").exists() and ") Z " not in Path(f"/proc/{pid}/stat").read_text()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder, and on PostgreSQL a database, that the tests of this file share: a first start is slow."""
    folder, url = tmp_path_factory.mktemp("served"), os.environ.get("DATABASE_URL")
    if not url:
        yield folder, {}
        return
    name = f"served_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield folder, {"DATABASE_URL": urlsplit(url)._replace(path=f"/{name}").geturl()}
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


# One process runs these, where several run the tests: they share the server.
with_server = pytest.mark.xdist_group("server")


@pytest.fixture(scope="module")
def server(place):
    server = Server(*place)
    try:
        yield server.wait()
    finally:
        server.end()


@pytest.fixture
def supervised(tmp_path):
    """A supervisor in a process of its own, with two children that end when they are told, and their ids."""

    def supervise():
        supervisor = serve.Supervisor()
        supervisor.listen()
        for name in ("one", "two"):
            supervisor.add(name, [sys.executable, "-c", "import time; time.sleep(1000)"])
        supervisor.wait()
        supervisor.stop()

    process = multiprocessing.get_context("fork").Process(target=supervise)
    process.start()
    until(lambda: len(children_of(process.pid)) == 2)
    yield process
    process.kill()
    process.join()


@with_server
def test_a_start_serves_pages_and_files_and_says_how_to_get_in(server):
    said = server.said()
    assert f"Custody is at http://localhost:{server.port}" in said
    assert f"/setup/?code={keys.read(server.folder / 'data', keys.SETUP_FILE)}" in said
    assert f"/mail/{keys.read(server.folder / 'data', keys.MAILBOX_FILE)}/" in said
    assert server.get("/healthz") == 200
    assert server.get("/account/login/") == 200
    assert len(children_of(server.process.pid)) == 1 + len(serve.QUEUES)
    assert (server.folder / "data").stat().st_mode & 0o777 == 0o700


@with_server
def test_a_port_that_is_taken_is_refused_with_a_sentence(place, server):
    second = Server(*place, port=server.port)
    assert second.process.wait(PATIENCE) == 1
    assert f"Something is already listening on 127.0.0.1:{server.port}." in second.said()
    assert server.get("/healthz") == 200


@with_server
def test_no_claim_code_reaches_the_log(server):
    server.get(f"/c/{CODE}")
    server.get(f"/c/{CODE}%00")
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as line:
        line.sendall(f"GET /c/{CODE} HTTP/9.9\r\n\r\n".encode())
        line.recv(1000)
    assert CODE not in server.said()


@with_server
def test_stopping_it_stops_all_that_it_started(server):
    children = children_of(server.process.pid)
    server.process.terminate()
    assert server.process.wait(PATIENCE) == 0
    assert not any(runs(pid) for pid in children)
    assert not server.listens()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_every_signal_to_stop_reaches_the_children(supervised, number):
    children = children_of(supervised.pid)
    os.kill(supervised.pid, number)
    supervised.join(PATIENCE)
    assert supervised.exitcode == 0
    assert not any(runs(pid) for pid in children)


def test_nothing_outlives_a_server_that_was_killed(supervised):
    children = children_of(supervised.pid)
    supervised.kill()
    supervised.join()
    until(lambda: not any(runs(pid) for pid in children))


def test_the_next_start_ends_what_a_killed_supervisor_left(tmp_path):
    """Its children are told to end when it dies; one that does not listen would hold the port."""
    notes, port = tmp_path / "run" / "serve", free_port()
    deaf = (
        "import signal, socket, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"listener = socket.create_server(('127.0.0.1', {port}))\n"
        "time.sleep(1000)"
    )

    def supervise():
        supervisor = serve.Supervisor(notes=notes)
        supervisor.add("deaf", [sys.executable, "-c", deaf])
        supervisor.wait()

    process = multiprocessing.get_context("fork").Process(target=supervise)
    process.start()
    until(lambda: _listens(port))
    (child,) = children_of(process.pid)
    predecessor.end(notes, lambda: serve.probe(f"127.0.0.1:{port}"))
    assert runs(child), "a supervisor that lives was disturbed"
    process.kill()
    process.join()
    with patch.object(predecessor, "END_WITHIN", 0.5):
        predecessor.end(notes, lambda: serve.probe(f"127.0.0.1:{port}"))
    assert not runs(child)
    serve.probe(f"127.0.0.1:{port}")
    assert not notes.exists()


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_notes_that_make_no_sense_or_name_other_processes_end_nothing(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], process_group=0) as other:
        for said in ("", "x", f"1 999\n{other.pid} 999\n"):
            (tmp_path / "notes").write_text(said)
            predecessor.end(tmp_path / "notes", lambda: None)
            assert runs(other.pid)
        other.kill()


def test_a_process_that_exits_is_restarted(supervised):
    before = children_of(supervised.pid)
    os.kill(before[0], signal.SIGKILL)
    until(lambda: len(children_of(supervised.pid)) == 2 and before[0] not in children_of(supervised.pid))
    assert runs(before[1])


def test_a_database_that_does_not_answer_is_named(place):
    folder, _database = place
    server = Server(folder, {"DATABASE_URL": f"postgres://nobody@127.0.0.1:{free_port()}/none"})
    assert server.process.wait(PATIENCE) == 1
    assert "The database isn't responding" in server.said()
    assert "Traceback" not in server.said()


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ("0.0.0.0", "0.0.0.0:8000"),
        ("::1", "[::1]:8000"),
        ("[::]", "[::]:8000"),
        ("unix:/run/custody.sock", "unix:/run/custody.sock"),
    ],
)
def test_it_listens_on_the_configured_address(monkeypatch, settings, given, where):
    monkeypatch.setenv("CUSTODY_BIND", given)
    settings.PORT = 8000
    assert serve.bind() == where


def test_it_listens_on_this_machine_only_by_default(monkeypatch, settings):
    monkeypatch.delenv("CUSTODY_BIND", raising=False)
    settings.PORT = 8000
    assert serve.bind() == "127.0.0.1:8000"


@pytest.mark.parametrize(
    ("port", "address", "reason"),
    [(99999, "127.0.0.1", "bind(): port must be 0-65535"), (8000, "192.0.2.1", "Cannot assign requested address")],
)
def test_an_address_that_makes_no_sense_is_named(monkeypatch, settings, port, address, reason):
    monkeypatch.setenv("CUSTODY_BIND", address)
    monkeypatch.setattr("console.management.commands.serve.prepare", lambda: pytest.fail("it went on"))
    settings.PORT = port
    with pytest.raises(CommandError) as error:
        call_command("serve")
    said = f"The server can't listen on {address}:{port}: {reason}. Check PORT and CUSTODY_BIND."
    assert str(error.value) == said


def test_a_folder_that_cannot_be_written_is_named(monkeypatch, settings):
    def prepare():
        raise PermissionError(13, "Permission denied", "/data/static")

    monkeypatch.setattr("console.management.commands.serve.prepare", prepare)
    settings.PORT = free_port()
    with pytest.raises(CommandError, match=r"CUSTODY_DATA can't be written: .*Permission denied"):
        call_command("serve")


@pytest.mark.django_db
def test_who_has_an_organization_is_sent_to_sign_in(organization, settings):
    keys.make(settings.DATA_DIR)
    said = greeting()
    assert f"{settings.BASE_URL}/account/login/" in said
    assert "/setup/" not in said


@pytest.mark.django_db
def test_with_a_mail_server_there_is_no_mailbox(settings):
    settings.MAIL_URL = "smtp://mail.northlake.example"
    assert "/mail/" not in greeting()


def test_static_files_are_collected_when_they_changed(settings, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.css").write_text("a {}")
    settings.STATIC_ROOT, settings.STATICFILES_DIRS = tmp_path / "collected", [source]
    assert [collect_static(), collect_static()] == [True, False]
    (source / "b.css").write_text("b {}")
    assert [collect_static(), collect_static()] == [True, False]
    assert (tmp_path / "collected" / "b.css").exists()


def test_a_process_that_exits_at_once_is_not_restarted_forever(monkeypatch):
    started = []
    monkeypatch.setattr(serve.Child, "start", lambda child: started.append(child.not_before))
    child = serve.Child("a worker", [])
    dead = type("Dead", (), {"poll": lambda self: 1, "returncode": 1})
    for _each in range(3):
        child.process, child.started = dead(), time.monotonic()
        child.keep_alive()
    assert started == []
    assert child.deaths == 3
    assert 6 < child.not_before - time.monotonic() <= 7
