"""What happens while a webhook is disabled is kept for some days, and sent or discarded as somebody decides."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from console import upkeep
from console.audit.public import Occurrence
from console.errors import Refused
from console.models import DeliveryState, Event, Webhook
from console.webhooks import actions as webhooks
from console.webhooks import delivery, fanout, kept
from devices import ledger
from devices.actions import ownership
from devices.acts import Act
from devices.messages import actions as messages
from devices.messages.events import PUBLISHED
from devices.messages.window import Draft
from devices.models.message import Json
from tests.api import Caller, key_of
from tests.console.webhook_receiver import LOCAL, Receiver
from tests.html import tight

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver(settings):
    settings.WEBHOOK_NETWORKS = LOCAL
    found = Receiver()
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def hook(receiver, by_system):
    made = webhooks.create(url=receiver.url, events=["message"], by=by_system)
    receiver.secret = webhooks.secret(made)
    return made


def emit(hook, *names, **fields):
    for name in names:
        told = {"at": timezone.now(), **fields}
        fanout.emit(hook.organization_id, PUBLISHED, {"name": name}, name=name, label=name, **told)


def names(receiver):
    return [body["data"]["name"] for body in receiver.told]


def states(hook):
    return list(hook.deliveries.order_by("pk").values_list("label", "state"))


def test_nothing_is_sent_while_it_is_off_and_what_happens_is_kept(hook, receiver, by_system):
    webhooks.disable(hook, by=by_system)
    emit(hook, "one", "two")
    assert (delivery.run(), delivery.next_due(), receiver.calls) == (0, None, [])
    assert states(hook) == [("one", "kept"), ("two", "kept")]


def test_what_was_kept_is_sent_in_its_order_before_what_comes_then(hook, receiver, by_system):
    emit(hook, "waited")
    webhooks.disable(hook, by=by_system)
    emit(hook, "one", "two")
    webhooks.enable(hook, by=by_system, then=webhooks.SEND)
    emit(hook, "after")
    taken = [job.delivery.label for job in delivery.take()]
    assert taken == ["waited", "one", "two", "after"]
    assert Event.objects.get(kind="webhook.kept_sent").data == {"calls": 2}


def test_it_can_be_enabled_without_it_and_the_decision_made_later(hook, receiver, by_system):
    emit(hook, "waited")
    webhooks.disable(hook, by=by_system)
    emit(hook, "one", "two")
    webhooks.enable(hook, by=by_system)
    emit(hook, "after")
    upkeep.go_on()
    delivery.run()
    assert sorted(names(receiver)) == ["after", "waited"]
    assert webhooks.send_kept(hook, by=by_system) == 2
    delivery.run()
    assert sorted(names(receiver)) == ["after", "one", "two", "waited"]
    assert webhooks.send_kept(hook, by=by_system) == 0


def test_what_is_discarded_is_not_sent_and_stays_in_the_log(hook, receiver, by_system):
    webhooks.disable(hook, by=by_system)
    emit(hook, "one")
    assert webhooks.discard_kept(hook, by=by_system) == 1
    emit(hook, "two")
    webhooks.enable(hook, by=by_system, then=webhooks.DISCARD)
    assert (delivery.run(), receiver.calls) == (0, [])
    assert states(hook) == [("one", "discarded"), ("two", "discarded")]
    webhooks.send_again(hook.deliveries.first(), by=by_system)
    delivery.run()
    assert names(receiver) == ["one"]


def test_it_must_be_enabled_to_be_sent_anything(hook, by_system):
    webhooks.disable(hook, by=by_system)
    emit(hook, "one")
    with pytest.raises(Refused) as refusal:
        webhooks.send_kept(hook, by=by_system)
    assert refusal.value.code == "disabled"
    assert states(hook) == [("one", "kept")]


def test_what_is_discarded_while_it_is_off_decides_nothing_about_what_comes_after(hook, receiver, by_system):
    webhooks.disable(hook, by=by_system)
    emit(hook, "one")
    webhooks.discard_kept(hook, by=by_system)
    emit(hook, "two")
    webhooks.enable(hook, by=by_system)
    upkeep.go_on()
    assert (delivery.run(), states(hook)) == (0, [("one", "discarded"), ("two", "kept")])


def test_events_are_dropped_after_some_days_and_above_a_number_and_that_is_reported(
    hook, by_system, alice, client_for, monkeypatch
):
    monkeypatch.setattr(kept, "MOST", 3)
    webhooks.disable(hook, by=by_system)
    emit(hook, "old", "1", "2", "3", "4")
    hook.deliveries.filter(label="old").update(created_at=timezone.now() - timedelta(days=8))
    hook.deliveries.filter(label="1").update(created_at=timezone.now() - timedelta(days=6))
    upkeep.tidy()
    assert [label for label, _state in states(hook)] == ["2", "3", "4"]
    page = tight(client_for(alice).get(hook.get_absolute_url()))
    assert "3 events since" in page
    assert "Events are kept for 7 days, up to the newest 3. 2 older events were dropped." in page
    webhooks.enable(hook, by=by_system)
    assert "2 older events were dropped" in client_for(alice).get(hook.get_absolute_url()).content.decode()
    webhooks.send_kept(hook, by=by_system)
    assert "dropped" not in client_for(alice).get(hook.get_absolute_url()).content.decode()


def test_an_operator_may_have_nothing_kept(hook, by_system, settings):
    settings.WEBHOOK_KEPT_DAYS = 0
    webhooks.disable(hook, by=by_system)
    emit(hook, "one")
    assert not hook.deliveries.exists()


def test_what_waited_for_longer_than_it_is_tried_is_kept_too_and_not_lost(hook, by_system):
    emit(hook, "waited")
    webhooks.disable(hook, by=by_system)
    hook.deliveries.update(created_at=timezone.now() - delivery.OLDEST - timedelta(hours=1))
    webhooks.enable(hook, by=by_system)
    assert states(hook) == [("waited", "kept")]


def test_a_removed_webhook_keeps_nothing(hook, by_system):
    webhooks.disable(hook, by=by_system)
    emit(hook, "one")
    webhooks.remove(hook, by=by_system)
    emit(hook, "two")
    assert states(hook) == [("one", "given_up")]


def test_the_ledger_is_asked_again_when_it_is_sent(receiver, by_system, device, customer):
    """What a customer may no longer read is not told, however long it was kept."""
    hook = webhooks.create(url=receiver.url, events=["message"], customer_id=customer.pk, by=by_system)
    receiver.secret = webhooks.secret(hook)
    start, end = (timezone.now() - timedelta(hours=hours) for hours in (3, 1))
    ownership.assign([device.pk], customer=customer, by=by_system, at=start)
    webhooks.disable(hook, by=by_system)
    silent = messages.Publisher(device.pk, device.organization_id, is_heard=False)
    for name, at in (("within", end - timedelta(minutes=1)), ("outside", end)):
        if name == "outside":
            ledger.release([device.pk], Act(by_system, at=end), reason="unclaim")
        messages.publish([Draft(name, Json("1"), None)], by=silent, at=at)
        emit(hook, name, at=at, customer_id=customer.pk, device_id=device.pk)
    webhooks.enable(hook, by=by_system, then=webhooks.SEND)
    delivery.run()
    assert names(receiver) == ["within"]
    assert [state for _label, state in states(hook)] == ["sent", "given_up"]


@pytest.mark.django_db(transaction=True)
def test_what_a_transaction_kept_that_saw_the_webhook_off_is_sent_after_all(hook, receiver, by_system):
    """It was enabled, and all that was kept sent, while another transaction was writing."""
    webhooks.disable(hook, by=by_system)
    stale = Webhook.objects.get(pk=hook.pk)
    webhooks.enable(hook, by=by_system, then=webhooks.SEND)
    fanout.write([stale], PUBLISHED, [Occurrence({"name": "late"}, timezone.now(), name="late")])
    assert (delivery.run(), hook.deliveries.get().state) == (0, DeliveryState.KEPT)
    upkeep.go_on()
    delivery.run()
    assert names(receiver) == ["late"]


def test_the_page_offers_to_send_and_to_discard(hook, receiver, by_system, alice, client_for):
    client = client_for(alice)
    client.post(reverse("console:webhook_disable", args=[hook.pk]))
    emit(hook, "one")
    page = client.get(hook.get_absolute_url()).content.decode()
    assert "1 event since" in page
    assert "Enable and send" in page
    client.post(reverse("console:webhook_enable", args=[hook.pk]), {"kept": "send"})
    assert states(hook) == [("one", "waiting")]
    client.post(reverse("console:webhook_disable", args=[hook.pk]))
    emit(hook, "two", "three")
    client.post(reverse("console:webhook_enable", args=[hook.pk]))
    assert "2 events since" in client.get(hook.get_absolute_url()).content.decode()
    url = reverse("console:webhook_kept", args=[hook.pk])
    assert client.get(url).status_code == 302
    answer = client.post(url, {"kept": "discard"}, follow=True).content.decode()
    assert "Kept events discarded: 2." in answer
    assert states(hook) == [("one", "waiting"), ("two", "discarded"), ("three", "discarded")]


def test_over_rest_it_is_counted_sent_and_discarded(hook, receiver, by_system, alice):
    caller, url = Caller(key_of(alice)), f"/webhooks/{hook.pk}"
    caller.post(f"{url}/disable")
    emit(hook, "one", "two")
    found = caller.get(url).json()
    assert (found["kept"], found["kept_dropped"], found["is_enabled"]) == (2, 0, False)
    assert found["kept_since"] is not None
    assert caller.post(f"{url}/kept/send").json()["code"] == "disabled"
    assert caller.post(f"{url}/enable", {"kept": "all"}).status_code == 400
    assert caller.post(f"{url}/enable").json()["kept"] == 2
    answer = caller.post(f"{url}/kept/send")
    assert (answer.status_code, answer.json()) == (202, {"count": 2})
    delivery.run()
    assert sorted(names(receiver)) == ["one", "two"]
    caller.post(f"{url}/disable")
    emit(hook, "three")
    assert caller.post(f"{url}/enable", {"kept": "discard"}).json()["kept"] == 0
    assert caller.get(f"{url}/deliveries", state="discarded").json()["results"][0]["kind"] == "message"
    caller.post(f"{url}/disable")
    emit(hook, "four")
    assert caller.post(f"{url}/kept/discard").json() == {"count": 1}
