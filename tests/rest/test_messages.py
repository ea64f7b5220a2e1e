"""Messages and calls over REST: what a key may read, and the instant of a handover."""

import csv
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from devices import ledger
from devices.actions import ownership
from devices.acts import Act
from devices.calls import actions as calls
from devices.messages import actions as messages
from devices.models import Call, Message
from devices.models.call import CallQuerySet
from devices.models.message import Json
from tests import factories
from tests.api import Caller, key_of
from tests.devices.telling import tell

pytestmark = pytest.mark.django_db
T = datetime(2026, 11, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.fixture
def handed_over(device, customer, other_customer, by):
    """Dana's from T to T + 1 h, then Erin's; a message around each instant."""
    later = T + timedelta(hours=1)
    ownership.assign([device.pk], customer=customer, by=by, at=T)
    ownership.unclaim([device.pk], reason="x", by=by, at=later)
    ownership.assign([device.pk], customer=other_customer, by=by, at=later)
    for n, at in enumerate([T - TICK, T, T + TICK, later - TICK, later, later + TICK]):
        Message.objects.create(organization=device.organization, device=device, name="level", data={"n": n}, at=at)
    messages.settle([device.pk], since=T - TICK)
    return device


def numbers(answer):
    assert answer.status_code == 200, answer.json()
    return [row["data"]["n"] for row in answer.json()["results"]]


def test_each_message_is_read_by_exactly_its_owner(handed_over, mine, theirs, alice):
    path = f"/devices/{handed_over.pk}/messages"
    assert numbers(mine.get(path)) == [3, 2, 1]
    assert numbers(theirs.get(path)) == [5, 4]
    assert numbers(Caller(key_of(alice)).get(path)) == [5, 4, 3, 2, 1, 0]
    table = b"".join(mine.get(f"{path}.csv").streaming_content).decode("utf-8-sig").splitlines()
    assert len(table) == 4
    # To the microsecond: it decides to whom a message belongs.
    listed = [row["at"] for row in mine.get(path).json()["results"]]
    assert [datetime.fromisoformat(line.split(",")[0]) for line in table[1:]] == [
        datetime.fromisoformat(at) for at in listed
    ]


def test_a_time_that_touches_no_span_is_a_403_that_says_so(handed_over, mine, theirs, charlie):
    path, later = f"/devices/{handed_over.pk}/messages", T + timedelta(hours=1)
    for caller, query in (
        (mine, {"from": later.isoformat()}),
        (mine, {"to": T.isoformat()}),
        (theirs, {"to": later.isoformat()}),
    ):
        answer = caller.get(path, **query)
        assert (answer.status_code, answer.json()["code"]) == (403, "outside_ownership"), query
        assert caller.get(f"{path}.csv", **query).status_code == 403
    assert numbers(mine.get(path, to=later.isoformat())) == [3, 2, 1]
    assert Caller(key_of(charlie)).get(path).status_code == 404


def test_messages_are_found_by_name_and_paged_in_the_order_of_their_times(device, alice, by):
    for n in range(5):
        Message.objects.create(
            organization=device.organization,
            device=device,
            name=("level", "alarm")[n % 2],
            data={"n": n},
            at=T + timedelta(seconds=n // 2),
        )
    api, path = Caller(key_of(alice)), f"/devices/{device.pk}/messages"
    assert numbers(api.get(path, name="alarm")) == [3, 1]
    first = api.get(path, limit=2).json()
    second = api.get(path, limit=2, cursor=first["next"]).json()
    third = api.get(path, limit=2, cursor=second["next"]).json()
    assert [row["data"]["n"] for page in (first, second, third) for row in page["results"]] == [4, 3, 2, 1, 0]
    assert third["next"] is None
    assert api.get(path, cursor="MQ").status_code == 422


def test_each_message_names_its_device_by_id_and_serial_number(device, make_devices, customer, by, mine):
    devices = [device, *make_devices(2)]
    ownership.assign([each.pk for each in devices], customer=customer, by=by, at=T)
    for each in devices:
        Message.objects.create(organization=each.organization, device=each, name="level", data=7, at=T + TICK)
    messages.settle([each.pk for each in devices], since=T)
    path, named = (f"/projects/{customer.projects.get().pk}/messages", [(d.pk, d.serial_number) for d in devices])
    listed = mine.get(path).json()["results"]
    assert sorted((row["device"], row["serial_number"]) for row in listed) == sorted(named)
    (one,) = mine.get(f"/devices/{device.pk}/messages").json()["results"]
    assert (one["device"], one["serial_number"]) == (device.pk, device.serial_number)
    for address in (path, f"/devices/{device.pk}/messages"):
        rows = list(csv.reader(StringIO(mine.get(f"{address}.csv").getvalue().decode("utf-8-sig"))))
        assert rows[0] == ["received", "device_at", "serial_number", "name", "data", "device"]
        assert {(int(row[5]), row[2], row[4]) for row in rows[1:]} <= {(*each, "7") for each in named}
        book = load_workbook(BytesIO(mine.get(f"{address}.xlsx").getvalue())).active
        assert [[str(cell or "") for cell in row] for row in book.values] == rows


def test_the_names_of_the_devices_cost_no_query_for_each_row(make_devices, alice):
    devices, api, counts = make_devices(6), Caller(key_of(alice)), []
    for each in devices:
        Message.objects.create(organization=each.organization, device=devices[0], name="x", data=1, at=T)
        with CaptureQueriesContext(connection) as caught:
            assert api.get(f"/devices/{devices[0].pk}/messages").status_code == 200
        counts.append(len(caught))
    # The first call with a key writes down that it was used.
    assert counts[2:] == [counts[1]] * 4


def test_a_message_of_64_kb_is_cut_with_a_note_in_excel_and_whole_as_csv(device, alice):
    Message.objects.create(organization=device.organization, device=device, name="log", data="a" * 65_000, at=T)
    api, path = Caller(key_of(alice)), f"/devices/{device.pk}/messages"
    cell = load_workbook(BytesIO(api.get(f"{path}.xlsx").getvalue())).active["E2"].value
    assert len(cell) == 32_767
    assert cell.endswith("a… cut: a cell of Excel holds 32,767 characters; the CSV file contains all of it")
    assert "a" * 65_000 in api.get(f"{path}.csv").getvalue().decode()


def test_a_device_is_called_and_its_answer_seen(device, customer, mine, theirs, by, alice):
    ownership.assign([device.pk], customer=customer, by=by)
    body = {"kind": "function", "name": "blink", "argument": "3", "timeout": 60}
    made = mine.post(f"/devices/{device.pk}/calls", body)
    assert (made.status_code, made.json()["state"]) == (202, "waiting")
    path = f"/devices/{device.pk}/calls/{made.json()['id']}"
    assert mine.get(path).json() == made.json()
    assert theirs.get(path).status_code == 404
    assert theirs.post(f"/devices/{device.pk}/calls", body).status_code == 404
    assert Caller(key_of(alice)).get(f"/devices/{device.pk}/calls").json()["results"][0]["name"] == "blink"
    assert Call.objects.count() == 1


def test_an_unowned_device_is_called_by_the_organization(device, alice):
    api = Caller(key_of(alice))
    assert api.post(f"/devices/{device.pk}/calls", {"kind": "variable", "name": "battery"}).status_code == 202
    assert (
        api.post(f"/devices/{device.pk}/calls", {"kind": "variable", "name": "battery", "timeout": 301}).status_code
        == 400
    )


@pytest.fixture
def passed_on(device, customer, other_customer, dana, erin, by):
    """Dana's, then Erin's; each called it once while owning it, and staff in both. Return the device and the ids."""
    asked = {}
    for who, owner in ((dana, customer), (erin, other_customer)):
        ownership.assign([device.pk], customer=owner, by=by)
        for name, actor in ((who.pk, factories.actor_of(who)), (f"staff {who.pk}", by)):
            asked[name] = calls.ask(device, kind="variable", name="battery", by=actor).pk
        Call.objects.filter(ended_at=None).update(state="answered", result=Json("1"), ended_at=F("asked_at"))
        if who == dana:
            ownership.unclaim([device.pk], reason="x", by=by)
    return device, asked


def read_calls(caller, device, asked):
    """The names of the calls that the list shows and of those that are read alone."""
    path, names = f"/devices/{device.pk}/calls", {pk: name for name, pk in asked.items()}
    listed = caller.get(path)
    assert listed.status_code in {200, 404}
    alone = {name for pk, name in names.items() if caller.get(f"{path}/{pk}").status_code == 200}
    return listed.status_code, {names[row["id"]] for row in listed.json().get("results", [])}, alone


def test_what_was_asked_within_ones_ownership_is_listed_and_read_and_nothing_else(
    passed_on, mine, theirs, alice, dana, erin, charlie
):
    his, hers = {dana.pk, f"staff {dana.pk}"}, {erin.pk, f"staff {erin.pk}"}
    assert read_calls(mine, *passed_on) == (200, his, his)
    assert read_calls(theirs, *passed_on) == (200, hers, hers)
    assert read_calls(Caller(key_of(alice)), *passed_on) == (200, his | hers, his | hers)
    assert read_calls(Caller(key_of(charlie)), *passed_on) == (404, set(), set())
    # Who owned it before still can't call it.
    body = {"kind": "variable", "name": "battery"}
    assert mine.post(f"/devices/{passed_on[0].pk}/calls", body).status_code == 404
    assert Call.objects.count() == 4


def test_without_the_look_at_the_spans_the_calls_of_the_next_owner_would_be_seen(
    passed_on, mine, dana, erin, monkeypatch
):
    """The negative control."""
    monkeypatch.setattr(CallQuerySet, "for_customer", lambda self, actor: self)
    everything = {dana.pk, f"staff {dana.pk}", erin.pk, f"staff {erin.pk}"}
    assert read_calls(mine, *passed_on) == (200, everything, everything)


def test_customers_who_never_owned_a_device_find_no_calls_of_it(device, by, mine):
    call = calls.ask(device, kind="variable", name="battery", by=by)
    assert mine.get(f"/devices/{device.pk}/calls").status_code == 404
    assert mine.get(f"/devices/{device.pk}/calls/{call.pk}").status_code == 404


def test_the_calls_of_a_device_are_found_by_their_state_and_paged(device, make_devices, alice, by):
    (other,) = make_devices(1)
    asked = [calls.ask(device, kind="variable", name="battery", by=by).pk for _n in range(4)]
    calls.ask(other, kind="variable", name="battery", by=by)
    Call.objects.filter(pk=asked[1]).update(asked_at=T, expires_at=T + TICK)
    api, path = Caller(key_of(alice)), f"/devices/{device.pk}/calls"

    def ids(**query):
        answer = api.get(path, **query)
        assert answer.status_code == 200
        return [row["id"] for row in answer.json()["results"]]

    assert ids() == asked[::-1]
    assert ids(state="waiting") == [asked[3], asked[2], asked[0]]
    # It shows so, though nobody wrote it down yet.
    assert ids(state="timed_out") == [asked[1]]
    assert ids(state="cancelled") == []
    first = api.get(path, state="waiting", limit=2).json()
    assert ids(state="waiting", limit=2, cursor=first["next"]) == [asked[0]]
    assert api.get(path, state="over").status_code == 400


def test_a_device_that_is_archived_or_scrapped_is_not_called_and_the_answer_says_what_to_do(device, alice):
    api, body = Caller(key_of(alice)), {"kind": "variable", "name": "battery"}
    type(device).objects.filter(pk=device.pk).update(status="scrapped")
    answer = api.post(f"/devices/{device.pk}/calls", body)
    sentence = "This device has been scrapped and can no longer be called. Choose another one."
    assert (answer.status_code, answer.json()["code"], answer.json()["title"]) == (409, "scrapped", sentence)
    type(device).objects.filter(pk=device.pk).update(archived_at=T)
    answer = api.post(f"/devices/{device.pk}/calls", body)
    sentence = "This device is archived. Restore it first."
    assert (answer.status_code, answer.json()["code"], answer.json()["title"]) == (409, "archived", sentence)
    assert api.get(f"/devices/{device.pk}/calls").json()["results"] == []
    assert not Call.objects.exists()


def test_customers_with_shared_access_cannot_infer_the_owner_from_the_filters_of_the_feed(
    device, customer, organization, alice, mine
):
    """The sharer asks for one customer or project after the other, and looks for which of them anything comes."""
    by, owned = factories.actor_of(alice), factories.make_customer(organization, "Aquanet")
    project = owned.projects.get()
    ledger.assign([device.pk], Act(by), customer=owned, project=project, reason="claim")
    ledger.share([device.pk], Act(by), customer=customer, project=customer.projects.get(), reason="claim")
    tell(device, data={"n": 1})
    assert numbers(mine.get("/messages")) == [1]
    assert numbers(mine.get("/messages", customer=customer.pk)) == [1]
    assert numbers(mine.get("/messages", project=customer.projects.get().pk)) == [1]
    assert numbers(mine.get("/messages", customer=owned.pk)) == []
    assert numbers(mine.get("/messages", project=project.pk)) == []
    assert numbers(Caller(key_of(alice)).get("/messages", customer=owned.pk)) == [1]
