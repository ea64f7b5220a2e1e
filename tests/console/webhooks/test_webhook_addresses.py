"""The address dialled is the address checked: nothing inside is reached, however the address is written."""

import http.client
import socket
import threading
from ipaddress import ip_address, ip_network

import pytest

from console.errors import Refused
from console.webhooks import addresses, dial
from tests.waiting import until

# What an attacker types: written oddly, wrapped, or pointing inside. PORT becomes that of the sentinel.
CORPUS = [
    "https://127.0.0.1:PORT/",
    "https://127.0.0.2:PORT/",
    "https://127.1:PORT/",
    "https://127.0.1:PORT/",
    "https://2130706433:PORT/",
    "https://0x7f000001:PORT/",
    "https://017700000001:PORT/",
    "https://0177.0.0.1:PORT/",
    "https://0x7f.0.0.1:PORT/",
    "https://0x7f.1:PORT/",
    "https://127.0.0.1.:PORT/",
    "https://0:PORT/",
    "https://0.0.0.0:PORT/",
    "https://localhost:PORT/",
    "https://LOCALHOST:PORT/",
    "https://localhost.:PORT/",
    "https://[::1]:PORT/",
    "https://[::]:PORT/",
    "https://[0:0:0:0:0:0:0:1]:PORT/",
    "https://[::ffff:127.0.0.1]:PORT/",
    "https://[::ffff:7f00:1]:PORT/",
    "https://[::127.0.0.1]:PORT/",
    "https://[64:ff9b::127.0.0.1]:PORT/",
    "https://[64:ff9b::7f00:1]:PORT/",
    "https://[64:ff9b:1::127.0.0.1]:PORT/",
    "https://[2002:7f00:1::]:PORT/",
    "https://[2002:7f00:0001::1]:PORT/",
    "https://[2001:0:4136:e378:8000:63bf:80ff:fffe]:PORT/",
    "https://[fe80::1]:PORT/",
    "https://[fe80::1%25lo]:PORT/",
    "https://[::1%25lo]:PORT/",
    "https://[fec0::1]:PORT/",
    "https://[fc00::1]:PORT/",
    "https://[fd00:ec2::254]:PORT/",
    "https://[ff02::1]:PORT/",
    "https://[2001:db8::1]:PORT/",
    "https://[100::1]:PORT/",
    "https://[5f00::1]:PORT/",
    "https://[3fff::1]:PORT/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/latest/meta-data/",
    "https://0xa9fea9fe/latest/",
    "https://169.254.170.2/",
    "https://168.63.129.16/",
    "https://100.100.100.200/",
    "https://192.0.0.192/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://198.18.0.1/",
    "https://192.0.2.1/",
    "https://198.51.100.7/",
    "https://203.0.113.9/",
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://192.88.99.1/",
    "http://127.0.0.1:PORT/",
    "http://localhost:PORT/",
    "https://127.0.0.1:PORT@example.com/",
    "https://example.com@127.0.0.1:PORT/",
    "https://a:b@127.0.0.1:PORT/",
    "https://127.0.0.1:PORT\\@example.com/",
    "https://127.0.0.1:PORT#@example.com/",
    "https://127.0.0.1%00.example.com:PORT/",
    "https://%31%32%37.0.0.1:PORT/",
    "https://①②⑦.⓪.⓪.①:PORT/",
    "https://127。0。0。1:PORT/",
    "https://ⓛocalhost:PORT/",
    "https:///127.0.0.1:PORT/",
    "https:127.0.0.1:PORT/",
    "//127.0.0.1:PORT/",
    "ftp://127.0.0.1:PORT/",
    "gopher://127.0.0.1:PORT/",
    "file:///etc/passwd",
    "https://127.0.0.1:PORT/\r\nHost: a",
    "https://[::ffff:169.254.169.254]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:a9fe:a9fe::]/",
]


class Sentinel(threading.Thread):
    """Listens where nothing may arrive, and counts what does."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]

    def run(self) -> None:
        while True:
            try:
                line, _address = self.server.accept()
            except OSError:
                return
            self.count += 1
            line.close()


@pytest.fixture
def sentinel(monkeypatch):
    found = Sentinel()
    found.start()
    monkeypatch.setattr(dial, "CONNECT_WITHIN", 0.2)
    # Its port is one that may be dialled elsewhere, so that only the address stands in the way.
    monkeypatch.setattr(addresses, "PORTS", {443, 8443, found.port})
    yield found
    found.server.close()


def call(url, resolve=None):
    return dial.Line(url, resolve).post(b"{}", {})


def test_the_corpus_is_large_enough():
    assert len(CORPUS) == len(set(CORPUS)) >= 60


@pytest.mark.parametrize("url", CORPUS)
def test_an_address_inside_is_never_dialled(url, sentinel):
    answer = call(url.replace("PORT", str(sentinel.port)))
    assert (answer.status, answer.refused, sentinel.count) == (None, True, 0)


def test_without_the_check_the_sentinel_would_hear_of_it(sentinel, monkeypatch):
    """The negative control: the corpus does reach this machine."""
    monkeypatch.setattr(addresses, "may_dial", lambda address, target: True)
    for url in CORPUS[:20]:
        call(url.replace("PORT", str(sentinel.port)))
    assert sentinel.count >= 10


def test_a_name_that_leads_elsewhere_at_the_second_look_is_dialled_where_it_led_at_the_first(sentinel, monkeypatch):
    """Rebinding: the resolver says a public address first, then this machine; it is asked once for a connection."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]])
    dialled = []

    def fail(self, address):
        dialled.append(address)
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "connect", fail)
        url = f"https://rebind.example:{sentinel.port}/"
        first = call(url, lambda host, port: next(answers))
        second = call(url, lambda host, port: next(answers))
    assert dialled == [("93.184.216.34", sentinel.port)]
    assert (first.refused, second.refused, sentinel.count) == (False, True, 0)


