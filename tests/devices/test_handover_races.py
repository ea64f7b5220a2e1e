"""Devices publish and customers read while many devices change owner, slowly. With its negative control."""

import multiprocessing
import re
import time
from datetime import timedelta
from itertools import count

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from claims.returns.actions import receipt_undo as return_undo
from claims.returns.actions import returns, swaps
from claims.shipments.actions import contents, shipments, shipping
from console import operations
from console.access import CustomerScope, Permission, system
from customers.keys.actions import uses as key_uses
from customers.projects.actions import projects
from devices import horizon, ledger
from devices.actions import ownership, undo
from devices.actions import take_ownership as taking
from devices.acts import Act
from devices.device_api.authentication import find
from devices.messages.actions import publish, settle
from devices.messages.window import Draft, Json
from devices.models import Device, Message, Ownership
from tests import factories, processes
from tests.api import Caller, customer_key
from tests.devices.telling import deafen_ledger, give_secret
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
CHANGES = (
    "transfer",
    "unclaim",
    "release",
    "receive",
    "swap",
    "undo_assign",
    "assign",
    "ship",
    "undo_unclaim",
    "undo_receive",
)
PUBLISHERS, READERS = 2, 2


class World:
    """A device for each kind of handover; those with an owner belong to the first customer, the second gets some."""

    def __init__(self, organization, product, owner, other, dana, erin) -> None:
        self.by, self.owner, self.other = system(organization), owner, other
        self.people, self.keys = (
            [dana, erin],
            [customer_key(dana, owner, CustomerScope.READ), customer_key(erin, other, CustomerScope.READ)],
        )
        self.devices = {name: factories.make_device(product) for name in CHANGES}
        self.spare = factories.make_device(product)
        self.secrets = {device.device_name: give_secret(device) for device in self.devices.values()}
        self.undone = {"undo_assign": self.perform("device.assign", "undo_assign", undo.ASSIGN, customer=owner.pk)}
        owned = {"transfer", "unclaim", "release", "receive", "swap", "undo_unclaim", "undo_receive"}
        ownership.assign([self.devices[name].pk for name in owned], customer=owner, by=self.by)
        self.undone["undo_unclaim"] = self.perform("device.unclaim", "undo_unclaim", undo.UNCLAIM, reason="Sold")
        self.undone["undo_receive"] = self.perform(
            "return.receive",
            "undo_receive",
            returns.UNDO,
            reason="Broken",
            note="",
            anyway=[],
        )
        self.shipment = shipments.create(customer=other, lines={}, by=self.by)
        contents.pack(self.shipment, [self.devices["ship"]], by=self.by)

    def perform(self, handler, name, route, **payload):
        return operations.perform(
            handler,
            name,
            by=self.by,
            permission=Permission.DEVICE_ASSIGN,
            total=1,
            undo_route=route,
            payload={"ids": [self.devices[name].pk], **payload},
        )

    def change(self, name, **when):
        """Make each change the way its action does, in one transaction."""
        ids, by = [self.devices[name].pk], self.by
        if name == "transfer":
            ledger.transfer(
                ids, Act(by, **when), source=self.owner, customer=self.other, project=projects.default_of(self.other)
            )
        elif name == "unclaim":
            ownership.unclaim(ids, reason="Sold", by=by, **when)
        elif name == "release":
            span = Ownership.objects.select_related("customer").get(device=ids[0], ended_at=None)
            taking.release(span, reason="Sold", by=by, **when)
        elif name == "receive":
            returns.receive(ids, reason="Broken", by=by, **when)
        elif name == "swap":
            swaps.swap(self.devices[name], self.spare, reason="Broken", by=by, **when)
        elif name == "undo_assign":
            undo.undo_assign(ids, undone=self.undone[name], by=by, **when)
        elif name == "assign":
            ownership.assign(ids, customer=self.other, by=by, **when)
        elif name == "ship":
            shipping.ship(self.shipment, by=by, **when)
        elif name == "undo_unclaim":
            undo.undo_unclaim(ids, undone=self.undone[name], by=by, **when)
        else:
            return_undo.undo_receive(ids, undone=self.undone[name], by=by, **when)


@pytest.fixture
def world(organization, product, customer, other_customer, dana, erin, monkeypatch):
    # A key records its use, which on SQLite would wait for the handover, which waits for the reader with that key.
    monkeypatch.setattr(key_uses, "note", lambda *_what: None)
    return World(organization, product, customer, other_customer, dana, erin)


