"""Workers killed with -9 at random moments while they unclaim and import: the state is never partial."""

import pytest
from django.db import transaction

from claims.models import ClaimCode
from claims.profiles.actions import codes as claim_codes
from console import operations
from console.access import Permission
from console.models import Event, Operation
from customers.projects.actions import projects
from devices import ledger
from devices.acts import Act
from devices.manifest.actions import IMPORTER as manifests
from devices.models import Device, ManifestImport, Ownership
from tests.claims.worlds import make_many_devices, make_unit_profile
from tests.devices.manifests import checked, text
from tests.killing import kill_at_random

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
UNITS, CHUNK = 240, 40


def test_a_killed_bulk_unclaim_leaves_each_chunk_whole_or_untouched(product, customer, by_system, monkeypatch):
    """What the operation counts has been unclaimed completely: span, status, label, event."""
    monkeypatch.setattr("console.operations.outcome.CHUNK", CHUNK)
    profile, ids = make_unit_profile(product), make_many_devices(product, UNITS)
    claim_codes.make_for_devices(profile, ids)
    rounds = []

    def begin():
        ledger.assign(
            ids, Act(by_system), customer=customer, project=projects.default_of(customer), reason="assignment"
        )
        rounds.append(1)
        return operations.start(
            "device.unclaim",
            "Unclaim",
            by=by_system,
            total=UNITS,
            permission=Permission.DEVICE_UNCLAIM,
            payload={"ids": ids, "reason": "Lease over"},
        )

    def look(operation):
        # PostgreSQL may still be committing for a process that is gone: once its row is unlocked, it has ended.
        with transaction.atomic():
            operation = Operation.objects.select_for_update().get(pk=operation.pk)
        done, rest = set(ids[: operation.cursor]), set(ids[operation.cursor :])
        assert (operation.succeeded, operation.cursor % CHUNK) == (len(done), 0)
        ended = Ownership.objects.filter(end_evidence=f"operation:{operation.pk}", end_reason="unclaim")
        assert set(ended.values_list("device", flat=True)) == done
        assert set(Device.objects.filter(customer=None, status="in_stock").values_list("pk", flat=True)) == done
        assert set(Ownership.objects.filter(ended_at=None).values_list("device", flat=True)) == rest
        told = Event.objects.filter(kind="device.unclaimed", at__gte=operation.created_at)
        assert sorted(told.values_list("subject_id", flat=True)) == sorted(done)
        dead = ClaimCode.objects.filter(version=len(rounds) + 1)
        assert set(dead.values_list("device", flat=True)) == done

    assert kill_at_random(begin, look) > 0


def test_a_killed_import_has_registered_the_whole_file_or_nothing(product, by_system, settings, tmp_path, monkeypatch):
    """Devices, their codes, their events and the mark on the import are saved together or not at all."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr("console.imports.uploads.APPLIED_IN_REQUEST", 0)
    make_unit_profile(product)
    files = []

    def begin():
        first = len(files) * UNITS
        rows = (f"S-{n},unit-{n:06d}" for n in range(first, first + UNITS))
        manifest = checked(product, text("S/N,Device ID", *rows), f"lot-{first}.csv")
        files.append(manifest.pk)
        manifests.apply(manifest, version=manifest.version, by=by_system)
        return ManifestImport.objects.get(pk=manifest.pk).operation

    def look(_operation):
        with transaction.atomic():
            manifest = ManifestImport.objects.select_for_update().get(pk=files[-1])
        whole = len(files) if manifest.applied_at else len(files) - 1
        assert Device.objects.count() == whole * UNITS
        assert ClaimCode.objects.count() == whole * UNITS
        assert Event.objects.filter(kind="device.registered").count() == whole * UNITS
        assert Event.objects.filter(kind="manifest.applied").count() == whole

    assert kill_at_random(begin, look) > 0
    assert not ManifestImport.objects.filter(applied_at=None).exists()
