"""The nginx configuration in docs/operating.md works: it is run here, in front of the product's worker."""

import http.client
import re
import shutil
import socket
import ssl
import subprocess

import pytest
from django.conf import settings

from tests.console.server.test_serve import free_port
from tests.console.server.test_slow_clients import Server
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.skipif(
    shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin") is None or shutil.which("openssl") is None,
    reason="nginx or openssl is not installed; script/test installs nginx where it may.",
)
FRAME = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 600; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{server}
}}
"""


class Proxy:
    """nginx as the guide has it, in front of the application of the tests."""

    def __init__(self, folder, server):
        self.folder, self.server, self.port = folder, server, free_port()
        guide = (settings.BASE_DIR / "docs/operating.md").read_text()
        block = re.search(r"^    server \{$.*?^    \}$", guide, re.MULTILINE | re.DOTALL)[0]
        for written, here in {
            "443": f"127.0.0.1:{self.port}",
            "127.0.0.1:8000": f"127.0.0.1:{server.port}",
            "/etc/ssl/custody.pem": f"{folder}/custody.pem",
            "/etc/ssl/custody.key": f"{folder}/custody.key",
        }.items():
            assert written in block
            block = block.replace(written, here)
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=custody.example.com",
                "-keyout",
                folder / "custody.key",
                "-out",
                folder / "custody.pem",
            ],
            check=True,
            capture_output=True,
        )
        is_root = subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip() == "0"
        text = FRAME.format(folder=folder, server=block, user="user root;" if is_root else "")
        (folder / "nginx.conf").write_text(text)
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
        self.process = subprocess.Popen([program, "-c", folder / "nginx.conf", "-p", folder], stderr=subprocess.PIPE)
        until(self._listens)

    def _listens(self):
        assert self.process.poll() is None, self.process.stderr.read().decode()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, method="GET", path="/", body=None, headers=None):
        context = ssl.create_default_context(cafile=self.folder / "custody.pem")
        context.check_hostname = False
        client = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=context)
        try:
            client.request(method, path, body, {"Host": "custody.example.com", **(headers or {})})
            answer = client.getresponse()
            return answer.status, answer.read().decode()
        finally:
            client.close()

    def logged(self):
        return (self.folder / "access.log").read_text() + (self.folder / "error.log").read_text()

    def end(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("served"), "PROXIES=1")
    proxy = Proxy(tmp_path_factory.mktemp("proxy"), server)
    yield proxy
    proxy.end()
    server.end()


def test_pages_come_through_it_encrypted(proxy):
    status, _body = proxy.ask(path="/devices/")
    assert status == 200
    # nginx answers first and writes its log then.
    until(lambda: "/devices/" in proxy.logged())


def test_it_names_the_host_the_scheme_and_the_address_and_a_client_can_only_add_before(proxy):
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "X-Show": "1"}
    _status, said = proxy.ask(path="/show", headers=headers)
    assert said == "custody.example.com https 203.0.113.9, 127.0.0.1"


@pytest.mark.parametrize("path", ["/c/7K3M9QXD2F8TC0000000000000", "/C/7K3M9QXD2F8TC0000000000000"])
def test_no_claim_code_reaches_its_log(proxy, path):
    assert proxy.ask(path=path)[0] == 200
    assert "7K3M9QXD2F8TC" not in proxy.logged()


def test_an_upload_up_to_the_limit_passes_and_a_larger_one_is_refused(proxy):
    allowed = settings.UPLOAD_LIMIT + 1024 * 1024
    assert proxy.ask("POST", body=bytes(allowed))[0] == 200
    assert proxy.ask("POST", headers={"Content-Length": str(61 * 1024 * 1024), "Expect": "100-continue"})[0] == 413


def test_slow_senders_hold_nothing_behind_the_proxy(proxy):
    context = ssl.create_default_context(cafile=proxy.folder / "custody.pem")
    context.check_hostname = False
    held = []
    for _each in range(40):
        raw = socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE)
        held.append(context.wrap_socket(raw))
        held[-1].sendall(b"POST / HTTP/1.1\r\nHost: custody.example.com\r\nContent-Length: 100\r\n\r\nabc")
    assert proxy.ask()[0] == 200
    for each in held:
        each.close()
