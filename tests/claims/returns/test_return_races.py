"""Concurrent changes to one return, and workers killed while receiving: the state is never partial."""

import pytest
from django.db import connection

from claims.models import ClaimCode, Return
from claims.profiles.actions import codes as claim_codes
from claims.returns.actions import inspection as return_inspection
from claims.returns.actions import receipt_undo as return_undo
from claims.returns.actions import returns
from claims.returns.actions.inspection import Findings
from claims.returns.ledger_check import check
from console.errors import Refused
from console.models import Event, Operation, OperationRow
from customers.projects.actions import projects
from devices import ledger
from devices.acts import Act
from devices.models import Device, Ownership
from tests import processes
from tests.claims.worlds import make_many_devices, make_unit_profile
from tests.killing import kill_at_random

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
UNITS = 240


def tried(act):
    try:
        return act()
    except Refused as refusal:
        return refusal.code


def test_a_device_received_eight_times_at_once_is_received_once(owned, by_system):
    def act(n):
        return tried(lambda: returns.begin_receive([owned.pk], reason="Upgrade", by=by_system).succeeded)

    assert sorted(processes.run(8, lambda n: n, act)) == [0] * 7 + [1]
    assert (Return.objects.count(), Event.objects.filter(kind="device.returned").count()) == (1, 1)
    assert OperationRow.objects.filter(code="in_quarantine").count() == 7


def test_without_the_lock_concurrent_receivers_fail(owned, by_system, monkeypatch):
    """The negative control: reading first and writing later fails on the constraints, without a reason."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite takes one writer at a time")
    monkeypatch.setattr(ledger, "lock", lambda ids: None)
    monkeypatch.setattr("console.transactions.TRIES", 1)
    original, meet = returns._sort, processes.meeting(6)

    def slow(*args):
        found = original(*args)
        meet()
        return found

    monkeypatch.setattr(returns, "_sort", slow)

    def act(n):
        return tried(lambda: returns.begin_receive([owned.pk], reason="Upgrade", by=by_system).succeeded)

    assert set(map(str, processes.run(6, lambda n: n, act))) - {"0", "1"} == {"busy"}


def test_numbers_are_assigned_once(organization, product, customer, by_system):
    ids = make_many_devices(product, 8)
    ledger.assign(ids, Act(by_system), customer=customer, project=projects.default_of(customer), reason="assignment")

    def act(n):
        return tried(lambda: returns.begin_receive([ids[n]], reason="Upgrade", by=by_system).succeeded)

    assert processes.run(8, lambda n: n, act) == [1] * 8
    assert sorted(Return.objects.values_list("number", flat=True)) == list(range(1, 9))


def test_an_inspection_and_the_undo_of_receiving_exclude_each_other(owned, by_system):
    operation = returns.begin_receive([owned.pk], reason="Upgrade", by=by_system)
    row = Return.objects.get()

    def act(n):
        if n == 0:
            return tried(lambda: return_undo.begin(operation, by=by_system).succeeded)
        outcome = return_inspection.inspect([row.pk], Findings("b"), decision="restocked", by=by_system)
        return len(outcome.done)

    answers = processes.run(2, lambda n: n, act)
    assert not [answer for answer in answers if "Traceback" in str(answer)]
    row.refresh_from_db()
    status = Device.objects.get(pk=owned.pk).status
    assert (row.state, status) in {("cancelled", "owned"), ("restocked", "in_stock")}
    assert check() == []


@pytest.mark.thorough
def test_a_worker_killed_at_any_moment_leaves_each_chunk_whole_or_untouched(product, customer, by_system, monkeypatch):
    """Kill with -9 at random moments of one bulk receive after another; the next worker takes over."""
    monkeypatch.setattr("console.operations.outcome.CHUNK", 40)
    profile, project = make_unit_profile(product), projects.default_of(customer)
    ids = make_many_devices(product, UNITS)
    claim_codes.make_for_devices(profile, ids)

    def begin():
        Return.objects.all().purge()
        ledger.set_status(ids, frm=["returned"], to="in_stock")
        ledger.assign(ids, Act(by_system), customer=customer, project=project, reason="assignment")
        return returns.begin_receive(ids, reason="Upgrade", by=by_system)

    assert kill_at_random(begin, lambda operation: assert_whole(operation, ids)) > 0
    assert not Operation.objects.exclude(succeeded=UNITS, refused=0).exists()


def assert_whole(operation, ids):
    """Assert that what the operation counts has been received completely: return, span, status, label, event."""
    done, rest = set(ids[: operation.cursor]), set(ids[operation.cursor :])
    assert operation.succeeded == len(done)
    rows = Return.objects.filter(state="received", operation=operation, needs_label=True)
    assert set(rows.values_list("device", flat=True)) == done
    assert Return.objects.count() == len(done)
    ended = Ownership.objects.filter(end_evidence=f"operation:{operation.pk}", end_reason="return")
    assert set(ended.values_list("device", flat=True)) == done
    assert set(Device.objects.filter(pk__in=ids, status="returned").values_list("pk", flat=True)) == done
    assert set(Device.objects.filter(pk__in=ids, status="owned").values_list("pk", flat=True)) == rest
    acts = Event.objects.filter(kind="device.returned", at__gte=operation.created_at)
    assert set(acts.values_list("subject_id", flat=True)) == done
    assert ClaimCode.objects.filter(device__in=ids).count() == len(ids)
    assert check() == []
