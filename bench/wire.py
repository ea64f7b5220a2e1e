"""What a browser receives for a first page from the product's own server: the bodies as they are sent."""

import http.client
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser

from django.conf import settings
from django.test import Client
from django.urls import reverse

from bench import server
from bench.data import World
from bench.pages import link_of, scanned, single_profile
from bench.report import Line

CONSOLE, CLAIM = 40_000, 30_000
# What current browsers accept.
ENCODINGS = "gzip, deflate, br, zstd"


class Links(HTMLParser):
    """Collects the styles, scripts, icons and images that a page loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Collect the links of one element of the page."""
        given = dict(attributes)
        if tag == "link" and {"stylesheet", "icon", "manifest"} & set((given.get("rel") or "").split()):
            self.found.append(given.get("href") or "")
        if tag in {"script", "img", "source"} and given.get("src"):
            self.found.append(given["src"] or "")
        if tag == "use" and given.get("href"):
            self.found.append((given["href"] or "").split("#")[0])


def fetch(port: int, path: str, client: Client) -> tuple[str, int, str]:
    """Load one address with the cookies of the client: text, bytes on the wire, and their encoding."""
    connection = http.client.HTTPConnection("localhost", port, timeout=30)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    connection.request("GET", path, headers={"Accept-Encoding": ENCODINGS, "Cookie": cookies})
    response = connection.getresponse()
    body, encoding = response.read(), response.headers.get("Content-Encoding", "as it is")
    assert response.status == 200, (path, response.status)
    return (body.decode() if encoding == "as it is" else ""), len(body), encoding


def first_page(port: int, path: str, client: Client) -> dict[str, tuple[int, str]]:
    """Return everything that a browser with an empty cache loads for a page: bytes and encoding by address."""
    text, size, encoding = fetch(port, path, client)
    found = {path: (size, encoding)}
    links = Links()
    links.feed(text or client.get(path).content.decode())
    for link in filter(lambda link: link.startswith(settings.STATIC_URL), dict.fromkeys(links.found)):
        found[link] = fetch(port, link, client)[1:]
    return found


def kind_of(link: str) -> str:
    """Return CSS, JS, or another kind."""
    return {"css": "CSS", "js": "JS"}.get(link.rpartition(".")[2], "other")


def measure(world: World) -> Iterator[Line]:
    """Measure the console's overview, a full list, and the claim page."""
    pages = {
        "console, overview": (reverse("console:home"), world.client(), CONSOLE),
        "console, 50 devices": (reverse("devices:device_list"), world.client(), CONSOLE),
        "claim landing": (reverse("claim:landing"), scanned(link_of(single_profile(world))), CLAIM),
    }
    with server.running() as port:
        for work, (path, client, most) in pages.items():
            parts = first_page(port, path, client)
            sizes = Counter()
            for link, (size, _encoding) in parts.items():
                sizes["HTML" if link == path else kind_of(link)] += size
            said = ", ".join(f"{kind} {size / 1000:.1f}" for kind, size in sizes.items())
            said += f"; HTML {parts[path][1]}"
            total = sum(sizes.values())
            yield Line(f"first page on the wire: {work}", said, "–", total / 1000, most=most / 1000, unit="kB")
