"""Calls: who may make them; delivered once, answered once and in time, and nothing of them crosses a handover."""

import threading
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.utils import timezone

from console.access import Actor, CustomerScope
from console.errors import Refused
from console.models import Event
from customers.people.roles import actor_for
from devices import ledger
from devices.acts import Act
from devices.calls import actions as calls
from devices.device_api import authentication, views
from devices.models import Call
from tests import factories, processes
from tests.devices.telling import T0, TICK, Unit, give_secret, publisher

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_address_is_known():
    authentication.forget()


def ask(device, by, **how) -> Call:
    return calls.ask(device, **{"kind": "variable", "name": "temperature", "by": by, **how})


def test_a_call_reaches_the_device_and_its_answer_comes_back(device, by):
    unit, call = Unit(device), ask(device, by, kind="function", name="relay/on", argument="2")
    given = unit.get("calls").json()["calls"]
    assert [(c["id"], c["kind"], c["name"], c["argument"]) for c in given] == [(call.pk, "function", "relay/on", "2")]
    answer = unit.post(f"calls/{call.pk}", {"result": {"is": "on"}})
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    call.refresh_from_db()
    assert (call.state, call.result, call.by_label) == ("answered", {"is": "on"}, "Alice Kemp")
    assert Event.objects.filter(kind="device.called", subject_id=device.pk).count() == 1


def test_a_call_is_delivered_once(device, by):
    unit = Unit(device)
    ask(device, by)
    assert len(unit.get("calls").json()["calls"]) == 1
    assert unit.get("calls").json()["calls"] == []


def test_a_call_is_answered_once(device, by):
    unit, call = Unit(device), ask(device, by)
    unit.get("calls")
    assert unit.post(f"calls/{call.pk}", {"result": 1}).status_code == 202
    answer = unit.post(f"calls/{call.pk}", {"result": 2})
    assert (answer.status_code, answer.json()["code"]) == (409, "call_over")
    assert Call.objects.get().result == 1


def test_a_device_can_report_that_a_call_failed(device, by):
    unit, call = Unit(device), ask(device, by)
    unit.get("calls")
    assert unit.post(f"calls/{call.pk}", {"error": "no such variable"}).status_code == 202
    call.refresh_from_db()
    assert (call.state, call.error, call.result) == ("failed", "no such variable", None)


def test_null_is_an_answer(device, by):
    unit, call = Unit(device), ask(device, by)
    unit.get("calls")
    assert unit.post(f"calls/{call.pk}", {"result": None}).status_code == 202
    call.refresh_from_db()
    assert (call.state, call.result) == ("answered", None)


