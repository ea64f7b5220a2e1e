"""Several packers at one shipment, and workers killed while shipping: the state is never partial."""

import pytest
from django.db import connection, transaction

from claims.models import Claim, Shipment, ShipmentUnit
from claims.redemption import offers
from claims.redemption.actions import redemption as claims
from claims.shipments.actions import contents, shipments, shipping, states
from claims.shipments.ledger_check import check
from console.errors import Refused
from console.models import Event
from devices import ledger
from devices.acts import Act
from devices.models import Device, Ownership
from tests import factories, processes
from tests.claims.worlds import make_many_devices
from tests.extent import extent
from tests.killing import kill_at_random

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
UNITS = 240


@pytest.fixture
def open_shipment(customer, by_system):
    return lambda lines=None: shipments.create(customer=customer, lines=lines or {}, by=by_system)


def codes(act):
    try:
        return [answer.code for answer in act()]
    except Refused as refusal:
        return [refusal.code]


def test_a_device_scanned_by_eight_packers_at_once_is_packed_once(open_shipment, product, by_system):
    device, mine = factories.make_device(product), [open_shipment() for _each in range(8)]
    found = processes.run(
        8, lambda n: mine[n], lambda s: codes(lambda: contents.scan(s, [device.serial_number], by=by_system))
    )
    assert sorted(code for each in found for code in each) == ["added", *["reserved"] * 7]
    assert ShipmentUnit.objects.get().device == device
    assert check() == []


def test_two_packers_never_pack_more_than_was_ordered(open_shipment, product, by_system):
    ids = make_many_devices(product, 40)
    shipment, devices = open_shipment({product: 25}), list(Device.objects.filter(pk__in=ids).order_by("pk"))

    def act(n):
        return [codes(lambda d=d: contents.pack(shipment, [d], by=by_system))[0] for d in devices[n::2]]

    found = [code for each in processes.run(2, lambda n: n, act) for code in each]
    assert (found.count("added"), found.count("too_many")) == (25, 15)
    shipment.refresh_from_db()
    assert (shipment.unit_count, shipment.units.count()) == (25, 25)


def test_without_the_lock_on_the_shipment_more_is_packed_than_was_ordered(
    open_shipment, product, by_system, monkeypatch
):
    """The negative control."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite takes one writer at a time")
    original, meet = contents.Judge, processes.meeting(4)

    def slow(*args):
        found = original(*args)
        meet()
        return found

    monkeypatch.setattr(states, "lock", lambda shipment: None)
    monkeypatch.setattr(contents, "Judge", slow)
    ids = make_many_devices(product, 4)
    shipment, devices = open_shipment({product: 1}), list(Device.objects.filter(pk__in=ids).order_by("pk"))
    processes.run(4, lambda n: n, lambda n: codes(lambda: contents.pack(shipment, [devices[n]], by=by_system)))
    assert shipment.units.count() > 1


def test_a_device_scanned_during_shipping_is_shipped_or_refused(open_shipment, product, by_system):
    ids = make_many_devices(product, 60)
    shipment, devices = open_shipment(), list(Device.objects.filter(pk__in=ids).order_by("pk"))
    contents.pack(shipment, devices[:20], by=by_system)

    def act(n):
        if n == 0:
            return [shipping.ship(shipment, by=by_system).state]
        return [codes(lambda d=d: contents.pack(shipment, [d], by=by_system))[0] for d in devices[20:]]

    # The results come back in the order in which the processes ended.
    packed = max(processes.run(2, lambda n: n, act), key=len)
    shipment.refresh_from_db()
    assert shipment.state == "shipped"
    assert set(packed) <= {"added", "not_open"}
    owned = set(Device.objects.filter(status="owned").values_list("pk", flat=True))
    assert owned == set(shipment.units.values_list("device_id", flat=True))
    assert len(owned) == 20 + packed.count("added")
    assert not Device.objects.filter(status="reserved").exists()
    assert check() == []


def test_a_box_claimed_and_assigned_at_the_same_moment_ends_consistently(customer, dana, product, by_system):
    """Even if the claimant's page was read before: either the claim or the assignment is refused."""
    ids, ways = make_many_devices(product, 24), set()
    devices = list(Device.objects.filter(pk__in=ids).order_by("pk"))
    for n in range(extent(3, 8)):
        box = shipments.create(customer=customer, lines={}, by=by_system, is_claimed_by_code=True)
        contents.pack(box, devices[n * 3 : n * 3 + 3], by=by_system)
        shipping.send(box, by=by_system)
        offer = offers.of(offers.get(box.profile.codes.get().pk))

        def act(n, box=box, offer=offer):
            try:
                if n == 0:
                    return shipping.ship(box, by=by_system).state
                claims.redeem(offer.code, customer=customer, by=factories.actor_of(dana), host="", offer=offer)
                return "claimed"
            except Refused as refusal:
                return refusal.code

        found = set(processes.run(2, lambda n: n, act))
        assert found in (
            {"done", "shipment_shipped"},
            {"done", "shipment_shipping"},
            {"done", "changed"},
            {"not_open", "claimed"},
        ), found
        way = "claim" if "claimed" in found else "shipment"
        spans = Ownership.objects.filter(device__shipment_units__shipment=box)
        assert list(spans.values_list("start_reason", flat=True)) == [way] * 3
        box.refresh_from_db()
        assert (box.state, Claim.objects.filter(profile=box.profile).count()) == ("shipped", way == "claim")
        ways.add(way)
    assert check() == []


@pytest.mark.thorough
def test_a_worker_killed_at_any_moment_has_shipped_all_or_nothing(product, customer, by_system):
    """Kill with -9 at random moments; the next worker ships the rest, which is everything."""
    ids, began = make_many_devices(product, UNITS), []
    devices = list(Device.objects.filter(pk__in=ids))

    def begin():
        if began:
            ledger.release(ids, Act(by_system), reason="unclaim")
        shipment = shipments.create(customer=customer, lines={}, by=by_system)
        contents.pack(shipment, devices, by=by_system)
        began.append(shipment)
        return shipping.ship(shipment, by=by_system)

    assert kill_at_random(begin, lambda _operation: assert_all_or_nothing(began[-1], ids)) > 0
    assert {shipment.state for shipment in Shipment.objects.all()} == {"shipped"}


def assert_all_or_nothing(shipment, ids):
    """Assert that this shipment gave the customer all devices, with its time and log entries, or none."""
    # PostgreSQL may still be committing for a process that is gone: once its row is unlocked, it has ended.
    with transaction.atomic():
        state = Shipment.objects.select_for_update().get(pk=shipment.pk)
    spans = Ownership.objects.filter(start_evidence=f"shipment:{shipment.pk}")
    told = Event.objects.filter(kind="shipment.shipped", subject_id=shipment.pk).count()
    if state.state == "shipped":
        assert (spans.count(), told) == (len(ids), 1)
        assert set(spans.values_list("started_at", flat=True)) == {state.shipped_at}
        assert Device.objects.filter(status="owned").count() == len(ids)
    else:
        assert (state.state, spans.count(), told) == ("shipping", 0, 0)
        assert Device.objects.filter(status="reserved").count() == len(ids)
    assert check() == []
