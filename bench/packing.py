"""Two packers at one shipment: a thousand scans over HTTP, of devices among many others."""

import multiprocessing
from collections.abc import Iterator
from statistics import median, quantiles

from django.conf import settings
from django.urls import reverse

from bench import clients, server
from bench.data import make, settle
from bench.report import Line, milliseconds
from claims.models import ShipmentUnit
from claims.shipments.actions import shipments
from console.access import system
from devices.models import Device

PACKERS, SCANS, DEVICES = 2, 1_000, 100_000
MOST = 100.0
SECRET = "c" * 32


def measure(devices: int = DEVICES) -> Iterator[Line]:
    """Measure each scan as the scanner sends it, one after the other, by two at once. No device may be in twice."""
    world = make("Packing", devices)
    settle()
    by = system(world.organization)
    shipment = shipments.create(customer=world.usual, lines={}, by=by)
    stock = Device.objects.filter(organization=world.organization, status="in_stock", archived_at=None)
    serials = list(stock.order_by("serial_key").values_list("serial_number", flat=True)[:SCANS])
    sessions = [world.client().cookies[settings.SESSION_COOKIE_NAME].value for _packer in range(PACKERS)]
    with server.running() as port:
        path = reverse("claims:shipment_pack", args=[shipment.pk])
        found = _scan(port, path, [(session, serials[n::PACKERS]) for n, session in enumerate(sessions)])
    times, failures = [t for taken, _f in found for t in taken], [f for _t, wrong in found for f in wrong]
    assert not failures, failures[:3]
    assert ShipmentUnit.objects.filter(shipment=shipment, is_open=True).count() == SCANS
    p95 = quantiles(times, n=20)[-1]
    yield Line(f"a packing scan, two packers, {devices:,} devices, p50", milliseconds(median(times)), "–")
    yield Line(
        f"a packing scan, two packers, {devices:,} devices, p95",
        milliseconds(p95),
        "–",
        p95 * 1000,
        most=MOST,
        unit="ms",
    )


def cookies(session: str) -> str:
    """Return the cookies of a packer's browser."""
    return f"{settings.CSRF_COOKIE_NAME}={SECRET}; {settings.SESSION_COOKIE_NAME}={session}"


def _scan(port: int, path: str, packers: list[tuple[str, list[str]]]) -> list[tuple[list[float], list[str]]]:
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(len(packers)), context.Queue()
    processes = [
        context.Process(
            target=clients.scan_all, args=(port, path, cookies(session), SECRET, serials, barrier, queue), daemon=True
        )
        for session, serials in packers
    ]
    for process in processes:
        process.start()
    found = [queue.get(timeout=120) for _process in processes]
    for process in processes:
        process.join(60)
    return found
