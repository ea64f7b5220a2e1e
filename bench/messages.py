"""Publishing over the device API against an empty view and COPY, and the ownership window against none."""

import base64
import http.client
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from bench import publishers, server, timing
from bench.data import World, ago, device_columns, insert, is_postgresql, make_projects, padded, series, settle, start
from bench.report import Line, milliseconds, per_second
from console import sql, words
from console.access import Actor, system
from customers.models import Customer
from devices import ledger
from devices.actions import secrets
from devices.acts import Act
from devices.messages.actions import COLUMNS
from devices.models import Device, Message

LEAST_ONE, LEAST_MANY, MOST_WINDOW = 0.4, 0.3, 1.2
DEVICES, ALL, FEW = 1_000, 10_000_000, 1_000_000
# A month with a message each minute.
MONTH = 30 * 24 * 60
CLIENTS, SECONDS, BATCH, ROUNDS = 8, 4.0, 1_000, 9
DATA = {"temperature": 21.37, "total_m3": 104.118, "ok": True}
HEADERS = {"Content-Type": "application/json"}


def measure(bulk: int, count: int = 0) -> Iterator[Line]:
    """Measure a world of devices, one of them owned and with a secret, and very many messages."""
    world = start("Messages", DEVICES)
    insert(Device, device_columns(world, padded("s.i", 7), str(world.products[0].pk)), series(DEVICES))
    customer = Customer(organization=world.organization, name="Owner", reference="O")
    customer.set_keys()
    customer.save()
    words.write("customer", {customer.pk: customer.name})
    make_projects(world)
    device, by = Device.objects.order_by("pk")[0], system(world.organization)
    began = timezone.now() - timedelta(days=20)
    ledger.assign(
        [device.pk], Act(by, at=began), customer=customer, project=customer.projects.get(), reason="assignment"
    )
    secret = secrets.renew([device.pk], by=by)[device.pk]
    yield from _publishing(world, device, secret)
    count = count or (FEW if bulk < 100_000 else ALL)
    _fill(world, device, count)
    yield from _window(device, customer, count)


def _publishing(world: World, device: Device, secret: str) -> Iterator[Line]:
    basic = base64.b64encode(f"{device.device_name}:{secret}".encode()).decode()
    headers = HEADERS | {"Authorization": f"Basic {basic}"}
    one = json.dumps({"name": "reading", "data": DATA})
    many = json.dumps([{"name": "reading", "data": DATA}] * BATCH)
    settle()
    with server.running() as port:
        # They take turns, so that other load on the machine affects all alike.
        found: dict[str, list[float]] = {"empty": [], "one": []}
        for _turn in range(3):
            found["empty"].append(publishers.per_second(port, CLIENTS, SECONDS, "GET", "/healthz", None, {}))
            found["one"].append(
                publishers.per_second(port, CLIENTS, SECONDS, "POST", "/device/v1/messages", one, headers)
            )
        empty, ours = (sorted(found[name])[1] for name in ("empty", "one"))
        yield Line(
            "publish one message: requests/s against an empty view",
            per_second(ours, 1),
            per_second(empty, 1),
            ours / empty,
            least=LEAST_ONE,
        )
        client = http.client.HTTPConnection("localhost", port, timeout=60)
        rows = _rows(device)
        batch, floor = timing.interleaved(
            lambda: publishers.send(client, "POST", "/device/v1/messages", many, headers),
            lambda: _copy(rows),
            rounds=ROUNDS,
        )
        peer = "COPY" if is_postgresql() else "executemany"
        yield Line(
            f"publish a batch of {BATCH:,}: messages/s against {peer}",
            per_second(BATCH, batch),
            per_second(BATCH, floor),
            floor / batch,
            least=LEAST_MANY,
        )


def _window(device: Device, customer: Customer, count: int) -> Iterator[Line]:
    owner = Actor(kind="customer", customers=frozenset({customer.pk}), organization=customer.organization)
    until = timezone.now()
    since = until - timedelta(days=19)
    settle()

    def read(rows: Any) -> int:
        return len(
            list(rows.filter(at__gte=since, at__lt=until).order_by("-at", "-id").values_list("at", "name", "data"))
        )

    within, without = (
        lambda: read(Message.objects.visible_to(owner, device=device)),
        lambda: read(Message.objects.filter(device=device)),
    )
    assert within() == without() > 0
    ours, floor = timing.interleaved(within, without)
    yield Line(
        f"{within():,} messages of one device among {count:,}, with the ownership window",
        milliseconds(ours),
        milliseconds(floor),
        ours / floor,
        most=MOST_WINDOW,
    )
    first, bare = timing.interleaved(
        lambda: list(Message.objects.visible_to(owner, device=device).order_by("-at", "-id")[:51]),
        lambda: list(Message.objects.filter(device=device).order_by("-at", "-id")[:51]),
    )
    yield Line("the newest 51 of them", milliseconds(first), milliseconds(bare), first / bare)
    project = customer.projects.get()
    whole, bare = timing.interleaved(
        lambda: list(Message.objects.visible_to(owner).of_project(project).order_by("-at", "-id")[:51]),
        lambda: list(Message.objects.filter(project=project).order_by("-at", "-id")[:51]),
    )
    yield Line("the newest 51 of a project", milliseconds(whole), milliseconds(bare), whole / bare)


def _fill(world: World, device: Device, count: int) -> None:
    """Create the month of the one device, and the messages of all others around it."""
    first = str(device.pk)
    fixed = {"organization": str(world.organization.pk), "name": "'reading'", "data": f"'{json.dumps(DATA)}'"}
    others = f"{first} + 1 + (s.i % {DEVICES - 1})"
    insert(Message, {**fixed, "device": others, "at": ago(f"s.i * {30 * 86400 / count}")}, series(count))
    insert(Message, {**fixed, "device": first, "at": ago("s.i * 60")}, series(MONTH))
    span = device.ownership_spans.get()
    Message.objects.filter(device=device, at__gte=span.started_at).update(project=span.project_id)


def _rows(device: Device) -> list[tuple]:
    project = device.ownership_spans.get().project_id
    stamp = connection.ops.adapt_datetimefield_value(timezone.now())
    return [(device.organization_id, device.pk, project, "reading", json.dumps(DATA), stamp, None)] * BATCH


def _copy(rows: list[tuple]) -> None:
    with transaction.atomic():
        sql.insert_rows(Message, COLUMNS, rows)