def test_a_call_cannot_be_answered_before_its_delivery(device, by):
    call, unit = ask(device, by), Unit(device)
    answer = unit.post(f"calls/{call.pk}", {"result": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_delivered")
    assert answer.json()["title"] == "This call has not been delivered yet. Request your calls, then answer it."
    assert Call.objects.get().state == "waiting"
    # After the timeout the call is over, delivered or not.
    Call.objects.update(asked_at=T0, expires_at=T0 + TICK)
    assert unit.post(f"calls/{call.pk}", {"result": 1}).json()["code"] == "call_over"


def test_nothing_is_delivered_or_answered_after_the_timeout(device, by):
    told = publisher(device)
    first, second = ask(device, by, timeout=10, at=T0), ask(device, by, timeout=10, at=T0)
    late = T0 + timedelta(seconds=10)
    assert calls.deliver(by=told, at=late) == []
    assert [call.pk for call in calls.deliver(by=told, at=late - TICK)] == [first.pk, second.pk]
    calls.answer(first.pk, by=told, result=1, at=late - TICK)
    with pytest.raises(Refused) as refused:
        calls.answer(second.pk, by=told, result=1, at=late)
    assert refused.value.code == "call_over"
    assert calls.expire(late) == 1
    second.refresh_from_db()
    assert (second.state, second.ended_at, second.result) == ("timed_out", late, None)
    assert calls.expire(late) == 0


@pytest.mark.parametrize(
    "body",
    [None, [], {}, 7, {"result": 1, "error": "x"}, {"error": 7}, {"other": 1}, {"result": "a" * 17_000}],
    ids=lambda body: repr(body)[:30],
)
def test_an_invalid_answer_is_refused(device, by, body):
    unit, call = Unit(device), ask(device, by)
    unit.get("calls")
    assert unit.post(f"calls/{call.pk}", body).status_code == 422
    assert Call.objects.get().state == "delivered"


@pytest.mark.parametrize(
    ("raw", "code", "sentence"),
    [
        (b'{"result": 1e999}', "bad_message", "A number is out of range. Send numbers up to 1.7e308, or text."),
        (
            b'{"result": "\\ud800"}',
            "bad_message",
            "A text contains half a character (a lone surrogate), which can't be stored. Send the whole character.",
        ),
        (
            b'{"result": ' + b"[" * 500 + b"]" * 500 + b"}",
            "bad_message",
            "This is nested too deeply. Send at most 100 levels of lists and objects.",
        ),
        (b'{"result": "' + b"a" * 17_000 + b'"}', "too_long", "The data can be at most 16 kB of JSON. Send less."),
    ],
    ids=["number", "text", "depth", "size"],
)
def test_a_result_that_cannot_be_stored_is_refused_with_its_own_sentence(device, by, raw, code, sentence):
    unit, call = Unit(device), ask(device, by)
    unit.get("calls")
    answer = unit.post(f"calls/{call.pk}", None, raw=raw).json()
    assert (answer["code"], answer["title"], "index" in answer) == (code, sentence, False)
    assert Call.objects.get().state == "delivered"


def test_a_device_can_only_answer_its_own_calls(device, make_devices, by):
    (other,) = make_devices(1)
    call = ask(device, by)
    Unit(device).get("calls")
    unknown = Unit(other).post("calls/999999", {"result": 1})
    foreign = Unit(other).post(f"calls/{call.pk}", {"result": 1})
    assert (foreign.status_code, foreign.content) == (404, unknown.content)
    assert Unit(other).get("calls").json()["calls"] == []
    assert Call.objects.get().state == "delivered"


@pytest.mark.parametrize(
    "how",
    [
        {"kind": "other"},
        {"name": ""},
        {"name": "a b"},
        {"name": "x" * 65},
        {"argument": "ä" * 513},
        {"argument": "a\0"},
        {"timeout": 0},
        {"timeout": 301},
    ],
    ids=repr,
)
def test_an_invalid_call_is_refused(device, by, how):
    with pytest.raises(Refused) as refused:
        ask(device, by, **how)
    assert refused.value.status == 422
    assert not Call.objects.exists()


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("owner", True),
        ("administrator", True),
        ("product_manager", True),
        ("support", True),
        ("fulfilment", False),
        ("viewer", False),
    ],
)
def test_whether_a_member_may_call_depends_on_the_role(device, actor, role, may):
    who = actor(role)
    assert calls.may_ask(who, device) is may
    if may:
        assert ask(device, who).customer is None
    else:
        with pytest.raises(Refused) as refused:
            ask(device, who)
        assert refused.value.status == 403
        assert not Call.objects.exists()


@pytest.mark.parametrize(("role", "may"), [("admin", True), ("operator", True), ("viewer", False)])
def test_whether_the_owner_may_call_depends_on_the_role(owned, customer, role, may):
    who = factories.actor_of(factories.make_person(customer, "p@aalen.example", role))
    if may:
        assert ask(owned, who).customer == customer
    else:
        with pytest.raises(Refused):
            ask(owned, who)
        assert not Call.objects.exists()


@pytest.mark.parametrize(
    ("scopes", "may"), [({CustomerScope.READ}, False), ({CustomerScope.READ, CustomerScope.CALL}, True)]
)
def test_whether_a_customers_key_may_call_depends_on_its_scope(owned, customer, dana, scopes, may):
    key = Actor(
        kind="customer",
        user=dana,
        organization=customer.organization,
        customers=frozenset({customer.pk}),
        permissions=frozenset(scopes),
        label="key",
    )
    assert calls.may_ask(key, owned) is may


def test_strangers_and_former_owners_cannot_call(owned, erin, dana, charlie, by, other_customer):
    ledger.release([owned.pk], Act(by), reason="unclaim")
    for user in (erin, dana, charlie):
        with pytest.raises(Refused) as refused:
            ask(owned, factories.actor_of(user))
        assert refused.value.status == 404
    assert not Call.objects.exists()


def test_shared_access_does_not_allow_calls(device, other_customer, erin, by):
    project = other_customer.projects.get()
    ledger.share([device.pk], Act(by), customer=other_customer, project=project, reason="claim")
    with pytest.raises(Refused) as refused:
        ask(device, factories.actor_of(erin))
    assert refused.value.status == 403


def test_an_archived_device_cannot_be_called(device, by):
    type(device).objects.filter(pk=device.pk).update(archived_at=timezone.now())
    with pytest.raises(Refused) as refused:
        ask(device, by)
    assert (refused.value.code, refused.value.status) == ("archived", 409)
    assert refused.value.sentence == "This device is archived. Restore it first."
    assert not Call.objects.exists()


