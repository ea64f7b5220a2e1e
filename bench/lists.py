"""List pages: the same page of a large organization and of a small one in the same tables; and Django admin's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench.data import World
from bench.report import Line, milliseconds
from bench.timing import interleaved
from claims.models import Claim, ClaimProfile
from console import listing
from console.models import Event
from customers.models import Customer
from devices.models import Device

FIRST, MIDDLE, END = "first page", "in the middle", "near the end"
SLOWER, QUERIES, BYTES = 1.2, 8, 60_000


@dataclass(frozen=True)
class Case:
    """A list page: its address, its filters, and the rows behind it in its order, from which cursors are made."""

    work: str
    address: Callable[[World], str]
    query: Callable[[World], dict[str, Any]] = lambda world: {}
    rows: Callable[[World], QuerySet] | None = None
    order: str = "serial_key"
    places: tuple[str, ...] = (FIRST, MIDDLE)
    is_list: bool = True

    def url(self, world: World, place: str) -> str:
        """The address of the page at one place of the list."""
        query = self.query(world)
        if place != FIRST:
            query = query | {"cursor": self._cursor(world, place)}
        return self.address(world) + (f"?{urlencode(query, doseq=True)}" if query else "")

    def _cursor(self, world: World, place: str) -> str:
        rows = self.rows(world)  # type: ignore[misc]
        count = rows.order_by().count()
        at = count // 2 if place == MIDDLE else max(0, count - listing.PAGE_SIZE - 10)
        descending, key = self.order.startswith("-"), self.order.lstrip("-")
        order = [self.order] if key == "id" else [self.order, "-id" if descending else "id"]
        return listing._encode(rows.order_by(*order)[at], key, at + 1, back=False)


def named(view: str) -> Callable[[World], str]:
    """The address of a view without arguments."""
    return lambda world: reverse(view)


def devices(world: World, **conditions: Any) -> QuerySet:
    """What the device list shows."""
    return Device.objects.filter(organization=world.organization, **({"archived_at": None} | conditions))


def device_case(work: str, places: tuple[str, ...] = (FIRST, MIDDLE), order: str = "serial_key",
                rows: Callable[[World], QuerySet] = devices, **query: Any) -> Case:  # fmt: skip
    """The device list with these filters; a filter that is callable is asked for its value."""

    def filled(world: World) -> dict[str, Any]:
        return {name: value(world) if callable(value) else value for name, value in query.items()}

    return Case(f"devices, {work}", named("devices:device_list"), filled, rows, order, places)


def status_case(status: str) -> Case:
    """The device list of one status."""
    return device_case(f"status {status}", status=status, rows=lambda w: devices(w, status=status))


def tag_case(name: str) -> Case:
    """The device list of one tag."""
    return device_case(
        f"tag “{name}”",
        tag=lambda w: w.tags[name].pk,
        rows=lambda w: devices(w, device_tags__tag=w.tags[name]),
    )


def sample(world: World) -> Device:
    """Some device of the organization."""
    return devices(world, product=world.products[1]).order_by("-id")[world.size // 50]


def cases() -> Iterator[Case]:
    """Every list page, with each filter and order that it offers."""
    both, product = (FIRST, MIDDLE), {"product": lambda w: w.products[1].pk}
    yield device_case("by serial", (FIRST, MIDDLE, END))
    yield device_case("by serial, descending", both, "-serial_key", sort="-serial")
    yield device_case("by age", both, "id", sort="registered")
    yield device_case("by age, descending", (FIRST, MIDDLE, END), "-id", sort="-registered")
    yield device_case("one product", **product, rows=lambda w: devices(w, product=w.products[1]))
    yield device_case("two products", product=lambda w: [w.products[1].pk, w.products[3].pk],
                      rows=lambda w: devices(w, product__in=[w.products[1], w.products[3]]))  # fmt: skip
    yield device_case("one product by age, descending", order="-id", **product, sort="-registered",
                      rows=lambda w: devices(w, product=w.products[1]))  # fmt: skip
    for status in ("in_stock", "owned", "returned", "scrapped", "reserved"):
        yield status_case(status)
    yield device_case("two statuses", status=["returned", "scrapped"],
                      rows=lambda w: devices(w, status__in=["returned", "scrapped"]))  # fmt: skip
    yield device_case("status returned by age, descending", order="-id", status="returned", sort="-registered",
                      rows=lambda w: devices(w, status="returned"))  # fmt: skip
    yield device_case("one product and status", **product, status="returned",
                      rows=lambda w: devices(w, product=w.products[1], status="returned"))  # fmt: skip
    yield device_case(
        "owner of many", customer=lambda w: w.large.pk, rows=lambda w: devices(w, customer=w.large)
    )
    yield device_case("owner of few", (FIRST,), customer=lambda w: w.usual.pk)
    yield device_case("owner of many by age, descending", order="-id", customer=lambda w: w.large.pk, sort="-registered",
                      rows=lambda w: devices(w, customer=w.large))  # fmt: skip
    for tag in ("lot", "pilot", "few"):
        yield tag_case(tag)
    yield device_case("development", development="on", rows=lambda w: devices(w, is_development=True))
    yield device_case("archived", archived="on", rows=lambda w: devices(w).model.objects.filter(
        organization=w.organization, archived_at__isnull=False))  # fmt: skip
    yield device_case("search, a serial", (FIRST,), q=lambda w: sample(w).serial_number)
    yield device_case("search, beginning of a serial", (FIRST,), q=lambda w: sample(w).serial_number[:-2])
    yield device_case("search, beginning of all serials", both, q="AQM26-")
    yield device_case("search, a device name", (FIRST,), q=lambda w: sample(w).device_name)
    yield device_case("search, beginning of a device name", (FIRST,), q=lambda w: sample(w).device_name[:-2])
    yield device_case("search, nothing found", (FIRST,), q="ZZZ-1")
    yield device_case(
        "search within a product", (FIRST,), q=lambda w: sample(w).serial_number[:-2], **product
    )
    yield from other_cases()


def other_cases() -> Iterator[Case]:
    """The lists of customers, claim profiles, claims, units, products and events."""
    customers = named("customers:customer_list")
    yield Case(
        "customers",
        customers,
        rows=lambda w: Customer.objects.filter(organization=w.organization),
        order="name_key",
    )
    yield Case("customers, search", customers, lambda w: {"q": "Customer 00001"}, places=(FIRST,))
    yield Case("customers, companies", customers, lambda w: {"kind": "company"}, places=(FIRST,))
    yield Case("products", named("devices:product_list"), places=(FIRST,))
    profiles = named("claims:claim_profile_list")
    yield Case("claim profiles", profiles, order="name_key",
               rows=lambda w: ClaimProfile.objects.filter(organization=w.organization))  # fmt: skip
    yield Case("claim profiles, search", profiles, lambda w: {"q": "Offer 0000"}, places=(FIRST,))
    yield Case("claims of a profile", lambda w: reverse("claims:claim_profile_claims", args=[w.units.pk]), order="-id",
               rows=lambda w: Claim.objects.filter(profile=w.units))  # fmt: skip
    units = lambda w: reverse("claims:claim_profile_units", args=[w.units.pk])  # noqa: E731
    coded = lambda w: Device.objects.filter(organization=w.organization, claim_codes__profile=w.units)  # noqa: E731
    yield Case("units of a profile by age", units, order="id", rows=coded)
    yield Case("units of a profile by serial", units, lambda w: {"sort": "serial"}, rows=coded)
    activity = named("console:activity_list")
    events = lambda w: Event.objects.filter(organization=w.organization)  # noqa: E731
    yield Case("activity", activity, order="-id", rows=events, places=(FIRST, MIDDLE, END))
    yield Case("activity, one kind", activity, lambda w: {"kind": "device.assigned"}, order="-id",
               rows=lambda w: events(w).filter(kind="device.assigned"))  # fmt: skip
    yield Case(
        "activity, one device", activity, lambda w: {"about": f"device:{sample(w).pk}"}, places=(FIRST,)
    )
    yield Case("activity, one person", activity, lambda w: {"who": w.member.pk}, order="-id", rows=events)
    yield Case("activity, search", activity, lambda w: {"q": sample(w).serial_number}, places=(FIRST,))
    everything = named("console:search")
    yield Case(
        "search for everything", everything, lambda w: {"q": sample(w).serial_number[:-2]}, places=(FIRST,)
    )


def single_pages() -> Iterator[Case]:
    """Pages of one thing, or of numbers, that might grow with what they tell of. They have no budget of their own."""
    for work, address in {
        "overview": named("console:home"),
        "product": lambda w: w.products[1].get_absolute_url(),
        "claim profile": lambda w: w.units.get_absolute_url(),
        "customer of many devices": lambda w: w.large.get_absolute_url(),
    }.items():
        yield Case(work, address, places=(FIRST,), is_list=False)


def get(client: Client, url: str) -> Callable[[], Any]:
    """A work that loads the page. Raises AssertionError where it is not there."""

    def work() -> Any:
        response = client.get(url)
        assert response.status_code == 200, (url, response.status_code)
        return response

    return work


def measure(worlds: list[World]) -> Iterator[Line]:
    """Each list page at the large size against the small one; then the most queries and bytes of any."""
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
    yield Line(f"most queries of a list page ({most_queries[1]})", str(most_queries[0]), "–", most_queries[0], most=QUERIES,
               unit="queries")  # fmt: skip
    yield Line(f"largest HTML of a list page ({most_bytes[1]})", f"{most_bytes[0]:,} bytes", "–", most_bytes[0] / 1000,
               most=BYTES / 1000, unit="kB")  # fmt: skip


def measure_portal(worlds: list[World]) -> Iterator[Line]:
    """The portal of somebody whose customer owns one device in forty, at both sizes."""
    works = [get(world.client(world.person(world.large)), reverse("portal:home")) for world in worlds]
    small, large = interleaved(*works)
    yield Line(
        "portal of an owner of many, first page",
        milliseconds(large),
        milliseconds(small),
        large / small,
        most=SLOWER,
    )


def measure_admin(worlds: list[World]) -> Iterator[Line]:
    """The device list against Django admin's of the same rows, by the same client."""
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
            yield Line(f"devices against Django admin, {world.size:,}, {work}", milliseconds(our), milliseconds(their),
                       our / their, most=most)  # fmt: skip
