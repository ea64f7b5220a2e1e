"""The list pages of the console, with each filter, order and position that they offer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from bench.data import World
from claims.models import Claim, ClaimProfile, Return, Shipment
from console import listing
from console.models import Event
from customers.models import Customer
from devices.models import Device

FIRST, MIDDLE, END = "first page", "in the middle", "near the end"


@dataclass(frozen=True)
class Case:
    """A list page: its address, its filters, and the rows behind it, from which cursors are built."""

    work: str
    address: Callable[[World], str]
    query: Callable[[World], dict[str, Any]] = lambda world: {}
    rows: Callable[[World], QuerySet] | None = None
    order: str = "serial_key"
    places: tuple[str, ...] = (FIRST, MIDDLE)
    is_list: bool = True

    def url(self, world: World, place: str) -> str:
        """Return the address of the page at one position of the list."""
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
    """Return a function that returns the address of a view without arguments."""
    return lambda world: reverse(view)


def devices(world: World, **conditions: Any) -> QuerySet:
    """Return the rows of the device list."""
    return Device.objects.filter(organization=world.organization, **({"archived_at": None} | conditions))


def device_case(
    work: str,
    places: tuple[str, ...] = (FIRST, MIDDLE),
    order: str = "serial_key",
    rows: Callable[[World], QuerySet] = devices,
    **query: Any,
) -> Case:
    """Return the device list with these filters; a filter that is callable is called for its value."""

    def filled(world: World) -> dict[str, Any]:
        return {name: value(world) if callable(value) else value for name, value in query.items()}

    return Case(f"devices, {work}", named("devices:device_list"), filled, rows, order, places)


def status_case(status: str) -> Case:
    """Return the device list of one status."""
    return device_case(f"status {status}", status=status, rows=lambda w: devices(w, status=status))


def tag_case(name: str) -> Case:
    """Return the device list of one tag."""
    return device_case(
        f"tag “{name}”", tag=lambda w: w.tags[name].pk, rows=lambda w: devices(w, device_tags__tag=w.tags[name])
    )


def sample(world: World) -> Device:
    """Return some device of the organization."""
    return devices(world, product=world.products[1]).order_by("-id")[world.size // 50]


def units(world: World) -> str:
    """Return the address of the list of the devices that have a code."""
    return reverse("claims:claim_profile_units", args=[world.units.pk])


def coded(world: World) -> QuerySet:
    """Return the devices that have a code."""
    return Device.objects.filter(organization=world.organization, claim_codes__profile=world.units)


def events(world: World) -> QuerySet:
    """Return the whole audit log."""
    return Event.objects.filter(organization=world.organization)


def day_ago(days: int) -> str:
    """Return the date of that many days ago, in the format of the filters."""
    return (timezone.localdate() - timedelta(days=days)).isoformat()


# What the address says for one product.
PRODUCT = {"product": lambda w: w.products[1].pk}


def cases() -> Iterator[Case]:
    """Yield every list page, with each filter and order that it offers."""
    yield from order_cases()
    yield from filter_cases()
    yield from search_cases()
    yield from other_cases()


def order_cases() -> Iterator[Case]:
    """Yield the device list in each of its orders."""
    both = (FIRST, MIDDLE)
    yield device_case("by serial", (FIRST, MIDDLE, END))
    yield device_case("by serial, descending", both, "-serial_key", sort="-serial")
    yield device_case("by age", both, "id", sort="registered")
    yield device_case("by age, descending", (FIRST, MIDDLE, END), "-id", sort="-registered")


def filter_cases() -> Iterator[Case]:
    """Yield the device list with each of its filters, alone and with others."""
    yield device_case("one product", **PRODUCT, rows=lambda w: devices(w, product=w.products[1]))
    yield device_case(
        "two products",
        product=lambda w: [w.products[1].pk, w.products[3].pk],
        rows=lambda w: devices(w, product__in=[w.products[1], w.products[3]]),
    )
    yield device_case(
        "one product by age, descending",
        order="-id",
        **PRODUCT,
        sort="-registered",
        rows=lambda w: devices(w, product=w.products[1]),
    )
    yield from status_cases()
    yield from owner_cases()
    for tag in ("lot", "pilot", "few"):
        yield tag_case(tag)
    yield device_case("development", development="on", rows=lambda w: devices(w, is_development=True))
    yield device_case(
        "archived",
        archived="on",
        rows=lambda w: devices(w).model.objects.filter(organization=w.organization, archived_at__isnull=False),
    )


def status_cases() -> Iterator[Case]:
    """Yield the device list with its filter by status."""
    for status in ("in_stock", "owned", "returned", "scrapped", "reserved"):
        yield status_case(status)
    yield device_case(
        "two statuses", status=["returned", "scrapped"], rows=lambda w: devices(w, status__in=["returned", "scrapped"])
    )
    yield device_case(
        "status returned by age, descending",
        order="-id",
        status="returned",
        sort="-registered",
        rows=lambda w: devices(w, status="returned"),
    )
    yield device_case(
        "one product and status",
        **PRODUCT,
        status="returned",
        rows=lambda w: devices(w, product=w.products[1], status="returned"),
    )


def owner_cases() -> Iterator[Case]:
    """Yield the device list with its filter by owner."""
    yield device_case("owner of many", customer=lambda w: w.large.pk, rows=lambda w: devices(w, customer=w.large))
    yield device_case("owner of few", (FIRST,), customer=lambda w: w.usual.pk)
    yield device_case(
        "owner of many by age, descending",
        order="-id",
        customer=lambda w: w.large.pk,
        sort="-registered",
        rows=lambda w: devices(w, customer=w.large),
    )


def search_cases() -> Iterator[Case]:
    """Yield the device list with a search."""
    yield device_case("search, a serial", (FIRST,), q=lambda w: sample(w).serial_number)
    yield device_case("search, beginning of a serial", (FIRST,), q=lambda w: sample(w).serial_number[:-2])
    yield device_case("search, beginning of all serials", (FIRST, MIDDLE), q="AQM26-")
    yield device_case("search, a device name", (FIRST,), q=lambda w: sample(w).device_name)
    yield device_case("search, beginning of a device name", (FIRST,), q=lambda w: sample(w).device_name[:-2])
    yield device_case("search, nothing found", (FIRST,), q="ZZZ-1")
    yield device_case("search within a product", (FIRST,), q=lambda w: sample(w).serial_number[:-2], **PRODUCT)


def other_cases() -> Iterator[Case]:
    """Yield the lists of customers, claim profiles, claims, devices, products and events."""
    customers = named("customers:customer_list")
    yield Case(
        "customers", customers, rows=lambda w: Customer.objects.filter(organization=w.organization), order="name_key"
    )
    yield Case("customers, search", customers, lambda w: {"q": "Customer 00001"}, places=(FIRST,))
    yield Case("customers, companies", customers, lambda w: {"kind": "company"}, places=(FIRST,))
    yield Case("customers, archived", customers, lambda w: {"archived": "on"}, places=(FIRST,))
    yield Case("customers with devices", customers, lambda w: {"devices": "yes"}, places=(FIRST,))
    yield Case("customers without devices", customers, lambda w: {"devices": "no"}, places=(FIRST,))
    yield Case("customers by age, descending", customers, lambda w: {"sort": "-added"}, places=(FIRST,))
    yield Case("products", named("devices:product_list"), places=(FIRST,))
    profiles = named("claims:claim_profile_list")
    yield Case(
        "claim profiles",
        profiles,
        order="name_key",
        rows=lambda w: ClaimProfile.objects.filter(organization=w.organization),
    )
    yield Case("claim profiles, search", profiles, lambda w: {"q": "Offer 0000"}, places=(FIRST,))
    yield Case("claim profiles, enabled", profiles, lambda w: {"state": "enabled"}, places=(FIRST,))
    yield Case("claim profiles, for each unit", profiles, lambda w: {"scope": "unit"}, places=(FIRST,))
    yield Case(
        "claims of a profile",
        lambda w: reverse("claims:claim_profile_claims", args=[w.units.pk]),
        order="-id",
        rows=lambda w: Claim.objects.filter(profile=w.units),
    )
    yield Case("units of a profile by age", units, order="id", rows=coded)
    yield Case(
        "units of a profile by age, descending", units, lambda w: {"sort": "-registered"}, rows=coded, order="-id"
    )
    yield Case("units of a profile, search", units, lambda w: {"q": sample(w).serial_number[:-3]}, places=(FIRST,))
    yield from shipment_cases()
    yield from return_cases()
    yield from activity_cases()


def shipment_cases() -> Iterator[Case]:
    """Yield the lists of shipments."""
    address = named("claims:shipment_list")

    def shipments(world: World, **conditions: Any) -> QuerySet:
        return Shipment.objects.filter(organization=world.organization, **conditions)

    yield Case("shipments", address, order="-id", rows=shipments, places=(FIRST, MIDDLE, END))
    yield Case(
        "shipments, shipped",
        address,
        lambda w: {"state": "shipped"},
        order="-id",
        rows=lambda w: shipments(w, state="shipped"),
    )
    yield Case("shipments, being packed", address, lambda w: {"state": "open"}, places=(FIRST,))
    yield Case("shipments of a customer", address, lambda w: {"customer": w.usual.pk}, places=(FIRST,))
    yield Case("shipments, search", address, lambda w: {"q": "PO-00000"}, places=(FIRST,))


def return_cases() -> Iterator[Case]:
    """Yield the lists of returns and the queue of labels."""
    address, queue = named("claims:return_list"), named("claims:return_label_queue")

    def returns(world: World, **conditions: Any) -> QuerySet:
        return Return.objects.filter(organization=world.organization, **conditions)

    yield Case("returns", address, order="-id", rows=returns, places=(FIRST, MIDDLE, END))
    yield Case(
        "returns under way",
        address,
        lambda w: {"state": "open"},
        order="-id",
        rows=lambda w: returns(w, state="received"),
    )
    yield Case(
        "returns, restocked",
        address,
        lambda w: {"state": "restocked"},
        order="-id",
        rows=lambda w: returns(w, state="restocked"),
    )
    yield Case("returns for one reason", address, lambda w: {"reason": "Wrong item"}, places=(FIRST,))
    yield Case("returns of a customer", address, lambda w: {"customer": w.usual.pk}, places=(FIRST,))
    yield Case("returns, search", address, lambda w: {"q": sample(w).serial_number[:-2]}, places=(FIRST,))
    yield Case("returns that need a label", address, lambda w: {"needs_label": "on"}, places=(FIRST,))
    yield Case("labels to print again", queue, order="id", rows=lambda w: returns(w, needs_label=True))


def activity_cases() -> Iterator[Case]:
    """Yield the lists of the audit log."""
    activity = named("console:activity_list")
    yield Case("activity", activity, order="-at", rows=events, places=(FIRST, MIDDLE, END))
    yield Case(
        "activity, one kind",
        activity,
        lambda w: {"kind": "device.assigned"},
        order="-at",
        rows=lambda w: events(w).filter(kind="device.assigned"),
    )
    yield Case("activity, one device", activity, lambda w: {"about": f"device:{sample(w).pk}"}, places=(FIRST,))
    yield Case("activity, one person", activity, lambda w: {"who": w.member.pk}, order="-at", rows=events)
    yield Case("activity, search", activity, lambda w: {"q": sample(w).serial_number}, places=(FIRST,))
    yield Case(
        "activity, one kind of thing",
        activity,
        lambda w: {"subject": "device"},
        order="-at",
        rows=lambda w: events(w).filter(subject_kind="device"),
    )
    yield Case("activity, a rare kind of thing", activity, lambda w: {"subject": "product"}, places=(FIRST,))
    yield Case("activity, from a day on", activity, lambda w: {"since": day_ago(30)}, places=(FIRST,))
    yield Case("activity, up to a day", activity, lambda w: {"until": day_ago(300)}, places=(FIRST,))


def single_pages() -> Iterator[Case]:
    """Yield pages about one row or about numbers, whose cost might grow with their data. They have no budget."""
    for work, address in {
        "overview": named("console:home"),
        "product": lambda w: w.products[1].get_absolute_url(),
        "claim profile": lambda w: w.units.get_absolute_url(),
        "customer of many devices": lambda w: w.large.get_absolute_url(),
        "search for everything": lambda w: f"{reverse('console:search')}?q={sample(w).serial_number[:-2]}",
    }.items():
        yield Case(work, address, places=(FIRST,), is_list=False)
