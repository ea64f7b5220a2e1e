"""What webhooks send about a handover and a message: the ledger's own instant, span and reason, and no one else's."""

import json

import pytest
from django.utils import timezone

from claims.returns.actions import returns, swaps
from console import operations
from console.access import Permission
from console.audit import public, record_set
from console.models import WebhookDelivery
from console.webhooks import actions as webhooks
from console.webhooks import fanout
from customers.projects.actions import projects
from devices import events as device_events
from devices import ledger
from devices.actions import devices as device_actions
from devices.actions import ownership, undo
from devices.acts import Act
from devices.messages import actions as messages
from devices.messages.window import Draft
from devices.models import Device, Message, Ownership, Product
from devices.models.message import Json
from devices.webhooks import Described
from tests import factories
from tests.api import Caller, customer_key

pytestmark = pytest.mark.django_db
NOTE = "Mrs Smith never paid"


@pytest.fixture
def hear(by_system):
    """Create a webhook with all events of its scope, and return a function that returns what it has received so far."""

    def make(**scope):
        of = next(iter(scope), "organization_id").removesuffix("_id")
        events = [name for name, _label in public.of_scope(of)]
        hook = webhooks.create(url="https://example.com/", events=events, by=by_system, **scope)
        return lambda: [json.loads(row.payload) for row in hook.deliveries.order_by("pk")]

    return make


def of_hands(told):
    """Return kind, timestamp, ownership and reason of the events received."""
    return [(one["type"], one["timestamp"], one["data"]["ownership"], one["data"]["reason"]) for one in told]


def begun(span, kind="device.assigned"):
    return kind, fanout.stamp(span.started_at), span.pk, span.start_reason


def over(span, kind="device.unclaimed"):
    return kind, fanout.stamp(span.ended_at), span.pk, span.end_reason


def spans(device):
    return list(Ownership.objects.filter(device=device).order_by("started_at"))


def test_assigned_unclaimed_and_claimed_carry_the_instant_span_and_reason_of_the_ledger(
    hear, device, customer, by_system
):
    told, theirs = hear(), hear(customer_id=customer.pk)
    ownership.assign([device.pk], customer=customer, by=by_system, note=NOTE)
    ownership.unclaim([device.pk], reason=NOTE, by=by_system)
    ownership.assign([device.pk], customer=customer, by=by_system, reason="claim", evidence="claim:7")
    first, second = spans(device)
    expected = [begun(first), over(first), begun(second, "device.claimed")]
    assert [each[3] for each in expected] == ["assignment", "unclaim", "claim"]
    assert of_hands(told()) == of_hands(theirs()) == expected
    assert not WebhookDelivery.objects.filter(payload__contains="Smith").exists()


def test_if_the_ledger_moves_the_instant_the_webhook_reports_the_stored_one(hear, device, customer, by_system):
    """A span that ends where it started lasts a tick, and the next one starts where that ended."""
    told, at = hear(), timezone.now()
    ownership.assign([device.pk], customer=customer, by=by_system, at=at)
    ownership.unclaim([device.pk], reason=NOTE, by=by_system, at=at)
    ownership.assign([device.pk], customer=customer, by=by_system, at=at)
    first, second = spans(device)
    assert first.started_at == at < first.ended_at == second.started_at
    assert of_hands(told()) == [begun(first), over(first), begun(second)]


def test_taking_and_releasing_a_device_is_reported_with_reason_api(hear, device, customer, dana):
    told, api = hear(), Caller(customer_key(dana, customer))
    pair = {"serial_number": device.serial_number, "device_name": device.device_name}
    Product.objects.update(customers_may_take=True)
    taken = api.post("/device-ownerships", pair).json()
    assert of_hands(told())[0][1:3] == (taken["start_time"], taken["id"])
    released = api.post(f"/device-ownerships/{taken['id']}/release").json()
    assert of_hands(told())[1][1:3] == (released["end_time"], released["id"])
    (span,) = spans(device)
    assert of_hands(told()) == [begun(span), over(span)]
    assert (span.start_reason, span.end_reason) == ("api", "api")


def test_a_return_and_a_swap_are_reported_as_the_ledger_recorded_them(hear, make_devices, customer, by_system, alice):
    a, old, new = make_devices(3)
    ownership.assign([a.pk, old.pk], customer=customer, by=by_system)
    told, theirs, staff = hear(), hear(customer_id=customer.pk), factories.actor_of(alice)
    returns.receive([a.pk], reason="Defective", note=NOTE, by=staff)
    swaps.swap(old, new, reason="Defective", note=NOTE, by=staff)
    (of_a,), (of_old,), (of_new,) = spans(a), spans(old), spans(new)
    expected = [over(of_a, "device.returned"), over(of_old, "device.returned"), begun(of_new)]
    assert of_hands(told()) == of_hands(theirs()) == expected
    assert {one["data"]["customer"]["id"] for one in told()} == {customer.pk}
    assert not WebhookDelivery.objects.filter(payload__contains="Smith").exists()


