"""Several undos at once, and an undo during a handover, in separate processes; each with its control."""

import multiprocessing

import pytest
from django.db import connection, transaction

from console import operations
from console.access import Permission
from console.errors import Refused
from console.models import Operation
from customers.projects.actions import projects
from devices import ledger
from devices.actions import undo
from devices.acts import Act
from devices.models import Device, Ownership
from tests import factories, processes
from tests.waiting import PATIENCE, until_somebody_is_held_up

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def assigned(organization, product, customer, by_system):
    """Two devices that were assigned in bulk."""
    ids = [factories.make_device(product).pk for _n in range(2)]
    return operations.perform(
        "device.assign",
        "Assign",
        by=by_system,
        permission=Permission.DEVICE_ASSIGN,
        total=2,
        payload={"ids": ids, "customer": customer.pk},
        undo_route=undo.ASSIGN,
    )


def begin(operation, by):
    try:
        return undo.begin(operation, by=by).succeeded
    except Refused as refusal:
        return refusal.code


def test_an_operation_undone_eight_times_at_once_is_undone_once(assigned, by_system):
    results = processes.run(8, lambda n: Operation.objects.get(pk=assigned.pk), lambda o: begin(o, by_system))
    assert sorted(map(str, results)) == ["2", *["undone_already"] * 7]
    assert Operation.objects.filter(undoes=assigned).count() == 1
    assert Ownership.objects.filter(end_reason="correction").count() == 2


def test_without_the_condition_in_the_update_the_race_for_the_undo_is_lost(assigned, by_system, monkeypatch):
    """The negative control: read first, then undo. The constraint stops the others, but without a reason."""
    monkeypatch.setattr(operations, "take_undo", lambda operation, at: None)

    meet = processes.meeting(4)

    def careless(operation):
        operations.check_undo(operation)
        meet()
        return begin(operation, by_system)

    results = processes.run(4, lambda n: Operation.objects.get(pk=assigned.pk), careless)
    assert sorted(map(str, results)) == ["2", *["busy"] * 3]


def race_against_a_handover(assigned, other_customer, by):
    """Assign the device to somebody else in one process, slowly, while another undoes its assignment."""
    device_id, project = assigned.payload["ids"][0], projects.default_of(other_customer)

    handed = multiprocessing.get_context("fork").Event()

    def act(n):
        if n == 0:
            with transaction.atomic():
                ledger.release([device_id], Act(by), reason="unclaim")
                ledger.assign([device_id], Act(by), customer=other_customer, project=project, reason="assignment")
                handed.set()
                until_somebody_is_held_up()
            return []
        assert handed.wait(PATIENCE)
        return ledger.retract([device_id], Act(by), began=f"operation:{assigned.pk}").done

    results = processes.run(2, lambda n: n, act)
    assert all(isinstance(result, list) for result in results), results
    return Device.objects.get(pk=device_id)


def test_an_undo_never_takes_a_device_from_a_customer_who_got_it_at_the_same_moment(
    assigned, other_customer, by_system
):
    device = race_against_a_handover(assigned, other_customer, by_system)
    assert device.customer == other_customer
    assert Ownership.objects.get(device=device, ended_at=None).customer == other_customer


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite takes one writer at a time")
def test_without_locking_the_devices_first_the_undo_takes_it(assigned, other_customer, by_system, monkeypatch):
    """The negative control: the condition on the spans alone sees outdated ones."""
    monkeypatch.setattr(ledger, "lock", lambda ids: None)
    assert race_against_a_handover(assigned, other_customer, by_system).customer is None
