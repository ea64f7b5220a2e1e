"""Webhooks: who is told of what, in the same transaction, verifiable by the official library, until it is given up."""

import json
import threading
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from claims.redemption.actions import redemption
from claims.shipments import events as shipment_events
from claims.shipments.actions import shipments
from console import tasks, upkeep
from console.access import system
from console.audit import public, record, record_set
from console.errors import Refused
from console.models import DeliveryState, Event, Webhook, WebhookAttempt, WebhookDelivery
from console.webhooks import actions as webhooks
from console.webhooks import cleanup, delivery, dial, fanout, lanes, signing
from customers.directory import actions as customers
from customers.projects.actions import projects
from devices import events as device_events
from devices import ledger
from devices.actions import devices as device_actions
from devices.actions import ownership
from devices.acts import Act
from devices.messages import actions as messages
from devices.messages.events import PUBLISHED
from devices.messages.webhooks import on_moved
from devices.messages.window import Draft
from devices.models import Device, Message, Ownership
from devices.models.message import Json
from tests import factories
from tests.claims import worlds
from tests.console.webhook_receiver import LOCAL, Receiver
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver(settings):
    settings.WEBHOOK_NETWORKS = LOCAL
    found = Receiver()
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def make_hook(receiver, by_system):
    def make(*events, **fields):
        scope = "product" if fields.get("product_id") else "customer" if fields.get("customer_id") else "organization"
        every = [name for name, _label in public.of_scope(scope)]
        hook = webhooks.create(url=receiver.url, events=events or every, by=fields.pop("by", by_system), **fields)
        receiver.secret = webhooks.secret(hook)
        return hook

    return make


def told(hook):
    return list(hook.deliveries.order_by("pk").values_list("kind", "label"))


def test_what_happens_to_a_device_reaches_the_receiver_verified_and_complete(
    make_hook, receiver, product, customer, by_system
):
    hook = make_hook()
    device = factories.make_device(product, "AQM26-7")
    ownership.assign([device.pk], customer=customer, by=by_system)
    assert delivery.run() == 1
    assert receiver.refused == 0
    ((message_id, body, headers, _raw),) = receiver.calls
    row, span = hook.deliveries.get(), Ownership.objects.get()
    assert message_id == row.message_id
    assert message_id.startswith("msg_")
    assert headers["Content-Type"] == "application/json"
    assert body == {
        "type": "device.assigned",
        "timestamp": fanout.stamp(row.at),
        "data": {
            "device": {
                "id": device.pk,
                "serial_number": "AQM26-7",
                "device_name": device.device_name,
                "product": {"id": product.pk, "slug": "aqua-meter", "name": "Aqua Meter"},
            },
            "customer": {"id": customer.pk, "name": "Stadtwerke Aalen"},
            "ownership": span.pk,
            "reason": "assignment",
        },
    }
    assert row.at == span.started_at
    assert (row.state, row.attempts, row.next_at, row.leased_by) == ("sent", 1, None, "")
    attempt = row.tries.get()
    assert (attempt.status, attempt.error, attempt.response) == (200, "", "ok")