def test_an_undone_assignment_ends_as_a_correction_and_an_undone_unclaim_continues_at_its_own_moment(
    hear, device, customer, alice
):
    told, by = hear(), factories.actor_of(alice)
    terms = {"by": by, "total": 1}
    assigned = operations.perform(
        "device.assign",
        "Assign",
        permission=Permission.DEVICE_ASSIGN,
        payload={"ids": [device.pk], "customer": customer.pk},
        undo_route=undo.ASSIGN,
        **terms,
    )
    undo.begin(assigned, by=by)
    ownership.assign([device.pk], customer=customer, by=by)
    unclaimed = operations.perform(
        "device.unclaim",
        "Unclaim",
        permission=Permission.DEVICE_UNCLAIM,
        payload={"ids": [device.pk], "reason": "wrong list"},
        undo_route=undo.UNCLAIM,
        **terms,
    )
    ended_at, moment = spans(device)[1].ended_at, timezone.now()
    undo.begin(unclaimed, by=by)
    first, second = spans(device)
    one, two, three, four, five = of_hands(told())
    assert (one, two, three) == (begun(first), over(first), begun(second))
    assert two[3] == "correction"
    assert four == ("device.unclaimed", fanout.stamp(ended_at), second.pk, "unclaim")
    assert (five[0], five[2:]) == ("device.assigned", (second.pk, "assignment"))
    assert fanout.stamp(moment) <= five[1] <= fanout.stamp(timezone.now())


def test_a_transfer_reports_both_spans_to_the_organization_and_to_each_customer_its_own(
    hear, device, customer, other_customer, by_system
):
    ownership.assign([device.pk], customer=customer, by=by_system)
    told, old, new = hear(), hear(customer_id=customer.pk), hear(customer_id=other_customer.pk)
    outcome = ledger.transfer(
        [device.pk],
        Act(by_system, note=NOTE),
        source=customer,
        customer=other_customer,
        project=projects.default_of(other_customer),
    )
    for kind, about in ((device_events.UNCLAIMED, customer), (device_events.ASSIGNED, other_customer)):
        record_set(kind, Device, outcome.done, label="serial_number", by=by_system, about=about, note=NOTE)
    before, after = spans(device)
    assert of_hands(old()) == [over(before)]
    assert of_hands(new()) == [begun(after)]
    assert of_hands(told()) == [over(before), begun(after), begun(after, "device.transferred")]
    assert told()[2]["data"]["previous_ownership"] == before.pk
    for texts, stranger in ((old(), other_customer), (new(), customer)):
        assert [one["data"]["customer"]["id"] == stranger.pk for one in texts] == [False]
        assert stranger.name not in json.dumps(texts)


@pytest.mark.parametrize("is_guarded", [True, False])
def test_a_customers_webhook_never_reveals_the_span_of_another_customer(
    is_guarded, hear, device, customer, other_customer, by_system, monkeypatch
):
    """With its negative control: without the check of the owner, the other customer's id is revealed."""
    if not is_guarded:
        monkeypatch.setattr(Described, "ended", lambda self, customer_id: self._newest(False, None))
    ownership.assign([device.pk], customer=customer, by=by_system)
    ownership.unclaim([device.pk], reason="Sold", by=by_system)
    told = hear(customer_id=other_customer.pk)
    record_set(device_events.UNCLAIMED, Device, [device.pk], label="serial_number", by=by_system, about=other_customer)
    (span,) = spans(device)
    (one,) = told()
    assert one["data"]["ownership"] == (None if is_guarded else span.pk)


def test_a_registration_has_the_time_when_the_device_was_created(hear, product, by_system):
    told = hear()
    device = device_actions.register(product=product, serial_number="AQM26-9", device_name="unit-0009", by=by_system)
    (one,) = told()
    assert (one["type"], one["timestamp"]) == ("device.registered", fanout.stamp(device.created_at))
    assert set(one["data"]) == {"device", "customer"}


@pytest.mark.parametrize("number", [1, 3])
def test_each_message_carries_its_id(number, hear, device, customer, by_system):
    ownership.assign([device.pk], customer=customer, by=by_system)
    told = hear(customer_id=customer.pk)
    drafts = [Draft("level", Json(json.dumps({"mm": n, "of": 1.5})), None) for n in range(number)]
    at = messages.publish(drafts, by=messages.Publisher(device.pk, device.organization_id))
    stored = Message.objects.order_by("pk").values_list("pk", "data")
    assert [(one["data"]["message"]["id"], one["data"]["message"]["data"]) for one in told()] == list(stored)
    assert len(stored) == number
    assert {one["timestamp"] for one in told()} == {fanout.stamp(at)}
    messages.settle_recent()


def test_a_message_hidden_by_another_of_the_same_instant_has_no_id_rather_than_a_wrong_one(
    hear, device, by_system, monkeypatch
):
    told, publisher = hear(), messages.Publisher(device.pk, device.organization_id)
    insert = messages._insert_one

    def with_another(draft, by, at):
        at = insert(draft, by, at)
        return insert(Draft("level", Json("7"), None), by, at)

    monkeypatch.setattr(messages, "_insert_one", with_another)
    messages.publish([Draft("level", Json("6"), None)], by=publisher)
    assert [one["data"]["message"]["id"] for one in told()] == [None]


@pytest.mark.parametrize("number", [1, 300])
def test_ended_spans_take_as_many_queries_for_one_device_as_for_hundreds(
    number, hear, make_devices, customer, by_system, django_assert_num_queries
):
    ids = [device.pk for device in make_devices(number)]
    ownership.assign(ids, customer=customer, by=by_system)
    told = hear()
    ledger.release(ids, Act(by_system), reason="unclaim")
    with django_assert_num_queries(5):
        record_set(device_events.UNCLAIMED, Device, ids, label="serial_number", by=by_system, about=customer)
    ended = Ownership.objects.order_by("device").values_list("pk", flat=True)
    assert [one["data"]["ownership"] for one in told()] == list(ended)