class Turns:
    """How often each process has completed a round, so that handovers can wait for them instead of racing by luck."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        self.over = context.Event()
        self.published, self.read = (context.Array("l", number) for number in (PUBLISHERS, READERS))

    def wait(self, counts, more):
        """Wait until each has completed this many more rounds."""
        wanted, until = [each + more for each in counts], time.monotonic() + PATIENCE
        while any(each < want for each, want in zip(counts, wanted, strict=True)) and not self.over.is_set():
            assert time.monotonic() < until, list(counts)
            time.sleep(0.005)


def change_each(names, world, turns, choose):
    turns.wait(turns.published, len(world.secrets))
    for name in names:
        when = choose(turns)
        with transaction.atomic():
            world.change(name, **when)
            if connection.vendor == "postgresql":
                # On SQLite nobody can write in the meantime.
                turns.wait(turns.published, len(world.secrets))
            turns.wait(turns.read, 2)
    turns.wait(turns.published, len(world.secrets))
    turns.over.set()
    return "changed"


def publish_all_the_while(world, number, turns):
    """Publish like a device, one or several messages at once."""
    names, told = sorted(world.secrets), count(1)
    for n in told:
        name = names[n % len(names)]
        drafts = [Draft("reading", Json(f'"m{number}x{n}x{each}"'), None) for each in range(1 if n % 3 else 2)]
        publish(drafts, by=find(name, world.secrets[name]))
        turns.published[number] += 1
        if turns.over.is_set():
            return n
        time.sleep(0.005)


def read_all_the_while(world, number, turns):
    """Read at every exit in turn; return everything ever read."""
    reader, project = (factories.actor_of(world.people[number]), [world.owner, world.other][number].projects.get())
    client, program = Client(), Caller(world.keys[number])
    client.force_login(world.people[number], "allauth.account.auth_backends.AuthenticationBackend")
    found = set()
    while True:
        is_last = turns.over.is_set()
        rows = Message.objects.visible_to(reader)
        listed = program.get(f"/projects/{project.pk}/messages", limit=200)
        file = program.get(f"/projects/{project.pk}/messages.csv")
        page = client.get(f"/portal/projects/{project.pk}/messages/")
        assert {listed.status_code, file.status_code, page.status_code} == {200}
        # A list is read some time after it was requested.
        texts = [
            *rows.values_list("data", flat=True),
            listed.content.decode(),
            file.getvalue().decode(),
            page.content.decode(),
        ]
        found |= set(re.findall(r"m\d+x\d+x\d+", " ".join(texts)))
        turns.read[number] += 1
        if is_last:
            return found


def race(world, names=CHANGES, choose=lambda turns: {}):
    """Return what each customer has ever read, and what it may read at the end."""
    turns = Turns()
    acts = [
        lambda: change_each(names, world, turns, choose),
        *[lambda n=n: publish_all_the_while(world, n, turns) for n in range(PUBLISHERS)],
        *[lambda n=n: read_all_the_while(world, n, turns) for n in range(READERS)],
    ]

    def act(do):
        try:
            return do()
        finally:
            # A failure must not keep the others waiting.
            turns.over.set()

    results = processes.run(len(acts), lambda n: acts[n], act)
    assert not [result for result in results if isinstance(result, str) and result != "changed"], results
    settle(Device.objects.values_list("pk", flat=True), since=timezone.now() - timedelta(hours=1))
    may = [
        set(Message.objects.visible_to(factories.actor_of(person)).values_list("data", flat=True))
        for person in world.people
    ]
    # The two readers, in any order: what both have read is compared anyway.
    return [result for result in results if isinstance(result, set)], may


def strangers(read, may):
    """Return messages read by somebody who may not read them at the end: they are nobody's or somebody else's."""
    return min((sorted((first - may[0]) | (second - may[1])) for first, second in (read, reversed(read))), key=len)


def test_no_customer_has_read_messages_of_another_after_any_handover(world):
    read, may = race(world)
    assert strangers(read, may) == []
    assert may[0] & may[1] == set()
    # Exactly one of them can read what moved without a gap.
    moved = set(Message.objects.filter(device=world.devices["transfer"]).values_list("data", flat=True))
    assert moved and moved == moved & (may[0] | may[1])
    assert all(read)
    assert Device.objects.filter(customer=world.other).count() == 3


def test_without_the_horizon_or_with_an_early_instant_the_former_owner_reads_on(world, monkeypatch):
    """The negative control: on PostgreSQL without the announcements, on SQLite with an instant chosen too early."""

    def choose(turns):
        if connection.vendor == "postgresql":
            return {}
        at = timezone.now()
        turns.wait(turns.published, len(world.secrets))
        turns.wait(turns.read, 2)
        return {"at": at}

    if connection.vendor == "postgresql":
        monkeypatch.setattr(horizon, "up_to", lambda actor: None)
    else:
        deafen_ledger(monkeypatch)
    read, may = race(world, ["transfer"], choose)
    assert strangers(read, may)
