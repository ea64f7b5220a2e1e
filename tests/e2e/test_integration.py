"""J7 as an integrator walks it: a key, a webhook, a device that publishes and answers, each on its page."""

import base64
import json
import re
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from standardwebhooks.webhooks import Webhook

from tests.e2e.conftest import DESK, PHONE, RECEIVER, Person, mailed_code
from tests.e2e.test_returns import support  # noqa: F401 - the first run, or the sign-in after it

# ruff: noqa: F811 - fixtures are named where they are made and where they are asked for

KEY = "Line 3"
OWNER, OTHER = "ida@waerme-ulm.example", "otto@elsewhere.example"


def call(
    server: Any, method: str, path: str, body: Any = None, *, in_chunks: bool = False, **headers: str
) -> tuple[int, Any]:
    """One HTTP request as a program makes it: status and JSON. In chunks it says no length before."""
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=120)
    said = None if body is None else json.dumps(body).encode()
    try:
        connection.request(
            method,
            path,
            iter([said[:5], said[5:]]) if said and in_chunks else said,
            {"Content-Type": "application/json", **headers},
        )
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    finally:
        connection.close()


def made(someone: Person, address: str, button: str, **fields: str) -> str:
    """Fill the form, press the button, and say the id of what it made."""
    someone.page.goto(address)
    someone.fill(**fields)
    if someone.page.locator("select[name=product]").count():
        someone.page.locator("select[name=product]").select_option(label="Heat Meter")
    someone.page.get_by_role("button", name=re.compile(button)).click()
    someone.page.wait_for_url(re.compile(r"/\d+/$"))
    return re.search(r"/(\d+)/$", someone.page.url)[1]


def look(someone: Person, name: str) -> None:
    """Nothing is wrong with the page that is open, on a desk and on a phone; it stays as it was."""
    before = someone.page.viewport_size
    for size in (DESK, PHONE):
        someone.page.set_viewport_size(size)
        someone.check(f"{name}, {size['width']} px")
    someone.page.set_viewport_size(before)


@pytest.fixture(scope="module")
def world(support: Person) -> dict:
    """A product with two units in stock, and two customers with a person each."""
    made(support, "/products/new/", "Create product", Name="Heat Meter")
    found = {}
    for number in range(2):
        name = f"heat-{number:06d}"
        found[f"HT-{number}"] = made(support, "/devices/new/", "Register", Serial=f"HT-{number}", Device_name=name)
    for customer, address in (("Waerme Ulm", OWNER), ("Elsewhere", OTHER)):
        found[customer] = made(support, "/customers/new/", "Create customer", Name=customer)
        support.page.goto(f"/customers/{found[customer]}/people/invite/")
        support.page.get_by_label(re.compile("mail")).fill(address)
        support.press("Send invitation")
    return found


@pytest.fixture(scope="module")
def key(support: Person, world: dict) -> str:
    """A key that Alice makes in Settings, and copies from the page that shows it once."""
    support.context.grant_permissions(["clipboard-read", "clipboard-write"])
    support.page.goto("/settings/api-keys/")
    support.follow("New API key")
    support.fill(Name=KEY)
    support.page.get_by_label("Assign devices to customers").check()
    support.press("Create API key")
    look(support, "key made")
    support.press("Copy the key")
    support.sees("Copied")
    copied = support.page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"cst_\w{40,}", copied)
    support.follow("I've copied it")
    support.sees(KEY)
    expect(support.page.get_by_text(copied)).to_have_count(0)
    return copied


@pytest.fixture(scope="module")
def owned(server: Any, key: str, world: dict) -> str:
    """HT-0, assigned with the key: it is found by its serial, and given by PUT."""
    bearer = {"Authorization": f"Bearer {key}"}
    status, found = call(server, "GET", "/api/v1/devices?serial_number=HT-0", **bearer)
    assert (status, [str(row["id"]) for row in found["results"]]) == (200, [world["HT-0"]])
    path, body = f"/api/v1/devices/{world['HT-0']}/owner", {"customer": int(world["Waerme Ulm"])}
    assert call(server, "PUT", path, body, **bearer)[0] == 200
    return world["HT-0"]


@pytest.fixture(scope="module")
def secret(support: Person, owned: str) -> str:
    """The secret of HT-0, shown once."""
    support.page.goto(f"/devices/{owned}/secret/")
    support.press("Create secret")
    look(support, "device secret")
    shown = support.page.locator("[data-secret]").inner_text()
    support.page.goto(f"/devices/{owned}/secret/")
    expect(support.page.get_by_text(shown)).to_have_count(0)
    return shown