def test_one_address_inside_among_public_ones_spoils_the_name(sentinel):
    answer = call(f"https://mixed.example:{sentinel.port}/", lambda host, port: ["93.184.216.34", "127.0.0.1"])
    assert (answer.refused, sentinel.count) == (True, 0)


def test_http_client_never_dials_by_itself(sentinel, settings):
    """A line that broke is dialled anew by us alone: checked again, not resolved by the library."""
    settings.WEBHOOK_NETWORKS = [ip_network("127.0.0.0/8")]
    connection = dial._connect(addresses.parse(f"http://127.0.0.1:{sentinel.port}/"), [ip_address("127.0.0.1")])
    connection.close()
    with pytest.raises(http.client.NotConnected):
        connection.request("POST", "/")
    until(lambda: sentinel.count)
    assert sentinel.count == 1


@pytest.mark.parametrize("port", [22, 25, 80, 3306, 5432, 6379, 8080, 9200])
def test_ports_of_other_services_are_not_dialled(port):
    answer = call(f"https://example.com:{port}/", lambda host, port: ["93.184.216.34"])
    assert (answer.refused, answer.status) == (True, None)


@pytest.mark.parametrize("text", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::200e", "172.32.0.1"])
def test_public_addresses_may_be_dialled(text):
    assert addresses.is_public(ip_address(text))


def test_the_operator_may_allow_a_network_and_only_that(settings):
    settings.WEBHOOK_NETWORKS = [ip_network("10.20.0.0/16"), ip_network("64:ff9b::/96")]
    target = addresses.parse("http://hooks.internal:8080/in")
    assert addresses.may_dial(ip_address("10.20.3.4"), target)
    for text in ("10.21.0.1", "127.0.0.1", "169.254.169.254", "93.184.216.34", "64:ff9b::7f00:1", "::ffff:10.20.3.4"):
        assert not addresses.may_dial(ip_address(text), target), text
    assert addresses.may_dial(ip_address("64:ff9b::5db8:d822"), target)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.com/", "bad_address"),
        ("https://user@example.com/", "bad_address"),
        ("https://example.com:22/", "bad_address"),
        ("https://bücher.example/", "bad_address"),
        ("https://[v1.x]/", "bad_address"),
        ("https://exa mple.com/", "bad_address"),
        ("https://example.com/#a", "bad_address"),
        ("example.com", "bad_address"),
        ("https://example.com:99999/", "bad_address"),
        ("https://" + "a" * 500 + ".example/", "bad_address"),
    ],
)
def test_an_address_that_could_never_be_dialled_is_refused_with_a_sentence(url, code):
    with pytest.raises(Refused) as refusal:
        addresses.parse(url)
    assert (refusal.value.code, refusal.value.status) == (code, 422)
    assert refusal.value.sentence.endswith(".")


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[::1]",
        "10.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
    ],
)
def test_figures_that_may_not_be_dialled_are_refused_before_anybody_dials(host):
    with pytest.raises(Refused) as refusal:
        addresses.parse(f"https://{host}/")
    assert (refusal.value.code, refusal.value.status) == ("address_not_allowed", 422)
    with pytest.raises(Refused) as at_sending:
        addresses.allowed(addresses.Target("https", host.strip("[]"), 443, "/"))
    assert refusal.value.sentence == at_sending.value.sentence


def test_figures_that_may_be_dialled_and_names_are_taken(settings):
    for url in ("https://1.1.1.1/", "https://[2606:4700::1111]/", "https://localhost/", "https://inside.example/"):
        assert addresses.parse(url).scheme == "https"
    settings.WEBHOOK_NETWORKS = [ip_network("10.20.0.0/16")]
    assert addresses.parse("http://10.20.3.4:8080/x").port == 8080


def test_an_address_that_can_be_dialled_is_taken_apart():
    target = addresses.parse("https://example.com:8443/hooks?a=1")
    assert (target.host, target.port, target.path, target.authority) == (
        "example.com",
        8443,
        "/hooks?a=1",
        "example.com:8443",
    )
