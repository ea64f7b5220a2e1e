"""Round trips applied several times at once, during a handover, or by a process that is killed."""

import multiprocessing
import os
import signal
from collections import Counter

import pytest
from django.db import connections, transaction

from console import operations
from console.errors import Refused
from console.imports import uploads
from console.models import Event, Operation
from devices.actions import ownership
from devices.edited_exports import actions as roundtrips
from devices.edited_exports import writing
from devices.models import Device, DeviceTag, Ownership, RoundTrip
from tests import factories, processes
from tests.devices.roundtrips import as_csv, checked, edited_csv, exported, put, rows_of
from tests.waiting import PATIENCE, until_somebody_is_held_up

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data_folder")]


def apply(row, by):
    try:
        return roundtrips.apply(row, version=row.version, by=by).succeeded
    except Refused as refusal:
        return refusal.code


def found(pk):
    return RoundTrip.objects.select_related("organization").get(pk=pk)


def test_a_file_applied_eight_times_at_once_is_applied_once(staff_client, alice, make_devices, customer):
    make_devices(20)
    row = checked(alice, edited_csv(staff_client, lambda rows: [r.update(owner=customer.name, tags="x") for r in rows]))
    by = factories.actor_of(alice)
    answers = processes.run(8, lambda n: found(row.pk), lambda each: apply(each, by))
    assert Counter(map(str, answers)) == {"20": 1, "applied_already": 7}
    assert (Ownership.objects.count(), DeviceTag.objects.count()) == (20, 20)
    assert (Operation.objects.count(), Event.objects.filter(kind="device.changes_applied").count()) == (1, 1)


def test_without_the_condition_in_the_update_the_file_is_applied_several_times(
    staff_client, alice, make_devices, monkeypatch
):
    """The negative control: the file is marked as applied without checking who was first."""
    make_devices(20)
    row = checked(alice, edited_csv(staff_client, lambda rows: [r.update(tags="x") for r in rows]))
    by = factories.actor_of(alice)
    monkeypatch.setattr(
        uploads, "take", lambda row, *, version, at: type(row).objects.filter(pk=row.pk).update(applied_at=at)
    )
    processes.run(8, lambda n: found(row.pk), lambda each: apply(each, by))
    assert Event.objects.filter(kind="device.changes_applied").count() > 1


def race_against_a_handover(client, alice, product, customer, other_customer):
    """Assign the device in one process, slowly, while another applies a file that assigns it to somebody else."""
    device = factories.make_device(product)
    row = checked(alice, edited_csv(client, put((0, "owner", other_customer.name), (0, "notes", "Mine"))))
    by = factories.actor_of(alice)

    assigned = multiprocessing.get_context("fork").Event()

    def act(n):
        if n == 0:
            with transaction.atomic():
                ownership.assign([device.pk], customer=customer, by=by)
                assigned.set()
                until_somebody_is_held_up()
            return "assigned"
        assert assigned.wait(PATIENCE)
        return apply(found(row.pk), by)

    answers = processes.run(2, lambda n: n, act)
    device.refresh_from_db()
    return answers, device


def test_a_device_assigned_at_the_same_moment_is_left_unchanged(staff_client, alice, product, customer, other_customer):
    answers, device = race_against_a_handover(staff_client, alice, product, customer, other_customer)
    assert sorted(map(str, answers)) == ["0", "assigned"]
    assert (device.customer, device.notes) == (customer, "")
    sentence = "It has been changed since the file was checked. Check the file again."
    assert Operation.objects.get().rows.get().sentence == sentence


def test_without_the_version_check_the_race_changes_half_a_row(
    staff_client, alice, product, customer, other_customer, monkeypatch
):
    """The negative control: the ledger still enforces its own rule, but nothing else does."""
    monkeypatch.setattr(writing.Portion, "_unfit", lambda *args: None)
    monkeypatch.setattr(writing.Portion, "_leave", lambda *args: None)
    answers, device = race_against_a_handover(staff_client, alice, product, customer, other_customer)
    assert sorted(map(str, answers)) == ["1", "assigned"]
    assert (device.customer, device.notes) == (customer, "Mine")


def killed_within(where, run):
    """Run in a child that stops at the second call of `where` (an object and its function), and kill it there."""
    context = multiprocessing.get_context("fork")
    reached, calls = context.Event(), []
    owner, name = where
    connections.close_all()

    def stop(*args, **kwargs):
        answer = original(*args, **kwargs)
        calls.append(1)
        if len(calls) == 2:
            reached.set()
            signal.pause()
        return answer

    def body():
        setattr(owner, name, stop)
        run()

    original = getattr(owner, name)
    child = context.Process(target=body, daemon=True)
    child.start()
    assert reached.wait(PATIENCE)
    os.kill(child.pid, signal.SIGKILL)
    child.join(PATIENCE)
    assert child.exitcode == -signal.SIGKILL


PLACES = {
    "after the owners": (writing.ownership, "assign"),
    "after the notes": (writing.sql, "update_rows"),
    "after the tags": (writing, "tags_named"),
    "before it commits": (operations, "advance"),
    "after it committed": (roundtrips, "_portion"),
}
USUAL_PLACES = [
    place if place in {"after the notes", "after it committed"} else pytest.param(place, marks=pytest.mark.thorough)
    for place in PLACES
]


def whole_rows():
    """Return how many devices are changed completely. Fail if one is changed in part."""
    owned = set(Device.objects.exclude(customer=None).values_list("pk", flat=True))
    noted = set(Device.objects.exclude(notes="").values_list("pk", flat=True))
    tagged = set(DeviceTag.objects.values_list("device", flat=True))
    assert owned == noted == tagged
    assert Event.objects.filter(kind="device.assigned").count() == len(owned)
    assert Event.objects.filter(kind="device.edited").count() == len(owned)
    return len(owned)


@pytest.mark.parametrize("place", USUAL_PLACES)
def test_a_killed_worker_leaves_whole_rows_and_the_next_one_continues(
    place, staff_client, alice, make_devices, customer, monkeypatch
):
    monkeypatch.setattr(roundtrips, "CHUNK", 100)
    make_devices(250)
    rows = rows_of(exported(staff_client))
    for row in rows:
        row.update(owner=customer.name, notes="Mine", tags="x")
    row = checked(alice, as_csv([*rows, rows[0] | {"device_name": "unknown-unit"}]))
    operation = roundtrips.apply(row, version=row.version, by=factories.actor_of(alice))
    assert operation.state == "waiting"
    killed_within(PLACES[place], lambda: operations.run(operation.pk))
    assert whole_rows() == (200 if place == "after it committed" else 100)
    Operation.objects.filter(state="running").update(state="waiting")
    operations.run(operation.pk)
    operation.refresh_from_db()
    assert (operation.state, operation.succeeded, operation.refused, whole_rows()) == ("done", 250, 1, 250)
    assert operation.sentence == "250 devices changed."
    row.refresh_from_db()
    assert row.outcome["changed"] == 250