def as_device(server: Any, secret: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """What HT-0 says to the device API; small devices send as they go, in chunks."""
    proof = base64.b64encode(f"heat-000000:{secret}".encode()).decode()
    return call(server, method, f"/device/v1/{path}", body, in_chunks=True, Authorization=f"Basic {proof}")


def enter(someone: Person, address: str) -> Person:
    """A customer's person comes into the portal with the mailed code."""
    someone.page.goto("/account/login/code/")
    someone.page.get_by_label(re.compile("mail")).fill(address)
    someone.press("Continue")
    someone.page.get_by_label(re.compile("code", re.IGNORECASE)).first.fill(mailed_code(someone, address))
    # Six digits send themselves.
    someone.page.wait_for_url(re.compile("/portal/"))
    return someone


@pytest.fixture(scope="module")
def ida(person: Any, owned: str) -> Person:
    """Who owns HT-0, with a phone."""
    return enter(person(PHONE, has_touch=True, is_mobile=True), OWNER)


@pytest.fixture(scope="module")
def otto(person: Any, world: dict) -> Person:
    """Who owns nothing."""
    return enter(person(PHONE), OTHER)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Any]:
    """An integrator's own system: it keeps what it is sent."""
    got: list[tuple[dict, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    listening = ThreadingHTTPServer((RECEIVER, 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    listening.got = got
    yield listening
    listening.shutdown()
    listening.server_close()


@pytest.fixture(scope="module")
def hook(support: Person, receiver: Any) -> dict:
    """A webhook of the organization, with its secret."""
    support.page.goto("/settings/webhooks/")
    support.follow("New webhook")
    support.fill(Address=f"http://{RECEIVER}:{receiver.server_port}/custody", Description="Warehouse")
    expect(support.page.get_by_label(re.compile("Message names"))).to_be_hidden()
    support.page.get_by_label(re.compile("Device message")).check()
    support.page.get_by_label(re.compile("Message names")).fill("alarm/leak")
    support.press("Create webhook")
    support.sees("it won’t be shown again")
    look(support, "webhook made")
    return {"url": support.page.url, "secret": support.page.locator(".copy code").inner_text()}


def test_a_key_created_in_settings_assigns_a_device_and_appears_in_activity(support, server, world, key, owned):
    support.page.goto("/activity/")
    line = support.page.get_by_role("row").filter(has_text="assigned").filter(has_text="HT-0")
    expect(line.first).to_contain_text("Waerme Ulm")
    expect(line.first).to_contain_text(KEY)
    support.page.goto(f"/devices/{owned}/")
    support.sees("Owned")

    support.page.goto("/settings/api-keys/")
    support.page.get_by_role("row").filter(has_text=KEY).get_by_text("now").first.wait_for()


def test_a_key_that_is_revoked_opens_nothing_from_then_on(support, server, world):
    support.page.goto("/settings/api-keys/new/")
    support.fill(Name="Old tester")
    support.press("Create API key")
    bearer = {"Authorization": f"Bearer {support.page.locator('.copy code').inner_text()}"}
    assert call(server, "GET", "/api/v1/devices", **bearer)[0] == 200
    support.page.goto("/settings/api-keys/")
    support.page.get_by_role("row").filter(has_text="Old tester").get_by_role("link", name="Revoke…").click()
    look(support, "revoke key")
    support.press("Revoke key")
    support.sees("API key Old tester revoked.")
    assert call(server, "GET", "/api/v1/devices", **bearer)[0] == 401


def test_a_key_for_a_customer_offers_what_a_customer_may(support, world):
    support.page.goto("/settings/api-keys/new/")
    staff, customer = (
        support.page.get_by_role("group", name=re.compile(name)) for name in ("^Permissions$", "as a customer")
    )
    expect(staff).to_be_visible()
    expect(customer).to_be_hidden()
    support.page.get_by_label(re.compile("^Customer")).fill("Elsewhere")
    expect(staff).to_be_hidden()
    expect(customer).to_be_visible()
    look(support, "new key of a customer")


def test_a_test_of_a_webhook_arrives_signed_and_its_page_says_so(support, receiver, hook):
    support.page.goto(hook["url"])
    expect(support.page.get_by_text(hook["secret"])).to_have_count(0)
    support.press("Send a test")
    support.page.wait_for_url(re.compile("/calls/"))
    support.sees("204")
    support.sees("Sent")
    look(support, "delivery")
    headers, body = next(each for each in receiver.got if b"webhook.test" in each[1])
    assert Webhook(hook["secret"]).verify(body, headers)["type"] == "webhook.test"
    expect(support.page.locator("pre").last).to_contain_text('"type": "webhook.test"')
    support.page.goto(hook["url"])
    support.sees("webhook.test")


def test_a_message_is_seen_by_staff_and_by_its_owner_alone(support, server, secret, owned, hook, receiver, ida, otto):
    messages = [{"name": "alarm/leak", "data": {"litres_per_hour": 87}}, {"name": "reading", "data": {"c": 41.5}}]
    assert as_device(server, "wrong" * 8, "POST", "messages", messages)[0] == 401
    assert as_device(server, secret, "POST", "messages", messages)[0] == 202
    for address in (f"/devices/{owned}/", f"/devices/{owned}/messages/"):
        support.page.goto(address)
        support.sees('{"litres_per_hour": 87}')
    ida.page.goto(f"/portal/devices/{owned}/")
    ida.follow("Messages")
    ida.sees('{"litres_per_hour": 87}')
    otto.page.goto("/portal/")
    expect(otto.page.get_by_text("HT-0")).to_have_count(0)
    for address in (f"/portal/devices/{owned}/", f"/portal/devices/{owned}/messages/"):
        assert otto.page.goto(address).status == 404
        expect(otto.page.get_by_text("litres_per_hour")).to_have_count(0)

    support.page.goto(hook["url"])
    expect(support.page.get_by_role("row").filter(has_text="HT-0 · alarm/leak").get_by_text("Sent")).to_be_visible()
    told = [json.loads(body) for _headers, body in receiver.got]
    assert [body["type"] for body in told if body["type"] != "webhook.test"] == ["message"]


def test_an_answer_to_a_call_appears_in_the_portal_without_a_reload(server, secret, owned, ida):
    ida.page.goto(f"/portal/devices/{owned}/")
    ida.follow("Query…")
    ida.fill(Name="flow")
    ida.press("Query")
    ida.sees("Waiting")
    ida.page.evaluate("window.stayed = true")
    status, waiting = as_device(server, secret, "GET", "calls?wait=5")
    assert (status, [each["name"] for each in waiting["calls"]]) == (200, ["flow"])
    answer = f"calls/{waiting['calls'][0]['id']}"
    assert as_device(server, secret, "POST", answer, {"result": 12.75})[0] == 202
    ida.sees("12.75")
    assert ida.page.evaluate("window.stayed") is True
    look(ida, "portal answer")
    ida.page.goto(f"/portal/devices/{owned}/")
    ida.sees("12.75")


def test_a_customer_makes_a_key_of_its_own(server, owned, ida):
    ida.page.goto("/portal/api-keys/")
    ida.follow("New API key")
    ida.fill(Name="Home")
    ida.press("Create API key")
    look(ida, "portal key made")
    bearer = {"Authorization": f"Bearer {ida.page.locator('.copy code').inner_text()}"}
    status, found = call(server, "GET", "/api/v1/devices", **bearer)
    assert (status, [row["serial_number"] for row in found["results"]]) == (200, ["HT-0"])
    ida.page.goto("/portal/api-keys/")


@pytest.fixture(scope="module")
def asked(support: Person, server: Any, owned: str, secret: str) -> str:
    """The page of a call that nobody answered, of a device that has published."""
    assert as_device(server, secret, "POST", "messages", [{"name": "reading", "data": {"c": 40}}])[0] == 202
    support.page.goto(f"/devices/{owned}/call/")
    support.fill(Name="pressure", Timeout_in_seconds="1")
    support.press("Call")
    support.sees("Timed out")
    return support.page.url


def test_axe_finds_nothing_on_the_pages_of_integration(support, person, world, owned, asked, hook, ida):
    """Each page on a desk and on a phone, in both themes; the page of the API with calls open, and for everybody."""
    for address in (
        "/settings/api-keys/",
        "/settings/webhooks/",
        "/settings/webhooks/new/",
        hook["url"],
        f"{hook['url']}edit/",
        f"{hook['url']}secret/",
        f"/devices/{owned}/",
        f"/devices/{owned}/messages/",
        f"/devices/{world['HT-1']}/messages/",
        f"/devices/{owned}/call/",
        asked,
        f"/devices/{owned}/secret/",
        f"/customers/{world['Waerme Ulm']}/",
        f"/customers/{world['Waerme Ulm']}/projects/new/",
    ):
        support.page.goto(address)
        look(support, address)
    support.page.goto("/api/v1/docs/")
    for summary in support.page.locator(".api-call > summary").all()[:12]:
        summary.click()
    support.check("docs of a member, calls open")
    signed_out = person(PHONE)
    signed_out.go("/api/v1/docs/")

    ida.page.goto(f"/portal/devices/{owned}/")
    project = ida.page.locator("a[href^='/portal/projects/']").first.get_attribute("href")
    for address in (
        f"/portal/devices/{owned}/",
        f"/portal/devices/{owned}/messages/",
        f"/portal/devices/{owned}/messages/?name=none",
        f"{project}messages/",
        f"/portal/devices/{owned}/calls/",
        f"/portal/devices/{owned}/calls/new/",
        "/portal/api-keys/",
        "/portal/api-keys/new/",
    ):
        ida.page.goto(address)
        look(ida, address)


def test_the_tab_that_is_open_is_in_sight_on_a_phone(support, person, world):
    phone = person(PHONE, storage_state=support.context.storage_state())
    phone.page.goto("/settings/webhooks/")
    expect(phone.page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=1)