def test_a_changed_byte_an_old_moment_and_another_secret_are_refused_by_the_official_library(
    make_hook, receiver, by_system
):
    hook = make_hook()
    webhooks.send_test(hook, by=by_system)
    delivery.run()
    ((_id, _told, headers, raw),) = receiver.calls
    verifier = Verifier(webhooks.secret(hook))
    assert verifier.verify(raw, headers)["type"] == "webhook.test"
    with pytest.raises(WebhookVerificationError):
        verifier.verify(raw.replace(b"webhook", b"webhoox", 1), headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(signing.secret_of(signing.new_seed())).verify(raw, headers)
    old = timezone.now() - timedelta(minutes=6)
    with pytest.raises(WebhookVerificationError, match="too old"):
        verifier.verify(raw, signing.headers([webhooks.secret(hook)], "msg_1", raw.decode(), at=old))


def test_for_a_day_after_a_rotation_both_secrets_verify(make_hook, receiver, by_system):
    hook = make_hook()
    before, after = webhooks.secret(hook), webhooks.rotate(hook, by=by_system)
    assert before != after == webhooks.secret(hook)
    for secret in (before, after):
        receiver.secret = secret
        webhooks.send_test(hook, by=by_system)
        delivery.run()
    assert (len(receiver.calls), receiver.refused) == (2, 0)
    Webhook.objects.filter(pk=hook.pk).update(old_seed_until=timezone.now() - timedelta(seconds=1))
    receiver.secret = before
    webhooks.send_test(hook, by=by_system)
    delivery.run()
    assert (len(receiver.calls), receiver.refused) == (2, 1)


def test_a_secret_is_nowhere_in_the_database(make_hook):
    hook = make_hook()
    stored = " ".join(str(value) for value in Webhook.objects.filter(pk=hook.pk).values().get().values())
    secret = webhooks.secret(hook)
    assert secret.startswith("whsec_")
    assert secret.removeprefix("whsec_") not in stored


def test_a_delivery_is_undone_with_what_it_tells(make_hook, product, customer, device, by_system):
    hook = make_hook()
    with pytest.raises(RuntimeError), transaction.atomic():
        ownership.assign([device.pk], customer=customer, by=by_system)
        raise RuntimeError
    assert told(hook) == []


def test_every_public_event_is_sent(make_hook, product, customer, by_system):
    hook = make_hook()
    device = device_actions.register(product=product, serial_number="AQM26-9", device_name="unit-0009", by=by_system)
    ownership.assign([device.pk], customer=customer, by=by_system)
    ownership.unclaim([device.pk], reason="Lease over", by=by_system)
    ownership.assign([device.pk], customer=customer, by=by_system, reason="claim")
    assert [kind for kind, _label in told(hook)] == [
        "device.registered",
        "device.assigned",
        "device.unclaimed",
        "device.claimed",
    ]
    assert {label for _kind, label in told(hook)} == {"AQM26-9"}


def test_a_webhook_hears_only_what_it_asked_for(make_hook, device, customer, by_system):
    hook = make_hook("device.unclaimed")
    ownership.assign([device.pk], customer=customer, by=by_system)
    assert told(hook) == []
    ownership.unclaim([device.pk], reason="Lease over", by=by_system)
    assert told(hook) == [("device.unclaimed", device.serial_number)]


def test_another_organization_hears_nothing(make_hook, device, customer, by_system, other_organization):
    hook = make_hook(by=system(other_organization))
    ownership.assign([device.pk], customer=customer, by=by_system)
    assert told(hook) == []


def test_a_products_webhook_does_not_depend_on_the_owner_of_the_device(
    make_hook, organization, product, customer, other_customer, by_system
):
    hook = make_hook("device.assigned", "device.unclaimed", product_id=product.pk)
    device = factories.make_device(product, "AQM26-1")
    other = factories.make_device(factories.make_product(organization, "Wind Gauge"), "WND-1")
    ownership.assign([device.pk, other.pk], customer=customer, by=by_system)
    ownership.unclaim([device.pk], reason="Sold", by=by_system)
    ownership.assign([device.pk], customer=other_customer, by=by_system)
    assert told(hook) == [
        ("device.assigned", "AQM26-1"),
        ("device.unclaimed", "AQM26-1"),
        ("device.assigned", "AQM26-1"),
    ]


def test_a_customers_webhook_ends_with_its_ownership(make_hook, device, customer, other_customer, by_system):
    hook = make_hook("device.assigned", "device.unclaimed", "message", customer_id=customer.pk)
    now = timezone.now()
    ownership.assign([device.pk], customer=customer, by=by_system, at=now - timedelta(hours=2))
    ownership.unclaim([device.pk], reason="Sold", by=by_system, at=now - timedelta(hours=1))
    ownership.assign([device.pk], customer=other_customer, by=by_system, at=now - timedelta(minutes=30))
    ownership.unclaim([device.pk], reason="Sold", by=by_system)
    fanout.emit(device.organization_id, PUBLISHED, {}, at=now, customer_id=other_customer.pk, device_id=device.pk)
    assert [kind for kind, _label in told(hook)] == ["device.assigned", "device.unclaimed"]


def test_a_message_outside_of_the_customers_span_is_never_sent(make_hook, receiver, device, customer, by_system):
    """What waits to be sent when the ownership turns out to have ended, to the microsecond, is withheld."""
    hook = make_hook("message", customer_id=customer.pk)
    start, end, tick = (
        timezone.now() - timedelta(hours=2),
        timezone.now() - timedelta(hours=1),
        timedelta(microseconds=1),
    )
    ownership.assign([device.pk], customer=customer, by=by_system, at=start)
    moments = {"before": start - tick, "first": start, "last": end - tick, "after": end}
    silent = messages.Publisher(device.pk, device.organization_id, is_heard=False)
    for name, at in moments.items():
        if name == "after":
            # No ownership ends before what was published in it.
            ledger.release([device.pk], Act(by_system, at=end), reason="unclaim")
        messages.publish([Draft(name, Json("1"), None)], by=silent, at=at)
        fanout.emit(
            device.organization_id,
            PUBLISHED,
            {"name": name},
            at=at,
            customer_id=customer.pk,
            device_id=device.pk,
            name=name,
        )
    delivery.run()
    assert sorted(body["data"]["name"] for body in receiver.told) == ["first", "last"]
    withheld = hook.deliveries.filter(state=DeliveryState.GIVEN_UP)
    assert withheld.count() == 2
    assert {row.tries.get().error for row in withheld} == {"Not sent: the device was not this customer's at that time."}


def test_an_archived_customer_gets_no_events_and_no_webhook(make_hook, receiver, device, customer, by_system):
    make_hook("message", customer_id=customer.pk)
    ledger.share([device.pk], Act(by_system), customer=customer, project=projects.default_of(customer), reason="claim")
    told = messages.Publisher(device.pk, device.organization_id)
    messages.publish([Draft("before", Json("1"), None)], by=told)
    delivery.run()
    customers.archive(customer, by=by_system)
    messages.publish([Draft("after", Json("2"), None)], by=told)
    delivery.run()
    assert [body["data"]["message"]["name"] for body in receiver.told] == ["before"]
    with pytest.raises(Refused) as refused:
        webhooks.create(url="https://example.com/", events=["message"], customer_id=customer.pk, by=by_system)
    assert refused.value.code == "unknown_customer"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "postgresql" not in settings.DATABASES["default"]["ENGINE"],
    reason="SQLite has one writer: a handover that is under way is seen by nobody who writes.",
)
@pytest.mark.parametrize("waits", [True, False])
def test_a_message_of_a_device_that_is_changing_hands_waits_until_it_is_known_whose_it_is(
    waits, make_hook, receiver, device, customer, other_customer, by_system, monkeypatch
):
    """With its negative control: without the wait, the old owner is told what was published after its time."""
    if not waits:
        monkeypatch.setattr(PUBLISHED.guard, "unlocked", lambda ids: ids)
    make_hook("message", customer_id=customer.pk)
    ownership.assign([device.pk], customer=customer, by=by_system)
    begun, published = threading.Event(), threading.Event()

    def hand_over() -> None:
        try:
            with transaction.atomic():
                at = timezone.now()
                ownership.unclaim([device.pk], reason="Sold", by=by_system, at=at)
                ownership.assign([device.pk], customer=other_customer, by=by_system, at=at)
                begun.set()
                published.wait(PATIENCE)
        finally:
            connection.close()

    thread = threading.Thread(target=hand_over)
    thread.start()
    assert begun.wait(PATIENCE)
    messages.publish([Draft("t", Json("42"), None)], by=messages.Publisher(device.pk, device.organization_id))
    delivery.run()
    published.set()
    thread.join()
    assert len(receiver.told) == (0 if waits else 1)
    WebhookDelivery.objects.filter(next_at__isnull=False).update(next_at=timezone.now())
    delivery.run()
    assert len(receiver.told) == (0 if waits else 1)
    messages.settle_recent()


