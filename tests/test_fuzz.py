"""Whatever is sent to any address, by whomever, is answered without an error of ours: a fuzz over every route.

Each route is asked with ids, query parameters, form fields, cookies and headers of all kinds. Form fields are those
that the page itself shows, so that values reach the code behind each. The seed is fixed, so a failure can be repeated;
CUSTODY_FUZZ_SEED gives another one, CUSTODY_FUZZ_ROUNDS more questions for each route.
"""

import os
import random
import re
import traceback
from functools import partial
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from console import liveness
from console.access import Permission
from customers.keys.actions import api_keys
from tests import factories
from tests.access_world import rows
from tests.extent import extent

pytestmark = pytest.mark.django_db
SEED = int(os.environ.get("CUSTODY_FUZZ_SEED", "2611"))
ROUNDS = int(os.environ.get("CUSTODY_FUZZ_ROUNDS", extent("2", "4")))
ROOT = Path(__file__).resolve().parent.parent
ARGUMENT = re.compile(r"<(?:(\w+):)?(\w+)>")

NUMBERS = ["0", "1", "007", str(2**31), str(2**63 - 1), str(2**63), str(10**40)]
TEXTS = [
    "",
    " ",
    "0",
    "-1",
    "1.5",
    "1e400",
    "NaN",
    "null",
    "true",
    "[]",
    "{}",
    "a" * 5000,
    "'",
    '"',
    "\\",
    "%",
    "_",
    "%%25",
    "%s",
    "{0}",
    "${x}",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "=1+1",
    "\u202eabc",
    "\u0000",
    "\ufeff",
    "\ud7ff",
    "é" * 300,
    "\U0001f469\u200d\U0001f680",
    "İ",
    "ß",
    "٣",
    "１２",
    "²",
    "2026-11-30",
    "2026-02-30",
    "0000-00-00",
    "9999-12-31",
    "2026-11-30T10:00:00Z",
    "2026-11-30T10:00:00+99:00",
    "10000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "AQM26-100000",
    "R-1",
    "a,b;c|d",
    "\r\nSet-Cookie: a=b",
    "http://evil.example/",
    "//evil.example",
    "javascript:x",
    "eyJhIjoxfQ==",
    "a/" * 1500,
    "a/" * 1000 + "a",
    "(" * 200,
    "a" * 64 + "=" * 3,
    *NUMBERS,
]
HEADERS = {
    "Accept": ["", "*/*", "application/json", "text/html;q=x", "a" * 3000, "image/*;q=0.5, application/problem+json"],
    "Accept-Language": ["de", "xx-YY", "*", "de;q=9", "a" * 3000, "zh-Hant-HK,ü"],
    "Accept-Encoding": ["gzip", "br;q=1.0, gzip;q=x", "*"],
    "Content-Type": [
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "text/xml; charset=x",
        "application/x-www-form-urlencoded; charset=utf-16",
        "a/b;" * 300,
    ],
    "HX-Request": ["true", "x"],
    "HX-Target": ["results", "#" * 300, "ü"],
    "HX-Current-URL": ["x", "http://[", "%"],
    "HX-Trigger": ["{", "a"],
    "HX-Boosted": ["true"],
    "HX-Prompt": ["%zz"],
    "If-Match": ["*", '"x"', 'W/"x"', "x" * 3000, '"a", "b"'],
    "If-None-Match": ["*", '"x"', "\u00ff"],
    "If-Modified-Since": ["x", "Mon, 99 Foo 2026 10:00:00 GMT"],
    "Range": ["bytes=0-", "bytes=x", "bytes=" + "0-1," * 500],
    "Authorization": [
        "",
        "Bearer",
        "Bearer x",
        "Bearer cst_" + "a" * 60,
        "Basic",
        "Basic !!",
        "Basic YWJjOnh5eg==",
        "Basic /w==",
        "Digest a=b",
        "Basic " + "QQ" * 3000,
    ],
    "Idempotency-Key": ["", "a", "a" * 300, "\u00e9", '"quoted"'],
    "X-Forwarded-For": ["x", "1.2.3.4", "::1", "a" * 3000, "1.2.3.4, , ,"],
    "X-Forwarded-Proto": ["https", "x"],
    "Host": ["evil.example", "localhost:99999", "[::1", "", "a" * 300],
    "Referer": ["x", "http://[", "https://evil.example/"],
    "Origin": ["null", "https://evil.example", "http://["],
    "User-Agent": ["", "ü" * 300, "x" * 3000],
    "Expect": ["100-continue"],
    "X-Requested-With": ["XMLHttpRequest"],
    "Cookie": ["=;=;", "a", ";" * 300, 'custody="'],
}
# That of the session has a test of its own: with it, the rest of a round would be signed out.
COOKIES = ["custody_csrf", "custody_tz", "custody_language", "messages", "custody_known", "sessionid"]
METHODS = ["get", "get", "post", "post", "head", "put", "patch", "delete", "options"]


