"""A webhook for one more event, as the checklist has it: a declaration in its room, and what it sends is right."""

import json
from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.utils.translation import gettext_lazy as _

from claims.models import Grade, Return
from claims.returns import events as return_events
from claims.returns.actions import inspection, returns
from console.access import system
from console.audit import kinds, public, record_each, record_set
from console.audit.kinds import Kind
from console.audit.public import EVERYONE, PublicEvent, Sends
from console.webhooks import actions as webhooks
from console.webhooks import fanout
from console.webhooks.api import EventField
from console.webhooks.forms import WebhookForm
from devices import webhooks as payloads
from devices.actions import ownership
from devices.events import DEVICES
from devices.models import Device, DeviceStatus, Ownership
from tests import factories

SCRAPPED = return_events.SCRAPPED


@pytest.fixture
def by(organization):
    return system(organization)


@pytest.fixture
def scratch(monkeypatch):
    """What a test declares is forgotten after it."""
    without = [kind for kind in kinds.registry.declared if kind is not SCRAPPED]
    names = {kind.name: kind for kind in without}
    monkeypatch.setattr(kinds, "registry", kinds.Registry(without, names))
    monkeypatch.setattr(public, "registry", public.Registry(list(public.registry.declared)))


@pytest.fixture
def declare(scratch, monkeypatch):
    """Declares the kind of docs/checklists/webhook-event.md, with this function for its payloads."""

    def make(payload):
        event = PublicEvent("device.scrapped", _("Device scrapped"), EVERYONE, place=65)
        sends = Sends(event, payload)
        kind = Kind("device.scrapped", SCRAPPED.label, SCRAPPED.icon, SCRAPPED.sentence, DEVICES, webhook=sends)
        monkeypatch.setattr(return_events, "SCRAPPED", kind)
        decided = inspection.DECISIONS | {"scrapped": (DeviceStatus.SCRAPPED, kind)}
        monkeypatch.setattr(inspection, "DECISIONS", decided)
        return kind

    return make


def refused() -> list[tuple[str | None, str]]:
    return [(message.id, message.msg) for message in run_checks() if (message.id or "").startswith("custody.E02")]


def scrap(device, customer, by, staff):
    """A device that a customer had comes back, and is scrapped some seconds later."""
    ownership.assign([device.pk], customer=customer, by=by)
    returns.receive([device.pk], reason="Defective", note="", by=staff)
    (span,) = Ownership.objects.filter(device=device)
    (row,) = Return.objects.filter(device=device)
    at = span.ended_at + timedelta(seconds=3)
    inspection.inspect([row.pk], findings=inspection.Findings(grade=Grade.PARTS), decision="scrapped", by=staff, at=at)
    assert Device.objects.get(pk=device.pk).status == DeviceStatus.SCRAPPED
    return span, at


@pytest.mark.django_db
@pytest.mark.parametrize("payload", [payloads.happened, payloads.ended])
def test_a_webhook_declared_by_the_checklist_has_its_own_time_and_no_former_owner(
    payload, declare, device, customer, by, alice
):
    """With its negative control: taken for a change of hands, it carries the time and the span of the former owner."""
    declare(payload)
    assert refused() == []
    ours = webhooks.create(url="https://example.com/", events=["device.scrapped"], by=by)
    theirs = webhooks.create(url="https://example.com/", events=["device.scrapped"], customer_id=customer.pk, by=by)
    span, at = scrap(device, customer, by, factories.actor_of(alice))
    (sent,) = [json.loads(row.payload) for row in ours.deliveries.all()]
    assert sent["type"] == "device.scrapped"
    assert sent["data"]["device"]["id"] == device.pk
    assert theirs.deliveries.count() == 0
    if payload is payloads.happened:
        assert sent["timestamp"] == fanout.stamp(at)
        assert set(sent["data"]) == {"device", "customer"}
        assert sent["data"]["customer"] is None
    else:
        assert sent["timestamp"] == fanout.stamp(span.ended_at)
        assert sent["data"]["ownership"] == span.pk


def test_what_is_declared_is_offered_in_its_place(declare):
    declare(payloads.happened)
    names = [name for name, _label in WebhookForm(scope="customer").fields["events"].choices]
    assert names[-3:] == ["device.scrapped", "shipment.shipped", "message"]
    assert EventField().choices["device.scrapped"] == "device.scrapped"


@pytest.mark.django_db
@pytest.mark.parametrize("number", [1, 30])
def test_lines_with_data_of_their_own_are_sent_too(number, scratch, make_devices, by):
    event = PublicEvent("device.counted", _("Device counted"), EVERYONE, place=66)
    kind = Kind(
        "device.counted",
        "Counted",
        "send",
        "{actor} counted {subject}",
        DEVICES,
        webhook=Sends(event, payloads.happened),
    )
    hook = webhooks.create(url="https://example.com/", events=["device.counted"], by=by)
    devices = make_devices(number)
    record_each(kind, ((device, {"notes": ["", "x"]}) for device in devices), by=by)
    sent = [json.loads(row.payload)["data"]["device"]["id"] for row in hook.deliveries.order_by("pk")]
    assert sent == [device.pk for device in devices]


@pytest.mark.django_db
def test_an_event_without_a_webhook_asks_no_question(device, by, django_assert_num_queries):
    with django_assert_num_queries(1):
        record_set(SCRAPPED, Device, [device.pk], label="serial_number", by=by)


def test_a_public_event_that_nothing_sends_is_refused(scratch):
    PublicEvent("device.lost", _("Device lost"), EVERYONE, place=99)
    assert refused() == [("custody.E026", "Nothing sends the public event device.lost.")]


def test_a_public_event_without_a_payload_is_refused(declare):
    declare(None)
    assert refused() == [("custody.E026", "Nothing sends the public event device.scrapped.")]


def test_two_public_events_with_one_name_are_refused(scratch):
    PublicEvent("message", _("Message"), EVERYONE, place=99, is_emitted=True)
    assert refused() == [("custody.E024", "Two public events are named message.")]


def test_a_public_event_without_a_label_is_refused(scratch):
    PublicEvent("device.lost", "", EVERYONE, place=99, is_emitted=True)
    assert refused() == [("custody.E025", "The public event device.lost has no label.")]


def test_no_two_public_events_have_one_place():
    places = [event.place for event in public.registry.declared]
    assert len(places) == len(set(places))


def test_the_foundation_knows_no_domain_word_of_webhooks():
    from pathlib import Path

    room = Path(fanout.__file__).parent
    for name in ("fanout.py", "../audit/public.py", "scopes.py", "delivery.py", "checks.py"):
        source = (room / name).read_text()
        for word in ("span", "transfer", "swap", "ledger", "devices."):
            assert word not in source, (name, word)
