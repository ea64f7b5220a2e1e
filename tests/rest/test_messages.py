"""Messages and calls over REST: what a key may read, and the instant of a handover."""

from datetime import UTC, datetime, timedelta

import pytest

from devices.actions import messages, ownership
from devices.models import Call, Message
from tests import factories
from tests.api import Caller, customer_key, key_of

pytestmark = pytest.mark.django_db
T = datetime(2026, 11, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.fixture
def by(alice):
    return factories.actor_of(alice)


@pytest.fixture
def mine(dana, customer):
    return Caller(customer_key(dana, customer))


@pytest.fixture
def theirs(erin, other_customer):
    return Caller(customer_key(erin, other_customer))


@pytest.fixture
def handed_over(device, customer, other_customer, by):
    """Dana's from T to T + 1 h, then Erin's; a message around each instant."""
    later = T + timedelta(hours=1)
    ownership.assign([device.pk], customer=customer, by=by, at=T)
    ownership.unclaim([device.pk], reason="x", by=by, at=later)
    ownership.assign([device.pk], customer=other_customer, by=by, at=later)
    for n, at in enumerate([T - TICK, T, T + TICK, later - TICK, later, later + TICK]):
        Message.objects.create(
            organization=device.organization, device=device, name="level", data={"n": n}, at=at
        )
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
        Message.objects.create(organization=device.organization, device=device, name=("level", "alarm")[n % 2], data={"n": n},
                               at=T + timedelta(seconds=n // 2))  # fmt: skip
    api, path = Caller(key_of(alice)), f"/devices/{device.pk}/messages"
    assert numbers(api.get(path, name="alarm")) == [3, 1]
    first = api.get(path, limit=2).json()
    second = api.get(path, limit=2, cursor=first["next"]).json()
    third = api.get(path, limit=2, cursor=second["next"]).json()
    assert [row["data"]["n"] for page in (first, second, third) for row in page["results"]] == [4, 3, 2, 1, 0]
    assert third["next"] is None
    assert api.get(path, cursor="MQ").status_code == 422


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
        api.post(
            f"/devices/{device.pk}/calls", {"kind": "variable", "name": "battery", "timeout": 301}
        ).status_code
        == 400
    )
