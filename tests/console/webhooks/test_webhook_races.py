"""Several workers at once at the same deliveries: each is taken by one of them."""

import pytest
from django.utils import timezone

from console.access import system
from console.audit.public import Occurrence
from console.models import WebhookDelivery
from console.webhooks import actions as webhooks
from console.webhooks import delivery, fanout, lanes
from devices.messages.events import PUBLISHED
from tests import processes

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
WORKERS, EVENTS = 6, 400


def prepare(index):
    return index


def take_all(_index):
    """All ids that this worker leases, batch by batch."""
    taken = []
    while jobs := delivery.take():
        taken += [job.delivery.message_id for job in jobs]
    return taken


@pytest.fixture
def events(organization, monkeypatch):
    # One receiver gets as much as each worker can take.
    monkeypatch.setattr(delivery, "PORTION", 2)
    monkeypatch.setattr(lanes, "OF_ONE", EVENTS)
    webhooks.create(url="https://hooks.northlake.example/", events=["message"], by=system(organization))
    now = timezone.now()
    fanout.emit_all(organization.pk, PUBLISHED, [Occurrence({"n": n}, now) for n in range(EVENTS)])
    return sorted(WebhookDelivery.objects.values_list("message_id", flat=True))


def test_each_delivery_is_taken_by_one_worker(events):
    taken = processes.run(WORKERS, prepare, take_all)
    assert sorted(message_id for each in taken for message_id in each) == events


def test_without_the_lease_they_take_the_same(events, monkeypatch):
    """The negative control: who looks first and marks later sends twice."""

    meet, looks = processes.meeting(WORKERS), []

    def unguarded(ids, at, line):
        if not looks:
            # All have looked at the first ones before anybody marks them.
            looks.append(ids)
            meet()
        WebhookDelivery.objects.filter(pk__in=ids).update(leased_by="unguarded", leased_until=at + delivery.LEASE)
        return ids

    monkeypatch.setattr(delivery, "_lease", unguarded)
    monkeypatch.setattr(delivery, "take", delivery.take.__wrapped__)
    taken = processes.run(WORKERS, prepare, take_all)
    assert sum(len(each) for each in taken) > EVENTS