def test_a_scrapped_device_cannot_be_called(device, by, actor):
    type(device).objects.filter(pk=device.pk).update(status="scrapped")
    with pytest.raises(Refused) as refused:
        ask(device, by)
    assert (refused.value.code, refused.value.status) == ("scrapped", 409)
    # People who may not call it learn nothing else.
    with pytest.raises(Refused) as refused:
        ask(device, actor("viewer"))
    assert refused.value.status == 403
    assert not Call.objects.exists()


def test_calls_are_filtered_by_the_state_that_they_show(device, by):
    told = publisher(device)
    answered, failed, given, late = (ask(device, by, timeout=300) for _n in range(4))
    assert len(calls.deliver(by=told)) == 4
    calls.answer(answered.pk, by=told, result=1)
    calls.answer(failed.pk, by=told, error="x")
    waiting, written = ask(device, by), ask(device, by)
    # One has just timed out, the other was already recorded as timed out.
    Call.objects.filter(pk__in=[late.pk, written.pk]).update(asked_at=T0, expires_at=T0 + TICK)
    Call.objects.filter(pk=written.pk).update(state="timed_out", ended_at=T0 + TICK)
    wanted = {
        "waiting": [waiting.pk],
        "delivered": [given.pk],
        "answered": [answered.pk],
        "failed": [failed.pk],
        "timed_out": [late.pk, written.pk],
        "cancelled": [],
    }
    for state, expected in wanted.items():
        found = list(Call.objects.in_state(state).order_by("pk"))
        assert [call.pk for call in found] == expected, state
        assert {call.state_now for call in found} <= {state}


def test_at_most_a_hundred_calls_can_wait(device, by):
    for _n in range(calls.MOST_WAITING):
        ask(device, by)
    with pytest.raises(Refused) as refused:
        ask(device, by)
    assert refused.value.code == "too_many_calls"
    assert Call.objects.count() == calls.MOST_WAITING


def test_calls_made_by_an_owner_end_with_the_ownership(owned, dana, by):
    unit = Unit(owned)
    his, mine = ask(owned, factories.actor_of(dana)), ask(owned, by)
    given = ask(owned, factories.actor_of(dana))
    Call.objects.filter(pk=given.pk).update(state="delivered")
    ledger.release([owned.pk], Act(by), reason="unclaim")
    states = dict(Call.objects.values_list("pk", "state"))
    assert states == {his.pk: "cancelled", given.pk: "cancelled", mine.pk: "waiting"}
    assert [call["id"] for call in unit.get("calls").json()["calls"]] == [mine.pk]
    assert unit.post(f"calls/{given.pk}", {"result": "of the new owner"}).status_code == 409


def test_without_the_follower_the_device_would_receive_the_call(owned, dana, by, monkeypatch):
    """The negative control."""
    others = [entry for entry in ledger.followers.entries if entry[1] is not calls.follow_ledger]
    assert len(others) == len(ledger.followers) - 1
    monkeypatch.setattr(ledger.followers, "entries", others)
    ask(owned, factories.actor_of(dana))
    ledger.release([owned.pk], Act(by), reason="unclaim")
    assert len(Unit(owned).get("calls").json()["calls"]) == 1


def test_an_answer_after_the_handover_is_visible_to_neither_owner(owned, customer, other_customer, dana, erin, by):
    began = timezone.now()
    told, early, late = publisher(owned), ask(owned, by, timeout=300), ask(owned, by, timeout=300)
    calls.deliver(by=told)
    calls.answer(early.pk, by=told, result="before")
    ledger.transfer(
        [owned.pk], Act(by), source=customer, customer=other_customer, project=other_customer.projects.get()
    )
    calls.answer(late.pk, by=publisher(owned), result="after")
    assert began < Call.objects.get(pk=late.pk).ended_at
    assert list(Call.objects.visible_to(factories.actor_of(dana))) == [early]
    assert list(Call.objects.visible_to(factories.actor_of(erin))) == []
    assert Call.objects.visible_to(by).count() == 2


def test_strangers_see_no_calls(owned, by, charlie, erin):
    ask(owned, by)
    for user in (charlie, erin):
        assert not Call.objects.visible_to(factories.actor_of(user)).exists()


@pytest.mark.parametrize("query", ["", "?wait=0", "?wait=000"])
def test_without_a_wait_the_answer_comes_at_once(device, query, monkeypatch):
    monkeypatch.setattr(views.time, "sleep", lambda _seconds: pytest.fail("it waited"))
    assert Unit(device).get(f"calls{query}").json() == {"calls": []}