def routes() -> list[str]:
    """Every address of the product, with its arguments in angle brackets."""

    def walk(patterns, before):
        for entry in patterns:
            route = before + _readable(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry.url_patterns, route)
            elif isinstance(entry, URLPattern):
                yield "/" + route

    return sorted(set(walk(get_resolver().url_patterns, "")))


def _readable(pattern) -> str:
    """A path as it was written; of a regular expression its named groups, and the letters without the signs."""
    text = str(pattern)
    if hasattr(pattern, "_route"):
        return text
    text = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", text)
    return re.sub(r"\(\?\w+\)|\[[^\]]*\]|[\^$?*+()\\]", "", text)


def filled(route: str, known: list[int], chance: random.Random) -> str:
    """The address with ids that exist and ids that do not."""

    def value(found: re.Match) -> str:
        if found[1] == "int":
            return str(chance.choice([*known, *known, *NUMBERS]))
        text = chance.choice([*TEXTS, *map(str, known)]) or "x"
        return re.sub(r"[\s?#\x00]", "x", text)[:400]

    # At the beginning, two slashes would name a host to the client of the tests.
    return re.sub(r"^/+", "/", ARGUMENT.sub(value, route))


@pytest.fixture
def askers(organization, device, customer, dana, product, alice, make_devices, client_for):
    """A stranger, a member, a customer, a key of each; and the ids of what there is."""
    liveness.beat("mail")
    world = rows(organization, device, customer, dana, product, alice, make_devices(1)[0])
    by = factories.actor_of(alice)
    keys = [
        api_keys.create(name="All", scopes=[*Permission], by=by)[1],
        api_keys.create(name="Customer", scopes=["customer.read", "customer.claim"], by=by, customer=customer)[1],
    ]
    clients = [(Client(), {}), (client_for(alice), {}), (client_for(alice), {}), (client_for(dana), {})]
    clients += [(Client(), {"Authorization": f"Bearer {key}"}) for key in keys]
    for client, _headers in clients:
        client.raise_request_exception = False
    return clients, sorted({row.pk for row in world.values() if isinstance(row.pk, int)})


def wire(text: str) -> str:
    """The text as a server gets it in a header: bytes, read as Latin-1, without the signs that end a header."""
    return re.sub(r"[\r\n\x00]", "", text).encode("utf-8", "surrogatepass").decode("latin-1")


def names_on(page: bytes) -> list[str]:
    """The fields of a page's forms."""
    return sorted(set(re.findall(r'\bname="([\w.\-]+)"', page.decode(errors="replace"))))


PARAMETERS = sorted(
    {
        name
        for path in [*ROOT.glob("*/filters.py"), *ROOT.glob("*/*filters.py"), *ROOT.glob("*/api/*.py")]
        for name in re.findall(r"^\s{4}(\w+) = ", path.read_text(), re.MULTILINE)
    }
    | {"q", "cursor", "order", "sort", "limit", "ids", "all", "next", "page", "from", "to", "wait", "format", "code"}
)


def ask(client, headers, address, fields, chance):
    """One question, of which nothing stays."""
    method = chance.choice(METHODS)
    more = {name: chance.choice(values) for name, values in HEADERS.items() if chance.random() < 0.12}
    sent = {chance.choice(PARAMETERS): chance.choice(TEXTS) for _each in range(chance.randint(0, 4))}
    data = {name: chance.choice(TEXTS) for name in fields if chance.random() < 0.7} | (sent if method == "get" else {})
    data = {name: value.encode("utf-8", "replace").decode() for name, value in data.items()}
    if chance.random() < 0.1:
        client.cookies[chance.choice(COOKIES)] = wire(chance.choice(TEXTS))
    kind = more.pop("Content-Type", None)
    clean = {name: value.encode("latin-1", "replace").decode("latin-1") for name, value in (more | headers).items()}
    arguments = {"headers": clean}
    if method == "get":
        arguments["query_params"] = data
    elif method == "post" and kind is None:
        arguments["data"] = data
    elif method in {"post", "put", "patch"}:
        arguments |= {
            "data": chance.choice(TEXTS).encode("utf-8", "replace"),
            "content_type": kind or "application/json",
        }
    with transaction.atomic():
        # `generic` sends a body as it is; the client's other methods would encode it as its type says.
        is_raw = "content_type" in arguments
        asking = partial(client.generic, method.upper()) if is_raw else getattr(client, method)
        response = asking(address, **arguments)
        # A stream is made while it is read.
        said = b"".join(response.streaming_content) if response.streaming else response.content
        transaction.set_rollback(True)
    return method, response.status_code, said, arguments


