"""A line to a receiver: the certificate is checked for its name, and nobody holds it longer than it may be held."""

import datetime
import socket
import ssl
import threading
import time
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from console.webhooks import dial
from tests.console.webhook_receiver import LOCAL

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def serve(settings):
    """Starts a listener that gives each connection to a function, and gives its port and what it was asked."""
    settings.WEBHOOK_NETWORKS = LOCAL
    servers = []

    def start(answer, context=None):
        server, heard = socket.create_server(("127.0.0.1", 0)), []
        servers.append(server)

        def run():
            while True:
                try:
                    line, _address = server.accept()
                except OSError:
                    return
                try:
                    line = context.wrap_socket(line, server_side=True) if context else line
                    asked = b""
                    while not asked.endswith(b"{}"):
                        asked += line.recv(65536) or b"{}"
                    heard.append(asked)
                    answer(line)
                    line.close()
                except OSError:
                    line.close()

        threading.Thread(target=run, daemon=True).start()
        return server.getsockname()[1], heard

    yield start
    for server in servers:
        server.close()


def certificate(folder, name):
    """A self-signed certificate for a name, as files."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def tls(tmp_path, serve, monkeypatch):
    """A TLS listener for hooks.example on this machine, whose maker is trusted."""
    path = certificate(tmp_path, "hooks.example")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    trusting = ssl.create_default_context(cafile=str(path))
    monkeypatch.setattr(dial, "_context", lambda: trusting)
    return serve(lambda line: line.sendall(ANSWER), server)


def call(url, **fields):
    return dial.Line(url, fields.get("resolve") or (lambda host, port: ["127.0.0.1"])).post(
        b"{}", {"webhook-id": "msg_1"}
    )


def test_the_certificate_is_checked_for_the_name_though_the_address_is_dialled(tls):
    port, heard = tls
    answer = call(f"https://hooks.example:{port}/in")
    assert (answer.status, answer.text, answer.error) == (200, "ok", "")
    assert heard[0].startswith(b"POST /in HTTP/1.1\r\n")
    assert heard[0].count(b"Host:") == heard[0].count(b"\r\nHost: hooks.example:%d\r\n" % port) == 1


def test_a_certificate_for_another_name_is_refused_before_anything_is_sent(tls):
    port, heard = tls
    answer = call(f"https://other.example:{port}/in")
    assert (answer.status, heard) == (None, [])
    assert answer.error.startswith("The certificate isn't valid: Hostname mismatch")


def test_a_certificate_that_nobody_vouches_for_is_refused(tls, monkeypatch):
    monkeypatch.setattr(dial, "_context", ssl.create_default_context)
    answer = call(f"https://hooks.example:{tls[0]}/in")
    assert (answer.status, tls[1]) == (None, [])
    assert answer.error.startswith("The certificate isn't valid: self-signed certificate")


def test_who_answers_a_byte_at_a_time_is_left(serve, monkeypatch):
    monkeypatch.setattr(dial, "ANSWER_WITHIN", 0.5)

    def drip(line):
        # Until the caller is gone.
        while True:
            line.sendall(b"H")
            time.sleep(0.1)

    port, _heard = serve(drip)
    answer = call(f"http://hooks.example:{port}/")
    assert (answer.status, answer.error) == (None, "No answer within 0 seconds.")


def test_of_an_endless_answer_the_beginning_is_kept(serve):
    def flood(line):
        line.sendall(b"HTTP/1.1 500 No\r\n\r\n")
        while True:
            line.sendall(b"x" * 65536)

    port, _heard = serve(flood)
    answer = call(f"http://hooks.example:{port}/")
    assert (answer.status, answer.is_success, answer.text) == (500, False, "x" * 1024)


@pytest.mark.parametrize(
    "noise",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 999999 x\r\n\r\n",
        b"\0" * 500,
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500,
    ],
)
def test_what_is_no_answer_is_an_error_in_words(noise, serve):
    port, _heard = serve(lambda line: line.sendall(noise))
    answer = call(f"http://hooks.example:{port}/")
    assert answer.status is None
    assert answer.error.endswith(".")


def test_a_closed_connection_is_opened_and_checked_again(serve):
    port, heard = serve(lambda line: line.sendall(ANSWER))
    asked = []

    def resolve(host, port):
        asked.append(host)
        return ["127.0.0.1"]

    line = dial.Line(f"http://hooks.example:{port}/", resolve)
    assert [line.post(b"{}", {}).status for _each in range(3)] == [200, 200, 200]
    assert (len(heard), len(asked)) == (3, 3)


def test_no_proxy_of_the_environment_is_used(serve, monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    port, heard = serve(lambda line: line.sendall(ANSWER))
    assert call(f"http://hooks.example:{port}/").status == 200
    assert len(heard) == 1


def test_the_next_address_is_tried_where_one_does_not_answer(serve):
    port, heard = serve(lambda line: line.sendall(ANSWER))
    answer = call(f"http://hooks.example:{port}/", resolve=lambda host, port: ["127.0.0.9", "127.0.0.1"])
    assert (answer.status, len(heard)) == (200, 1)
    assert ip_address("127.0.0.9") in LOCAL[0]
