"""List pages: of a large organization against a small one in the same tables, and against Django admin's."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench.cases import END, cases, device_case, sample, single_pages
from bench.data import World
from bench.report import Line, milliseconds
from bench.timing import interleaved
from devices.models import Device

SLOWER, QUERIES, BYTES = 1.2, 8, 60_000


def get(client: Client, url: str) -> Callable[[], Any]:
    """Return a function that loads the page. Raises AssertionError if the page does not exist."""

    def work() -> Any:
        response = client.get(url)
        assert response.status_code == 200, (url, response.status_code)
        return response

    return work


def measure(worlds: list[World]) -> Iterator[Line]:
    """Measure each list page at the large size against the small one; then the most queries and bytes of any."""
    clients = [world.client() for world in worlds]
    most_queries, most_bytes = (0, ""), (0, "")
    for case in chain(cases(), single_pages()):
        for place in case.places:
            works = [get(c, case.url(w, place)) for w, c in zip(worlds, clients, strict=True)]
            work = f"{case.work}, {place}" if len(case.places) > 1 else case.work
            with CaptureQueriesContext(connection) as queries:
                response = works[-1]()
            if case.is_list:
                most_queries = max(most_queries, (len(queries), work))
                most_bytes = max(most_bytes, (len(response.content), work))
            small, large = interleaved(*works)
            budget = SLOWER if case.is_list else None
            yield Line(work, milliseconds(large), milliseconds(small), large / small, most=budget)
    yield Line(
        f"most queries of a list page ({most_queries[1]})",
        str(most_queries[0]),
        "–",
        most_queries[0],
        most=QUERIES,
        unit="queries",
    )
    yield Line(
        f"largest HTML of a list page ({most_bytes[1]})",
        f"{most_bytes[0]:,} bytes",
        "–",
        most_bytes[0] / 1000,
        most=BYTES / 1000,
        unit="kB",
    )


def measure_portal(worlds: list[World]) -> Iterator[Line]:
    """Measure the portal of a person whose customer owns one device in forty, at both sizes."""
    works = [get(world.client(world.person(world.large)), reverse("portal:home")) for world in worlds]
    small, large = interleaved(*works)
    yield Line(
        "portal of an owner of many, first page", milliseconds(large), milliseconds(small), large / small, most=SLOWER
    )


def measure_admin(worlds: list[World]) -> Iterator[Line]:
    """Measure the device list against Django admin's list of the same rows, with the same client."""
    ours, theirs = reverse("devices:device_list"), reverse("admin:devices_device_changelist")
    by_serial = device_case("by serial")
    for world, most in zip(worlds, (0.5, 0.2), strict=True):
        client, serial = world.client(), sample(world).serial_number
        last = (Device.objects.filter(organization=world.organization).count() - 1) // 50 + 1
        pairs = {
            "first page": (ours, theirs),
            "last page": (by_serial.url(world, END), f"{theirs}?p={last}"),
            "search for a serial": (f"{ours}?q={serial}", f"{theirs}?q={serial}"),
        }
        for work, (mine, peer) in pairs.items():
            our, their = interleaved(get(client, mine), get(client, peer), rounds=15)
            yield Line(
                f"devices against Django admin, {world.size:,}, {work}",
                milliseconds(our),
                milliseconds(their),
                our / their,
                most=most,
            )
