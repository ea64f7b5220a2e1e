"""The ledger: sets, guards, spans, and what the databases themselves refuse."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from customers.projects.actions import projects
from devices import ledger
from devices.acts import Act
from devices.models import Device, DeviceStatus, Ownership, SharedAccess

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def assign(devices, customer, by, at=NOON):
    return ledger.assign(
        [d.pk for d in devices],
        Act(by, at=at),
        customer=customer,
        project=projects.default_of(customer),
        reason="assignment",
    )


def release(devices, by, at=NOON + HOUR, note="", **more):
    return ledger.release([d.pk for d in devices], Act(by, at=at, note=note), reason="unclaim", **more)


def test_assigning_opens_a_span_and_marks_the_device(device, customer, by_system):
    outcome = assign([device], customer, by_system)
    span = Ownership.objects.get()
    device.refresh_from_db()
    assert (outcome.done, outcome.refused) == ([device.pk], [])
    assert (span.device_id, span.customer_id, span.started_at, span.ended_at) == (device.pk, customer.pk, NOON, None)
    assert (device.customer_id, device.status) == (customer.pk, DeviceStatus.OWNED)


def test_assigning_a_set_assigns_what_it_can_and_gives_reasons_for_the_rest(
    make_devices, customer, other_customer, by_system
):
    free, owned, reserved, scrapped, archived = make_devices(5)
    assign([owned], other_customer, by_system)
    Device.objects.filter(pk=reserved.pk).update(status="reserved")
    Device.objects.filter(pk=scrapped.pk).update(status="scrapped")
    Device.objects.filter(pk=archived.pk).update(archived_at=NOON)
    outcome = assign([free, owned, reserved, scrapped, archived], customer, by_system)
    assert outcome.done == [free.pk]
    assert [(r.row_id, r.code) for r in outcome.refused] == [
        (owned.pk, "already_owned"),
        (reserved.pk, "reserved"),
        (scrapped.pk, "scrapped"),
        (archived.pk, "archived"),
    ]
    assert Ownership.objects.filter(customer=customer).count() == 1


def test_assigning_many_devices_takes_as_many_queries_as_assigning_two(make_devices, customer, by_system):
    devices = make_devices(300)

    with CaptureQueriesContext(connection) as for_two:
        assign(devices[:2], customer, by_system)
    with CaptureQueriesContext(connection) as for_many:
        assign(devices[2:], customer, by_system)
    assert len(for_many) == len(for_two)


def test_a_device_of_another_organization_is_not_assigned(foreign_device, customer, by_system):
    outcome = assign([foreign_device], customer, by_system)
    assert outcome.done == []
    assert not Ownership.objects.exists()


def test_releasing_closes_the_span_and_asks_the_device_to_wipe_itself(device, customer, by_system):
    assign([device], customer, by_system)
    release([device], by_system, note="came back")
    span = Ownership.objects.get()
    device.refresh_from_db()
    assert (span.ended_at, span.end_reason, span.end_note, span.ended_by) == (
        NOON + HOUR,
        "unclaim",
        "came back",
        "Custody",
    )
    assert (device.customer_id, device.status, device.wipe_asked_at) == (None, DeviceStatus.IN_STOCK, NOON + HOUR)


def test_releasing_ends_shares(device, customer, other_customer, by_system):
    assign([device], customer, by_system)
    ledger.share(
        [device.pk],
        Act(by_system, at=NOON),
        customer=other_customer,
        project=projects.default_of(other_customer),
        reason="claim",
    )
    release([device], by_system)
    assert SharedAccess.objects.get().ended_at == NOON + HOUR


def test_releasing_an_unowned_device_is_refused(device, by_system):
    outcome = release([device], by_system)
    assert [(r.label, r.code) for r in outcome.refused] == [(str(device), "not_owned")]


def test_a_span_that_ends_when_it_started_is_one_tick_long(device, customer, by_system):
    assign([device], customer, by_system)
    release([device], by_system, at=NOON - HOUR)
    assert Ownership.objects.get().ended_at == NOON + timedelta(microseconds=1)


def test_a_span_never_starts_before_the_previous_one_ended(device, customer, other_customer, by_system):
    assign([device], customer, by_system)
    release([device], by_system)
    assign([device], other_customer, by_system, at=NOON)
    assert Ownership.objects.get(ended_at=None).started_at == NOON + HOUR


def test_a_transfer_leaves_no_gap(device, customer, other_customer, by_system):
    assign([device], customer, by_system)
    ledger.transfer(
        [device.pk],
        Act(by_system, at=NOON + HOUR),
        source=customer,
        customer=other_customer,
        project=projects.default_of(other_customer),
    )
    old, new = Ownership.objects.order_by("started_at")
    assert (old.ended_at, new.started_at, new.customer_id) == (NOON + HOUR, NOON + HOUR, other_customer.pk)


def test_only_the_named_owner_is_released(device, customer, other_customer, by_system):
    assign([device], customer, by_system)
    outcome = release([device], by_system, expect=other_customer)
    assert [r.code for r in outcome.refused] == ["not_owner"]
    assert Ownership.objects.get().ended_at is None


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOON - HOUR, NOON + HOUR / 2),
        (NOON, NOON + HOUR),
        (NOON + HOUR / 2, None),
        (NOON - HOUR, None),
        (NOON + HOUR / 4, NOON + HOUR / 2),
    ],
)
def test_the_database_refuses_overlapping_spans(device, customer, other_customer, by_system, start, end):
    assign([device], customer, by_system)
    release([device], by_system)
    with pytest.raises(IntegrityError, match="ownership_no_overlap"), transaction.atomic():
        raw_span(device, other_customer, start, end)
    assert Ownership.objects.count() == 1


@pytest.mark.parametrize(("start", "end"), [(NOON - HOUR, NOON), (NOON + HOUR, None), (NOON + HOUR, NOON + 2 * HOUR)])
def test_the_database_accepts_adjacent_spans(device, customer, other_customer, by_system, start, end):
    assign([device], customer, by_system)
    release([device], by_system)
    span = raw_span(device, other_customer, start, end)
    assert Ownership.objects.count() == 2
    if end is None:
        span.ended_at, span.end_reason = NOON + 9 * HOUR, "correction"
        span.save(update_fields=["ended_at", "end_reason"])


def test_the_database_refuses_extending_a_span_over_its_neighbor(device, customer, other_customer, by_system):
    assign([device], customer, by_system)
    release([device], by_system)
    first = Ownership.objects.get()
    raw_span(device, other_customer, NOON + 2 * HOUR, NOON + 3 * HOUR)
    with pytest.raises(IntegrityError, match="ownership_no_overlap"), transaction.atomic():
        Ownership.objects.filter(pk=first.pk).update(ended_at=NOON + 4 * HOUR)


def test_the_database_refuses_a_second_open_span(device, customer, other_customer, by_system):
    assign([device], customer, by_system)
    with pytest.raises(IntegrityError), transaction.atomic():
        raw_span(device, other_customer, NOON + HOUR, None)


def test_the_database_refuses_a_span_that_ends_before_it_starts(device, customer):
    with pytest.raises(IntegrityError, match=r"ownership_ends_after_start|range lower bound"), transaction.atomic():
        raw_span(device, customer, NOON, NOON)


def test_the_database_refuses_an_end_without_a_reason(device, customer):
    with pytest.raises(IntegrityError, match="ownership_end_with_reason"), transaction.atomic():
        raw_span(device, customer, NOON, NOON + HOUR, end_reason=None)


def test_the_database_refuses_an_owner_without_the_status(device, customer):
    with pytest.raises(IntegrityError, match="device_owned_has_owner"), transaction.atomic():
        Device.objects.filter(pk=device.pk).update(customer=customer)


def raw_span(device, customer, start, end, end_reason="correction"):
    return Ownership.objects.create(
        organization=device.organization,
        device=device,
        customer=customer,
        project=projects.default_of(customer),
        started_at=start,
        ended_at=end,
        start_reason="assignment",
        end_reason=end_reason if end else None,
        started_by="test",
    )
