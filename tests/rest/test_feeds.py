"""Lists that programs follow: nothing is missed or returned twice, whoever writes meanwhile and however slowly."""

import multiprocessing
import time

import pytest
from django.db import connection, transaction

from console import feed
from console.access import system
from console.audit import record
from console.models import Event
from console.rest import paging
from customers.keys.actions import uses as key_uses
from devices import events as device_events
from devices import ledger
from devices.actions import ownership
from devices.acts import Act
from devices.messages import actions as messages
from devices.messages.window import Draft, Json
from devices.models import Message, Ownership
from tests import factories, processes
from tests.api import Caller, customer_key, key_of
from tests.devices.telling import publisher, tell
from tests.waiting import PATIENCE


@pytest.fixture
def program(alice):
    return Caller(key_of(alice))


def walk(caller, path, cursor="", **query):
    """All pages from a cursor on: the rows, and where to go on."""
    found = []
    while True:
        answer = caller.get(path, order="asc", **query, **({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.content
        page = answer.json()
        found += page["results"]
        cursor = page["next"]
        if not page["more"]:
            return found, cursor


@pytest.mark.django_db
def test_messages_of_all_devices_come_in_the_order_in_which_they_became_readable(program, make_devices):
    first, second = make_devices(2)
    for n in range(5):
        tell(first if n % 2 else second, data=n, name=f"n{n % 2}")
    rows, cursor = walk(program, "/messages", limit=2)
    assert [row["data"] for row in rows] == [0, 1, 2, 3, 4]
    assert walk(program, "/messages", cursor) == ([], cursor)
    tell(first, data=5)
    assert [row["data"] for row in walk(program, "/messages", cursor)[0]] == [5]
    for query, expected in (({"device": first.pk}, [1, 3, 5]), ({"name": "n0"}, [0, 2, 4])):
        assert [row["data"] for row in walk(program, "/messages", **query)[0]] == expected


@pytest.mark.django_db
def test_a_page_without_rows_leads_on_past_what_it_looked_through(program, make_devices, monkeypatch):
    monkeypatch.setattr(paging, "LOOKED_THROUGH", 2)
    loud, quiet = make_devices(2)
    for n in range(5):
        tell(loud, data=n)
    tell(quiet, data="here")
    page = program.get("/messages", device=quiet.pk).json()
    assert (page["results"], page["more"]) == ([], True)
    assert [row["data"] for row in walk(program, "/messages", page["next"], device=quiet.pk)[0]] == ["here"]


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["x", "MTI", "ZGV2aWNlcy5tZXNzYWdlIHg"])
def test_a_cursor_of_another_order_is_refused(program, cursor):
    answer = program.get("/messages", cursor=cursor)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")


@pytest.mark.django_db
def test_a_cursor_of_another_feed_is_refused(program, device):
    tell(device, data="one")
    cursors = {path: walk(program, path)[1] for path in ("/messages", "/events", "/device-ownerships")}
    for path in cursors:
        for origin, cursor in cursors.items():
            answer = program.get(path, order="asc", cursor=cursor)
            assert answer.status_code == (200 if path == origin else 422), (path, origin)


@pytest.mark.django_db
def test_a_customer_follows_what_its_devices_publish_and_nothing_else(
    make_devices, customer, other_customer, dana, erin, alice
):
    by, (device, other) = factories.actor_of(alice), make_devices(2)
    mine, hers = Caller(customer_key(dana, customer)), Caller(customer_key(erin, other_customer))
    tell(device, data="nobody's")
    ownership.assign([device.pk], customer=customer, by=by)
    tell(device, data="dana's")
    tell(other, data="of another device")
    ledger.transfer(
        [device.pk], Act(by), source=customer, customer=other_customer, project=other_customer.projects.get()
    )
    tell(device, data="erin's")
    assert [row["data"] for row in walk(mine, "/messages")[0]] == ["dana's"]
    assert [row["data"] for row in walk(hers, "/messages")[0]] == ["erin's"]
    for caller, project in ((mine, customer.projects.get()), (hers, other_customer.projects.get())):
        rows = walk(caller, f"/projects/{project.pk}/messages")[0]
        assert [row["data"] for row in rows] == ["dana's" if caller is mine else "erin's"]
        assert walk(caller, f"/devices/{device.pk}/messages")[0] == rows
    everything = walk(Caller(key_of(alice)), "/messages", customer=customer.pk)[0]
    assert [row["data"] for row in everything] == ["dana's"]


@pytest.mark.django_db
def test_an_ownership_comes_when_it_begins_and_again_when_it_ends(program, device, customer, dana, alice):
    by = factories.actor_of(alice)
    ownership.assign([device.pk], customer=customer, by=by)
    rows, cursor = walk(program, "/device-ownerships")
    assert [row["end_time"] for row in rows] == ["2999-12-31T23:59:59Z"]
    ownership.unclaim([device.pk], reason="Sold", by=by)
    again = walk(Caller(customer_key(dana, customer)), "/device-ownerships", cursor)[0]
    assert [(row["id"], row["end_time"] < "2999") for row in again] == [(rows[0]["id"], True)]
    assert walk(program, "/device-ownerships")[0] == again


@pytest.mark.django_db
def test_events_are_followed(program, device, alice):
    _rows, cursor = walk(program, "/events")
    record(device_events.EDITED, device, by=factories.actor_of(alice), notes=["", "new"])
    assert [row["kind"] for row in walk(program, "/events", cursor)[0]] == ["device.edited"]


class Turns:
    """Who writes slowly waits for the others, so that no race is won by luck."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        self.over, self.counts, self.ended = context.Event(), context.Array("l", 2), context.Semaphore(0)

    def wait(self, of, more):
        wanted, until = self.counts[of] + more, time.monotonic() + PATIENCE
        while self.counts[of] < wanted and not self.over.is_set():
            assert time.monotonic() < until, list(self.counts)
            time.sleep(0.002)


FAST, READER = 0, 1
LISTS = {"messages": Message, "events": Event, "device-ownerships": Ownership}
# They are followed by the same few lines of SQL.
EACH = ["messages", *(pytest.param(name, marks=pytest.mark.thorough) for name in LISTS if name != "messages")]


def race(name, caller, devices, customer):
    by, turns = system(customer.organization), Turns()
    # Each writer has a customer of its own: who gives one something holds it.
    owners = {device.pk: factories.make_customer(customer.organization, f"Owner {device.pk}") for device in devices}
    publishers = {device.pk: publisher(device) for device in devices}

    def write(device, n):
        if name == "messages":
            drafts = [Draft("reading", Json(str(n)), None)] * (1 + n % 3)
            messages.publish(drafts, by=publishers[device.pk])
        elif name == "events":
            record(device_events.EDITED, device, by=by, notes=["", str(n)])
        elif n % 2:
            ownership.unclaim([device.pk], reason="Sold", by=by)
        else:
            ownership.assign([device.pk], customer=owners[device.pk], by=by)

    def write_slowly():
        for n in range(6):
            with transaction.atomic():
                write(devices[0], n)
                if connection.vendor == "postgresql":
                    # On SQLite nobody else writes meanwhile.
                    turns.wait(FAST, 2)
                turns.wait(READER, 2)
            turns.wait(FAST, 1)
        turns.over.set()

    def write_fast():
        for n in range(10_000):
            write(devices[1], n)
            turns.counts[FAST] += 1
            if turns.over.is_set():
                return
            time.sleep(0.005)

    def read():
        found, cursor = [], ""
        while True:
            is_last = turns.over.is_set()
            page = caller.get(f"/{name}", order="asc", limit=200, **({"cursor": cursor} if cursor else {})).json()
            found, cursor = found + page["results"], page["next"]
            turns.counts[READER] += 1
            if is_last:
                # What the others wrote to the end.
                assert all(turns.ended.acquire(timeout=PATIENCE) for _writer in range(2))
                return found + walk(caller, f"/{name}", cursor)[0]

    acts = [write_slowly, write_fast, read]

    def act(do):
        try:
            return do()
        finally:
            turns.over.set()
            turns.ended.release()

    results = processes.run(3, lambda n: acts[n], act)
    assert not [result for result in results if isinstance(result, str)], results
    return next(result for result in results if result is not None)


def missed(name, found):
    if name != "device-ownerships":
        return set(LISTS[name].objects.values_list("pk", flat=True)) - {row["id"] for row in found}
    last = {row["id"]: row["end_time"] < "2999" for row in found}
    return {pk for pk, end in Ownership.objects.values_list("pk", "ended_at") if last.get(pk) != bool(end)}


@pytest.fixture
def quiet_keys(monkeypatch):
    # A key notes its use, and would wait on SQLite for the writer that waits for who reads with it.
    monkeypatch.setattr(key_uses, "note", lambda *_what: None)


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", EACH)
def test_a_follower_gets_everything_once_despite_slow_writers(name, program, make_devices, customer, quiet_keys):
    found = race(name, program, make_devices(2), customer)
    assert missed(name, found) == set()
    told = [(row["id"], row.get("end_time")) for row in found]
    assert len(told) == len(set(told))


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", EACH)
def test_without_the_announcements_a_follower_misses_some(
    name, program, make_devices, customer, quiet_keys, monkeypatch
):
    """The negative control."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite gives numbers under the only lock, so nothing is announced there.")
    monkeypatch.setattr(
        feed, "settled", lambda sequence, lanes: f"SELECT {feed.last_given(sequence)} AS n WHERE 0 NOT IN ({lanes})"
    )
    assert missed(name, race(name, program, make_devices(2), customer))
