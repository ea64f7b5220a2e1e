"""Assigning and unclaiming as people do it: reasons, limits, history, and bulk operations in the background."""

from datetime import UTC, datetime, timedelta

import pytest

from console import operations
from console.access import Permission
from console.errors import Refused
from console.models import Event, Operation
from devices.actions import ownership
from devices.models import Device, Ownership

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_an_assignment_is_logged_with_the_person_and_the_customer(device, customer, actor, alice):
    ownership.assign([device.pk], customer=customer, by=actor(alice), note="order 7", at=NOON)
    event = Event.objects.get(kind="device.assigned")
    assert (
        event.subject_id,
        event.subject_label,
        event.object_id,
        event.object_label,
        event.actor_label,
        event.at,
    ) == (device.pk, "AQM26-100000", customer.pk, "Stadtwerke Aalen", "Alice Kemp", NOON)
    assert event.data == {"note": "order 7"}


def test_nothing_can_be_assigned_to_an_archived_customer(device, customer, actor, alice):
    type(customer).objects.filter(pk=customer.pk).update(archived_at=NOON)
    customer.refresh_from_db()
    with pytest.raises(Refused, match="archived"):
        ownership.assign([device.pk], customer=customer, by=actor(alice))
    assert not Ownership.objects.exists()


def test_unclaiming_needs_a_reason(device, customer, actor, bob):
    ownership.assign([device.pk], customer=customer, by=actor(bob))
    with pytest.raises(Refused) as refusal:
        ownership.unclaim([device.pk], reason="  ", by=actor(bob))
    assert refusal.value.code == "reason_missing"
    assert Ownership.objects.get().ended_at is None


def test_a_device_can_be_assigned_to_another_customer_right_after_it_was_unclaimed(
    device, customer, other_customer, actor, bob
):
    by = actor(bob)
    ownership.assign([device.pk], customer=customer, by=by)
    ownership.unclaim([device.pk], reason="meter shows E4", by=by)
    ownership.assign([device.pk], customer=other_customer, by=by)
    device.refresh_from_db()
    assert device.customer == other_customer
    assert device.product is not None
    event = Event.objects.get(kind="device.unclaimed")
    assert (event.object_label, event.data) == ("Stadtwerke Aalen", {"note": "meter shows E4"})


def test_support_may_unclaim_fifty_devices_an_hour_and_not_one_more(make_devices, customer, actor, bob):
    by, ids = actor(bob), [d.pk for d in make_devices(52)]
    ownership.assign(ids, customer=customer, by=by)
    ownership.unclaim(ids[:49], reason="lot recall", by=by, at=NOON)
    ownership.unclaim(ids[49:50], reason="lot recall", by=by, at=NOON)
    with pytest.raises(Refused) as refusal:
        ownership.unclaim(ids[50:51], reason="lot recall", by=by, at=NOON + timedelta(minutes=59))
    assert (refusal.value.code, refusal.value.status) == ("unclaim_limit", 403)
    assert Device.objects.filter(customer=customer).count() == 2
    ownership.unclaim(ids[50:51], reason="lot recall", by=by, at=NOON + timedelta(minutes=61))
    assert Device.objects.filter(customer=customer).count() == 1


def test_an_administrator_may_unclaim_any_number(make_devices, customer, actor):
    by, ids = actor("administrator"), [d.pk for d in make_devices(60)]
    ownership.assign(ids, customer=customer, by=by)
    assert len(ownership.unclaim(ids, reason="recall", by=by).done) == 60


def test_a_bulk_assignment_runs_in_chunks_and_counts_refusals(
    make_devices, customer, other_customer, actor, alice, monkeypatch
):
    monkeypatch.setattr("console.operations.outcome.CHUNK", 10)
    by, ids = actor(alice), [d.pk for d in make_devices(25)]
    ownership.assign(ids[3:5], customer=other_customer, by=by)
    operation = operations.start(
        "device.assign",
        "Assign",
        by=by,
        total=25,
        permission=Permission.DEVICE_ASSIGN,
        payload={"ids": ids, "customer": customer.pk},
    )
    operations.run(operation.pk)
    operation.refresh_from_db()
    assert (operation.state, operation.succeeded, operation.refused, operation.cursor) == ("done", 23, 2, 25)
    assert list(operation.rows.values_list("position", "code")) == [(4, "already_owned"), (5, "already_owned")]
    assert Device.objects.filter(customer=customer).count() == 23


def test_an_operation_by_a_person_who_lost_the_permission_changes_nothing(make_devices, customer, actor, alice):
    by, ids = actor(alice), [d.pk for d in make_devices(3)]
    operation = operations.start(
        "device.assign",
        "Assign",
        by=by,
        total=3,
        permission=Permission.DEVICE_ASSIGN,
        payload={"ids": ids, "customer": customer.pk},
    )
    alice.memberships.update(role="viewer")
    operations.run(operation.pk)
    assert Operation.objects.get().state == "failed"
    assert not Ownership.objects.exists()
