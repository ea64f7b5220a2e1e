"""Manifests applied several times at once, or by a process that is killed."""

import multiprocessing
import os
import signal
from collections import Counter

import pytest
from django.db import connections

from console import operations
from console.access import system
from console.errors import Refused
from console.imports import uploads
from console.models import Event, Operation
from devices.manifest import actions as manifest_actions
from devices.manifest.actions import IMPORTER as manifests
from devices.models import Device, ManifestImport
from tests import factories, processes
from tests.devices.manifests import AQUA, checked, text
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("data_folder")]


def apply(manifest):
    try:
        manifests.apply_now(manifest, version=manifest.version, by=system(manifest.organization, "Alice"))
    except Refused as refusal:
        return refusal.code
    return "applied"


def lot(start, count):
    return text("S/N,Device ID", *(f"S-{n},unit-{n:06d}" for n in range(start, start + count)))


def test_a_file_applied_eight_times_at_once_is_applied_once(product):
    pk = checked(product, lot(0, 200)).pk
    answers = processes.run(8, lambda n: ManifestImport.objects.select_related("product").get(pk=pk), apply)
    assert Counter(answers) == {"applied": 1, "applied_already": 7}
    assert Device.objects.count() == 200
    assert Counter(Event.objects.values_list("kind", flat=True)) == {"device.registered": 200, "manifest.applied": 1}


def test_without_the_condition_in_the_update_the_file_is_applied_several_times(product, monkeypatch):
    """The negative control: the import is marked as applied without checking who was first."""
    pk = checked(product, lot(0, 200)).pk
    monkeypatch.setattr(
        uploads, "take", lambda row, *, version, at: type(row).objects.filter(pk=row.pk).update(applied_at=at)
    )
    monkeypatch.setattr(
        manifests, "check_now", lambda manifest, **_values: manifest.summary.update(new=0, unchanged=200)
    )
    processes.run(8, lambda n: ManifestImport.objects.select_related("product").get(pk=pk), apply)
    assert Event.objects.filter(kind="manifest.applied").count() > 1


def test_files_that_share_devices_register_each_device_once(product):
    pks = [checked(product, lot(start, 200), f"lot-{start}.csv").pk for start in (0, 100, 200, 300)]
    answers = processes.run(4, lambda n: ManifestImport.objects.select_related("product").get(pk=pks[n]), apply)
    assert Counter(answers) == {"applied": 4}
    assert Device.objects.count() == 500
    assert Event.objects.filter(kind="device.registered").count() == 500


def killed_within(where, run):
    """Run in a child that stops at `where` (an object and the name of its function), and kill it there."""
    context = multiprocessing.get_context("fork")
    reached = context.Event()
    owner, name = where
    connections.close_all()

    def stop(*args, **kwargs):
        original(*args, **kwargs)
        reached.set()
        signal.pause()

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
    "after its devices": (manifest_actions, "record_devices"),
    "before its last line": (manifest_actions.devices, "after_registration"),
    "before it commits": (operations, "advance"),
}


@pytest.mark.parametrize(
    "place",
    [each if each == "before it commits" else pytest.param(each, marks=pytest.mark.thorough) for each in PLACES],
)
def test_a_killed_worker_has_done_nothing_and_the_next_one_does_everything(product, alice, place):
    manifest = checked(product, AQUA.read_bytes())
    manifests.apply(manifest, version=manifest.version, by=factories.actor_of(alice))
    operation = Operation.objects.get()
    killed_within(PLACES[place], lambda: operations.run(operation.pk))
    assert (Device.objects.count(), Event.objects.count()) == (0, 0)
    manifest.refresh_from_db()
    assert manifest.applied_at is None
    Operation.objects.filter(state="running").update(state="waiting")
    operations.run(operation.pk)
    assert (Device.objects.count(), Event.objects.count()) == (5000, 5001)
    assert Operation.objects.get().state == "done"


def test_a_worker_killed_after_its_commit_has_done_everything_and_the_next_one_does_nothing(product, alice):
    manifest = checked(product, AQUA.read_bytes())
    manifests.apply(manifest, version=manifest.version, by=factories.actor_of(alice))
    operation = Operation.objects.get()
    killed_within((manifests, "apply_now"), lambda: operations.run(operation.pk))
    assert (Device.objects.count(), Event.objects.count()) == (5000, 5001)
    Operation.objects.filter(state="running").update(state="waiting")
    operations.run(operation.pk)
    assert (Device.objects.count(), Event.objects.count()) == (5000, 5001)
    assert Operation.objects.get().state == "done"


def test_a_killed_check_changes_nothing_and_can_be_repeated(product):
    manifest = checked(product, AQUA.read_bytes())
    killed_within((uploads.checking, "summarise"), lambda: manifests.check_now(manifest))
    manifest.refresh_from_db()
    assert (manifest.checked_as, manifest.summary, Device.objects.count()) == ("", {}, 0)
    manifests.check_now(manifest)
    assert manifest.summary["new"] == 5000