def with_one_number(route: str, place: int, number: int) -> str:
    """The address with this number in one of its places, and what exists in the others."""
    places = iter(range(99))
    return "/" + re.sub(
        r"<(?:(\w+):)?(\w+)>", lambda _found: str(number if next(places) == place else 1), route
    ).lstrip("/")


# Whatever somebody is, these are answered.
FOR_ALL = ("/account/", "/c/", "/device/")


def _those_who_get_in(route, clients):
    """Who gets as far as the id of an address, and the methods by which; others are refused before it is looked at."""
    every = ["get", "post", "patch"]
    member, customer, key = clients[1], clients[3], clients[4]
    if extent(False, True):
        return [(*each, every) for each in (member, customer, key)]
    if route.startswith("/api/"):
        return [(*key, every)]
    if route.startswith(FOR_ALL):
        return [(*each, every) for each in (member, customer)]
    return [(*(customer if route.startswith("/portal/") else member), every[:2])]


@pytest.mark.parametrize("number", [pytest.param(2**63 - 1, marks=pytest.mark.thorough), 2**63])
def test_every_id_may_be_any_number(number, askers):
    clients, _known = askers
    wrong = []
    for route in routes():
        for place, found in enumerate(ARGUMENT.finditer(route)):
            if found[1] != "int":
                continue
            address = with_one_number(route, place, number)
            for client, headers, methods in _those_who_get_in(route, clients):
                for method in methods:
                    with transaction.atomic():
                        status = getattr(client, method)(address, headers=headers).status_code
                        transaction.set_rollback(True)
                    if status >= 500:
                        wrong.append((method, address))
    assert wrong == []


@pytest.mark.parametrize("part", range(6))
def test_every_route_answers_whatever_it_is_asked(part, askers):
    clients, known = askers
    chance, wrong = random.Random(f"{SEED} {part}"), []
    for route in routes()[part::6]:
        fields: list[str] = []
        for number in range(ROUNDS * 2):
            # The first question is a member's, whose page shows its fields.
            client, headers = chance.choice(clients) if number else clients[1]
            address = filled(route, known, chance)
            try:
                method, status, said, arguments = ask(client, headers, address, fields, chance)
            except Exception as error:
                wrong.append((route, address[:120], "".join(traceback.format_exception(error)[-4:])))
                break
            fields = names_on(said) or fields
            if status >= 500:
                wrong.append((method, route, address[:120], status, str(arguments)[:600]))
    assert wrong == []


PAGES = ["/devices/", "/portal/", "/healthz", "/api/v1/devices", "/device/v1/state"]


@pytest.mark.parametrize("cookie", [*COOKIES, "custody"])
def test_every_cookie_may_say_anything(cookie, askers):
    wrong = []
    for number, text in enumerate(TEXTS[:: extent(3, 1)]):
        client = Client(raise_request_exception=False)
        client.cookies[cookie] = wire(text)
        page = PAGES[number % len(PAGES)]
        wrong += [(page, text[:50]) for page in (page, "/account/login/") if client.get(page).status_code >= 500]
    assert wrong == []


def test_every_header_may_say_anything(askers):
    clients, _known = askers
    wrong = []
    for header, values in HEADERS.items():
        for number, text in enumerate(values):
            page = PAGES[number % len(PAGES)]
            for client in (clients[0][0], clients[1][0]):
                if client.get(page, headers={header: wire(text)}).status_code >= 500:
                    wrong.append((header, page, text[:50]))
    assert wrong == []


def test_the_fuzz_knows_every_kind_of_address():
    found = routes()
    assert len(found) > 250
    assert {"/healthz", "/api/v1/devices/<int:pk>", "/devices/<int:pk>/"} <= set(found)