@pytest.mark.parametrize("wait", ["", "abc", "-1", "1.5", "x", "９", "1e3", "+1", " 1", "1 2"])
def test_an_invalid_wait_is_refused_and_delivers_no_call(device, by, wait):
    call = ask(device, by)
    answer = Unit(device).get(f"calls?wait={quote(wait)}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    sentence = "The wait must be a whole number of seconds from 0 to 25. Larger numbers count as 25."
    assert answer.json()["errors"] == [{"field": "wait", "detail": sentence}]
    call.refresh_from_db()
    assert call.state == "waiting"


@pytest.mark.parametrize(
    ("wait", "seconds"), [("7", 7), ("025", 25), ("26", 25), ("9" * 8, 25), ("9" * 9, 25), ("9" * 5000, 25)]
)
def test_a_wait_beyond_the_maximum_is_shortened(device, monkeypatch, wait, seconds):
    waited = []
    monkeypatch.setattr(views, "_wait_for_calls", lambda request, by, wait: waited.append(wait) or [])
    assert Unit(device).get(f"calls?wait={wait}").json() == {"calls": []}
    assert waited == [seconds]


@pytest.mark.django_db(transaction=True)
def test_a_waiting_device_receives_a_call_soon(device, by, monkeypatch):
    """Another connection makes the call during the device's first wait; it never waits again."""
    pauses = []

    def later() -> None:
        try:
            ask(device, by)
        finally:
            connection.close()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        thread = threading.Thread(target=later)
        thread.start()
        thread.join()

    unit = Unit(device)
    monkeypatch.setattr(views.time, "sleep", pause)
    assert len(unit.get("calls?wait=20").json()["calls"]) == 1
    assert pauses == [views.PAUSE]


@pytest.mark.parametrize("is_asked_again", [True, False])
def test_a_waiting_device_must_still_have_the_secret_when_a_call_comes(device, by, monkeypatch, is_asked_again):
    """With its negative control: without the second check of the secret, the call is delivered to whoever waited."""
    waiting = Unit(device)
    monkeypatch.setattr(views, "PAUSE", 0)
    if not is_asked_again:
        monkeypatch.setattr(views, "authenticate", lambda request: publisher(device))

    def meanwhile(_seconds: float) -> None:
        if not Call.objects.exists():
            ask(device, by)
            give_secret(device)

    monkeypatch.setattr(views.time, "sleep", meanwhile)
    answer = waiting.get("calls?wait=5")
    assert answer.status_code == (401 if is_asked_again else 200)
    assert Call.objects.get().state == ("waiting" if is_asked_again else "delivered")


def test_a_device_is_sent_away_at_once_if_all_places_are_taken(device, monkeypatch):
    monkeypatch.setattr(views, "_room", threading.BoundedSemaphore(1))
    assert views._room.acquire(blocking=False)
    monkeypatch.setattr(views.time, "sleep", lambda _seconds: pytest.fail("it waited"))
    answer = Unit(device).get("calls?wait=25")
    assert (answer.json(), answer["Retry-After"]) == ({"calls": []}, "25")


def deliver_many(told):
    return [call.pk for call in calls.deliver(by=told)]


def answer_once(prepared):
    told, pk, number = prepared
    try:
        calls.answer(pk, by=told, result=number)
    except Refused as refusal:
        return refusal.code
    return "taken"


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_sixteen_connections_of_one_device_get_and_answer_each_call_once(device, by):
    told = publisher(device)
    asked = [ask(device, by, timeout=300).pk for _n in range(8)]
    given = [pk for found in processes.run(16, lambda n: told, deliver_many) for pk in found]
    assert sorted(given) == asked
    answers = processes.run(16, lambda n: (told, asked[0], n), answer_once)
    assert sorted(answers) == ["call_over"] * 15 + ["taken"]
    assert Call.objects.get(pk=asked[0]).state == "answered"


def test_a_past_owner_cannot_see_that_a_staff_call_reached_the_device_after_its_handover(
    owned, by, customer, other_customer, dana, erin
):
    """A handover does not cancel calls of staff; that the device fetched one afterwards concerns the next owner."""
    call = ask(owned, by, timeout=300)
    ledger.transfer(
        [owned.pk], Act(by), source=customer, customer=other_customer, project=other_customer.projects.get()
    )
    assert [given["id"] for given in Unit(owned).get("calls").json()["calls"]] == [call.pk]
    assert list(Call.objects.visible_to(by).values_list("state", flat=True)) == ["delivered"]
    for person in (dana, erin):
        assert not Call.objects.visible_to(actor_for(person)).exists()
