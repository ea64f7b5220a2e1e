"""A real server with its workers, and people with real browsers. Everything here goes through pages, as they do."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests import databases

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# Where webhooks of the journeys may go: one address of this machine, and no other.
RECEIVER = "127.0.0.77"
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
AXE_SCRIPT = Axe().axe_script
# What axe looks for: all of WCAG 2.2 AA and its own best practices.
AXE = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    # What is right is not written down: it takes half of the time.
    "resultTypes": ["violations"],
}
# What changes with the theme.
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
expect.set_options(timeout=60_000)


def pytest_collection_modifyitems(items: list) -> None:
    for item in items:
        if "e2e" in Path(str(item.fspath)).parts:
            item.add_marker(pytest.mark.e2e)
    # These begin with the link of the first run, which is good for one use; the others can do without.
    items.sort(key=lambda item: item.path.name != "test_journeys.py" or not item.get_closest_marker("e2e"))


@dataclass
class Server:
    """A running server: its address, the link of the first run, and the page of the kept mail."""

    url: str
    setup: str
    mailbox: str


@pytest.fixture(scope="session")
def server(tmp_path_factory: Any, django_db_blocker: Any) -> Iterator[Server]:
    """`manage.py serve` with its own folder and port, as script/server starts it. Only the migrations have run.

    The first start that migrates is tested in tests/console/server/test_serve.py.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = tmp_path_factory.mktemp("data")
    if connection.vendor == "sqlite":
        with django_db_blocker.unblock():
            shutil.copyfile(databases.migrated_file(), data / "custody.sqlite3")
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("CUSTODY_", "DJANGO_", "DATABASE_URL"))
    } | {
        "CUSTODY_DATA": str(data),
        "PORT": str(port),
        "CUSTODY_EMBEDDED": "1",
        "PYTHONUNBUFFERED": "1",
        "CUSTODY_WEBHOOK_NETWORKS": f"{RECEIVER}/32",
    }
    subprocess.run([sys.executable, "-m", "console.keys"], cwd=ROOT, env=environment, check=True)
    with (data / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield _ready(data / "log", process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def _ready(log: Path, process: subprocess.Popen) -> Server:
    # A machine with other work needs more than a minute to migrate and start.
    for _try in range(1_800):
        said = log.read_text()
        links = re.findall(r"http://localhost:\d+/\S*", said)
        if "Stop it with" in said:
            setup = next(link for link in links if "/setup/" in link)
            mailbox = next(link for link in links if "/mail/" in link)
            return Server(setup.split("/setup/")[0], setup, mailbox)
        assert process.poll() is None, said
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    quiet = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": quiet}


class Person:
    """Somebody at a browser. Each page that he comes to is checked by axe, and nothing may be wrong in the console."""

    def __init__(self, browser: Browser, server: Server, viewport: dict, **more: Any) -> None:
        # Without motion the theme changes at once, and no check meets a colour half way.
        self.context: BrowserContext = browser.new_context(
            viewport=viewport, base_url=server.url, reduced_motion="reduce", **more
        )
        self.page: Page = self.context.new_page()
        self.server, self.complaints, self.seen = server, [], set()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._response)

    def _console(self, message: Any) -> None:
        # Chromium says this for every answer of 4xx, which are checked where they are expected.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _response(self, response: Any) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} {response.url}")

    def check(self, name: str) -> None:
        """Nothing is wrong with the page that is open: axe, its colours in the dark theme too, width, console."""
        if name in self.seen:
            return
        self.seen.add(name)
        self.page.wait_for_load_state()
        self._axe(f"{name}, light", AXE)
        self.page.emulate_media(color_scheme="dark")
        self._axe(f"{name}, dark", COLOURS)
        self.page.emulate_media(color_scheme="light")
        overflow = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{name} is {overflow} px too wide"
        assert self.complaints == [], name

    def _axe(self, name: str, options: dict) -> None:
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate("options => axe.run(options)", options)
        wrong = [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in found["violations"]]
        assert wrong == [], f"{name}: {wrong}"

    def go(self, address: str) -> None:
        """Open an address and check the page."""
        self.page.goto(address)
        self.check(re.sub(r"\d+", "N", address.replace(self.server.url, "").split("?")[0]))

    def press(self, name: str) -> None:
        """Press the button of this name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """Follow the link of this name."""
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def fill(self, **fields: str) -> None:
        """Fill fields by their labels, with _ for a space."""
        for label, value in fields.items():
            self.page.get_by_label(re.compile(label.replace("_", " "), re.IGNORECASE)).first.fill(value)

    def sees(self, text: str) -> None:
        """The text stands on the page."""
        expect(self.page.get_by_text(text).locator("visible=true").first).to_be_visible()

    def close(self) -> None:
        """Leave. Nothing may have gone wrong on the way."""
        assert self.complaints == []
        self.context.close()


@pytest.fixture(scope="session")
def person(browser: Browser, server: Server) -> Iterator[Any]:
    """Makes people; all leave at the end."""
    made: list[Person] = []

    def make(viewport: dict = DESK, **more: Any) -> Person:
        made.append(Person(browser, server, viewport, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()


def read_qr(page: Page, picture: Path) -> str:
    """What a camera reads from the picture of the page."""
    page.screenshot(path=picture, full_page=True)
    found = zxingcpp.read_barcodes(Image.open(picture))
    assert len(found) == 1, [code.text for code in found]
    return found[0].text


def mailed_code(person: Person, address: str) -> str:
    """The newest six digits that were mailed to the address, read where the operator reads kept mail."""
    page = person.context.new_page()
    try:
        for _try in range(60):
            page.goto(person.server.mailbox)
            for mail in page.get_by_role("article").all():
                text = mail.inner_text()
                digits = re.search(r"\b(\d{6})\b", text)
                if address in text and digits:
                    return digits[1]
            page.wait_for_timeout(250)
    finally:
        page.close()
    raise AssertionError(f"no code was mailed to {address}")