def test_without_the_look_at_the_span_it_would_be_sent(make_hook, receiver, device, customer, by_system, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(delivery, "_withhold", lambda jobs: jobs)
    make_hook("message", customer_id=customer.pk)
    fanout.emit(device.organization_id, PUBLISHED, {}, at=timezone.now(), customer_id=customer.pk, device_id=device.pk)
    delivery.run()
    assert len(receiver.calls) == 1


def test_what_a_device_publishes_reaches_the_webhooks_of_its_product_and_of_its_owner_at_that_moment(
    make_hook, device, customer, other_customer, by_system
):
    hooks = [
        make_hook("message", product_id=device.product_id),
        make_hook("message", customer_id=customer.pk),
        make_hook("message", customer_id=other_customer.pk),
    ]
    publisher = messages.Publisher(device.pk, device.organization_id)
    draft = Draft("level", Json('{"mm":12}'), None)
    start, end = timezone.now() - timedelta(hours=2), timezone.now() - timedelta(hours=1)
    ownership.assign([device.pk], customer=customer, by=by_system, at=start)
    ledger.transfer(
        [device.pk],
        Act(by_system, at=end),
        source=customer,
        customer=other_customer,
        project=projects.default_of(other_customer),
    )
    tick = timedelta(microseconds=1)
    for at in (start - tick, start, end - tick, end):
        messages.publish([draft, draft], by=publisher, at=at)
    messages.settle_recent()
    assert [sorted({row.at for row in hook.deliveries.all()}) for hook in hooks] == [
        [start - tick, start, end - tick, end],
        [start, end - tick],
        [end],
    ]
    body = json.loads(hooks[2].deliveries.first().payload)["data"]
    assert body["message"] == {
        "id": Message.objects.filter(at=end).earliest("pk").pk,
        "name": "level",
        "data": {"mm": 12},
        "at": fanout.stamp(end),
        "device_at": None,
    }
    assert body["customer"] == {"id": other_customer.pk, "name": other_customer.name}


@pytest.mark.parametrize("number", [1, 40])
def test_what_the_ledger_gives_afterwards_is_told_in_as_many_statements_for_one_device_as_for_many(
    number, make_hook, make_devices, customer, by_system, django_assert_num_queries
):
    hook, ids = make_hook("message", customer_id=customer.pk), [device.pk for device in make_devices(number)]
    for pk in ids:
        silent = messages.Publisher(pk, by_system.organization.pk, is_heard=False)
        messages.publish([Draft("level", Json(str(pk)), None)], by=silent)
    ownership.assign(ids, customer=customer, by=by_system)
    project = projects.default_of(customer)
    found = list(Message.objects.filter(device__in=ids).values_list("pk", flat=True))
    Message.objects.filter(pk__in=found).update(project=project)
    with django_assert_num_queries(5):
        on_moved(found)
    assert sorted(json.loads(row.payload)["data"]["message"]["data"] for row in hook.deliveries.all()) == ids
    Message.objects.filter(pk__in=found).update(project=None)
    messages.settle_recent()


def test_two_messages_of_one_instant_are_each_sent_once(make_hook, device, customer, by_system):
    hook, at = make_hook("message", customer_id=customer.pk), timezone.now() + timedelta(seconds=1)
    ownership.assign([device.pk], customer=customer, by=by_system)
    first, silent = (messages.Publisher(device.pk, device.organization_id, is_heard=heard) for heard in (True, False))
    messages.publish([Draft("level", Json("1"), None)], by=first, at=at)
    messages.publish([Draft("level", Json("2"), None)], by=silent, at=at)
    Message.objects.update(project=projects.default_of(customer))
    found = list(Message.objects.order_by("pk").values_list("pk", flat=True))
    for _again in range(2):
        on_moved(found)
        told = [json.loads(row.payload)["data"]["message"] for row in hook.deliveries.order_by("pk")]
        assert [(message["id"], message["data"]) for message in told] == [(found[0], 1), (found[1], 2)]


def test_messages_are_sent_by_name(make_hook, device):
    hook = make_hook("message", message_names=["level", "alarm"])
    for name in ("level", "temperature", "alarm"):
        fanout.emit(
            device.organization_id, PUBLISHED, {}, at=timezone.now(), device_id=device.pk, label=name, name=name
        )
    assert told(hook) == [("message", "level"), ("message", "alarm")]


def test_a_transfer_tells_the_organization_of_both_and_each_customer_of_its_part(
    make_hook, device, customer, other_customer, by_system
):
    ours = make_hook("device.transferred")
    old = make_hook("device.assigned", "device.unclaimed", customer_id=customer.pk)
    new = make_hook("device.assigned", "device.unclaimed", customer_id=other_customer.pk)
    now = timezone.now()
    ledger.assign(
        [device.pk],
        Act(by_system, at=now - timedelta(hours=1)),
        customer=customer,
        project=projects.default_of(customer),
        reason="assignment",
    )
    outcome = ledger.transfer(
        [device.pk],
        Act(by_system),
        source=customer,
        customer=other_customer,
        project=projects.default_of(other_customer),
    )
    for kind, about in ((device_events.UNCLAIMED, customer), (device_events.ASSIGNED, other_customer)):
        record_set(kind, Device, outcome.done, label="serial_number", by=by_system, about=about, act=outcome.act)
    assert [told(hook) for hook in (ours, old, new)] == [
        [("device.transferred", device.serial_number)],
        [("device.unclaimed", device.serial_number)],
        [("device.assigned", device.serial_number)],
    ]
    assert f'"previous_customer":{{"id":{customer.pk},' in ours.deliveries.get().payload
    assert customer.name not in new.deliveries.get().payload


def test_a_claim_refused_by_the_limit_is_sent(make_hook, organization, customer, other_customer, dana, erin):
    hook = make_hook("claim.refused_by_limit")
    profile = worlds.make_link_profile(organization, slug="pilot", name="Pilot", max_claims=1)
    redeem = partial(redemption.redeem_as, profile.codes.get(), host="localhost:8000")
    redeem(claimant=redemption.Claimant(customer=other_customer), by=factories.actor_of(erin))
    with pytest.raises(Refused) as refusal:
        redeem(claimant=redemption.Claimant(customer=customer), by=factories.actor_of(dana))
    assert refusal.value.code == "used_up"
    assert told(hook) == [("claim.refused_by_limit", "Pilot")]
    assert json.loads(hook.deliveries.get().payload)["data"]["claim_profile"]["slug"] == "pilot"


def test_a_shipped_shipment_is_sent_to_the_organization_and_its_customer(
    make_hook, customer, other_customer, device, alice, by_system
):
    ours, theirs = make_hook("shipment.shipped"), make_hook("shipment.shipped", customer_id=customer.pk)
    others = make_hook("shipment.shipped", customer_id=other_customer.pk)
    shipment = shipments.create(customer=customer, lines={}, by=by_system)
    record(shipment_events.SHIPPED, shipment, by=by_system, about=customer, units=3)
    assert [told(hook) for hook in (ours, theirs, others)] == [[("shipment.shipped", shipment.code)]] * 2 + [[]]
    assert json.loads(ours.deliveries.get().payload)["data"] == {
        "shipment": {"id": shipment.pk, "code": shipment.code, "units": 3},
        "customer": {"id": customer.pk, "name": customer.name},
    }


@pytest.mark.parametrize("number", [1, 300])
def test_the_fanout_is_set_based(number, make_hook, make_devices, customer, by_system, django_assert_num_queries):
    """As many statements for one device as for hundreds, and one question where nobody listens."""
    ids = [device.pk for device in make_devices(number)]
    tell = {"label": "serial_number", "by": by_system, "about": customer}
    with django_assert_num_queries(2):
        record_set(device_events.UNCLAIMED, Device, ids, **tell)
    hooks = [make_hook("device.unclaimed"), make_hook("device.unclaimed")]
    with django_assert_num_queries(5):
        record_set(device_events.UNCLAIMED, Device, ids, **tell)
    assert [hook.deliveries.count() for hook in hooks] == [number, number]
    assert WebhookDelivery.objects.values("message_id").distinct().count() == number


def test_the_schedule_lasts_75_hours_and_grows():
    waits = [delivery.wait_after(n, lambda: 0.0) for n in range(1, 11)]
    assert waits[-1] is None
    assert sum((wait for wait in waits if wait), timedelta()) == timedelta(hours=75, minutes=35, seconds=5)
    assert waits[:-1] == sorted(waits[:-1])
    longest = sum((delivery.wait_after(n, lambda: 1.0) for n in range(1, 10)), timedelta())
    assert timedelta(hours=75) < longest < delivery.OLDEST


def test_a_failing_call_is_tried_on_the_schedule_with_the_same_id_then_given_up(make_hook, receiver, by_system):
    hook = make_hook()
    receiver.answers = [500] * 10
    row = webhooks.send_test(hook, by=by_system)
    for attempt in range(1, 11):
        began = timezone.now()
        WebhookDelivery.objects.filter(next_at__isnull=False).update(next_at=began)
        assert delivery.run() == 1
        row.refresh_from_db()
        assert row.attempts == attempt
        if attempt < 10:
            wait = delivery.SCHEDULE[attempt - 1]
            assert began + wait <= row.next_at <= timezone.now() + wait * 1.1
            assert row.state == DeliveryState.FAILED
    assert (row.state, row.next_at) == (DeliveryState.GIVEN_UP, None)
    assert set(receiver.ids) == {row.message_id}
    assert len({raw for *_rest, raw in receiver.calls}) == 1
    assert delivery.run() == 0
    assert row.tries.count() == 10


def test_a_receiver_is_left_alone_for_as_long_as_it_asks(make_hook, receiver, by_system, monkeypatch):
    """With all that waits for it: `Retry-After` is about the receiver, not about one call (RFC 9110, 10.2.3)."""
    monkeypatch.setattr(delivery, "PORTION", 1)
    monkeypatch.setattr(lanes, "OF_ONE", 1)
    hook = make_hook()
    receiver.answers, receiver.headers = [429], {"Retry-After": "7200"}
    rows = [webhooks.send_test(hook, by=by_system), webhooks.send_test(hook, by=by_system)]
    began = timezone.now()
    assert delivery.run() == 1
    for row in rows:
        row.refresh_from_db()
        assert row.next_at >= began + timedelta(hours=2)
    assert [row.state for row in rows] == [DeliveryState.FAILED, DeliveryState.WAITING]


def test_a_receiver_that_asks_for_nothing_gets_the_next_call_at_once(make_hook, receiver, by_system, monkeypatch):
    monkeypatch.setattr(delivery, "PORTION", 1)
    monkeypatch.setattr(lanes, "OF_ONE", 1)
    hook = make_hook()
    receiver.answers = [429]
    webhooks.send_test(hook, by=by_system), webhooks.send_test(hook, by=by_system)
    assert delivery.run() == 2


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("120", 120, 120),
        (" 5 ", 5, 5),
        ("0", 0, 0),
        ("99999999999", 86400, 86400),
        ("", 0, 0),
        ("soon", 0, 0),
        ("-5", 0, 0),
        ("²", 0, 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Fri, 31 Dec 2999 23:59:59 GMT", 86400, 86400),
        ("Fri, 31 Dec 2999 23:59:59", 0, 0),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(text, least, most):
    assert least <= dial.retry_after(text) <= most


def test_a_receiver_that_is_gone_is_disabled_and_owners_and_administrators_are_notified(
    make_hook, receiver, organization, alice, bob, by_system, mailoutbox
):
    hook, head = make_hook(), factories.make_member(organization, "administrator")
    receiver.answers = [410]
    row = webhooks.send_test(hook, by=by_system)
    delivery.run()
    hook.refresh_from_db()
    row.refresh_from_db()
    assert (hook.is_enabled, row.state) == (False, DeliveryState.GIVEN_UP)
    assert hook.disabled_reason == "The receiver answered 410, so no more calls are sent."
    assert [(sent.to, sent.subject) for sent in mailoutbox] == [
        ([user.email], "A webhook of Northlake was disabled") for user in (alice, head)
    ]
    assert f"http://localhost:8000/settings/webhooks/{hook.pk}/" in mailoutbox[0].body
    assert "kept for 7 days" in mailoutbox[0].body
    assert Event.objects.filter(kind="webhook.disabled", subject_id=hook.pk).count() == 1


@pytest.mark.parametrize(("days", "is_enabled"), [(4, True), (6, False)])
def test_a_receiver_that_only_fails_for_five_days_is_disabled(
    days, is_enabled, make_hook, receiver, alice, by_system, mailoutbox
):
    hook = make_hook()
    Webhook.objects.filter(pk=hook.pk).update(failing_since=timezone.now() - timedelta(days=days))
    receiver.answers = [503]
    webhooks.send_test(hook, by=by_system)
    delivery.run()
    hook.refresh_from_db()
    assert hook.is_enabled is is_enabled
    assert len(mailoutbox) == (0 if is_enabled else 1)


def test_one_success_ends_the_failing(make_hook, receiver, by_system):
    hook = make_hook()
    Webhook.objects.filter(pk=hook.pk).update(failing_since=timezone.now() - timedelta(days=6))
    webhooks.send_test(hook, by=by_system)
    delivery.run()
    hook.refresh_from_db()
    assert (hook.failing_since, hook.is_enabled) == (None, True)


def test_a_redirect_is_not_followed(make_hook, receiver, by_system):
    hook = make_hook()
    receiver.answers, receiver.headers = [302], {"Location": receiver.url + "/elsewhere"}
    row = webhooks.send_test(hook, by=by_system)
    delivery.run()
    row.refresh_from_db()
    attempt = row.tries.get()
    assert (row.state, len(receiver.calls), receiver.connections) == ("failed", 1, 1)
    assert (attempt.status, attempt.error) == (302, "The receiver redirected; redirects aren't followed.")


def test_an_unreachable_receiver_is_tried_once_and_the_rest_waits_with_it(make_hook, receiver, by_system, device):
    hook = make_hook("message")
    Webhook.objects.filter(pk=hook.pk).update(url="http://127.0.0.1:1/hooks")
    for n in range(30):
        fanout.emit(device.organization_id, PUBLISHED, {"n": n}, at=timezone.now(), device_id=device.pk)
    assert 1 <= delivery.run() <= lanes.OF_ONE
    assert WebhookAttempt.objects.count() <= lanes.OF_ONE
    assert not delivery.due().exists()
    assert not WebhookDelivery.objects.exclude(leased_by="").exists()


def test_calls_to_one_receiver_share_a_few_connections(make_hook, receiver, device):
    make_hook("message")
    for n in range(60):
        fanout.emit(device.organization_id, PUBLISHED, {"n": n}, at=timezone.now(), device_id=device.pk)
    assert delivery.run() == 60
    assert len(set(receiver.ids)) == len(receiver.ids) == 60
    assert receiver.connections == lanes.OF_ONE


def test_two_workers_do_not_take_the_same(make_hook, device):
    make_hook("message")
    for n in range(5):
        fanout.emit(device.organization_id, PUBLISHED, {"n": n}, at=timezone.now(), device_id=device.pk)
    first, second = delivery.take(), delivery.take()
    assert (len(first), len(second)) == (5, 0)
    later = timezone.now() + delivery.LEASE + timedelta(seconds=1)
    assert len(delivery.take(at=later)) == 5


def test_deliveries_held_by_a_dead_worker_are_returned(make_hook, by_system):
    webhooks.send_test(make_hook(), by=by_system)
    delivery.take()
    WebhookDelivery.objects.update(leased_by="elsewhere/1:99:1")
    assert cleanup.release_dead() == 1
    assert delivery.due().count() == 1


def test_deliveries_held_by_a_living_worker_stay_with_it(make_hook, by_system):
    webhooks.send_test(make_hook(), by=by_system)
    delivery.take()
    assert cleanup.release_dead() == 0
    assert delivery.due().count() == 0


def test_a_removed_webhook_is_silent_for_good(make_hook, receiver, by_system):
    hook = make_hook()
    webhooks.send_test(hook, by=by_system)
    webhooks.remove(hook, by=by_system)
    webhooks.enable(hook, by=by_system)
    assert (delivery.run(), receiver.connections, hook.is_enabled) == (0, 0, False)
    assert hook.deliveries.get().state == DeliveryState.GIVEN_UP


def test_a_delivery_is_sent_again_with_its_id(make_hook, receiver, by_system):
    hook = make_hook()
    row = webhooks.send_test(hook, by=by_system)
    delivery.run()
    row.refresh_from_db()
    webhooks.send_again(row, by=by_system)
    delivery.run()
    assert receiver.ids == [row.message_id] * 2
    webhooks.disable(hook, by=by_system)
    with pytest.raises(Refused) as refusal:
        webhooks.send_again(row, by=by_system)
    assert refusal.value.code == "disabled"


def test_the_task_is_queued_once_and_sends(make_hook, receiver, by_system, django_capture_on_commit_callbacks):
    hook = make_hook()
    with django_capture_on_commit_callbacks(execute=True):
        webhooks.send_test(hook, by=by_system)
        webhooks.send_test(hook, by=by_system)
    queued = DBTaskResult.objects.filter(task_path=tasks.deliver_webhooks.module_path)
    assert list(queued.values_list("queue_name", flat=True)) == ["webhooks"]
    tasks.deliver_webhooks.func()
    assert len(receiver.calls) == 2


def test_upkeep_takes_up_what_nobody_queued_and_forgets_what_is_old(make_hook, by_system):
    hook = make_hook()
    webhooks.send_test(hook, by=by_system)
    upkeep.go_on()
    assert DBTaskResult.objects.filter(task_path=tasks.deliver_webhooks.module_path).count() == 1
    delivery.run()
    WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert cleanup.delete_old() == 1
    assert (WebhookDelivery.objects.count(), WebhookAttempt.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"url": "https://user@example.com/"}, "bad_address"),
        ({"events": []}, "no_events"),
        ({"events": ["device.exploded"]}, "unknown_event"),
        ({"product_id": 99_999}, "unknown_product"),
        ({"message_names": ["a" * 65], "events": ["message"]}, "too_many_names"),
        ({"message_names": ["level"]}, "names_without_message"),
        ({"url": "https://10.0.0.1/"}, "address_not_allowed"),
    ],
)
def test_a_webhook_that_makes_no_sense_is_refused(fields, code, by_system):
    values = {"url": "https://example.com/hooks", "events": ["device.assigned"], **fields}
    with pytest.raises(Refused) as refusal:
        webhooks.create(**values, by=by_system)
    assert (refusal.value.code, refusal.value.status) == (code, 422)
    assert not Webhook.objects.exists()


def test_a_customers_webhook_has_no_events_that_name_others(by_system, customer):
    for event in ("device.registered", "device.transferred", "claim.refused_by_limit"):
        with pytest.raises(Refused):
            webhooks.create(url="https://example.com/", events=[event], customer_id=customer.pk, by=by_system)


def test_no_webhook_is_bound_to_another_organizations_product(by_system, foreign_device):
    with pytest.raises(Refused):
        webhooks.create(
            url="https://example.com/", events=["message"], product_id=foreign_device.product_id, by=by_system
        )
