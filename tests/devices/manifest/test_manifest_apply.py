"""Applying a manifest: all or nothing, once, in one transaction with the ledger and the log."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from claims.models import ClaimCode, ClaimProfile
from claims.profiles.actions import codes as claim_codes
from console import operations
from console.access import system
from console.errors import Refused
from console.imports import uploads
from console.imports.files import STORE as files
from console.models import Event, Operation
from devices.actions import devices as device_actions
from devices.manifest.actions import IMPORTER as manifests
from devices.models import Device, DeviceStatus, DeviceTag, ManifestImport, Ownership, Tag
from tests import factories
from tests.devices.manifests import AQUA, MESSY, applied, changed, checked, counts, refused, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_folder")]
HEAD = "serial_number,device_name"
NAMES = [f"unit-{n:06d}" for n in range(9)]


@pytest.fixture
def by_import(organization):
    """The server itself, on behalf of Alice."""
    return system(organization, "Alice")


def kinds():
    return sorted(Event.objects.values_list("kind", flat=True))


def test_a_clean_file_registers_five_thousand_devices_in_stock(product):
    manifest = applied(product, AQUA.read_bytes())
    device = Device.objects.get(serial_number="AQM26-100000")
    assert Device.objects.count() == 5000
    assert (device.product, device.status, device.customer) == (product, DeviceStatus.IN_STOCK, None)
    assert (device.serial_key, device.name_key) == ("aqm26-100000", "e00fce68fe24c11665921d4b")
    assert (device.imei, device.iccid) == ("352656103159466", "8944500652928419690")
    assert (device.mac, device.hardware_revision) == ("E0:4F:43:75:E4:55", "C1")
    assert device.manufactured_on.isoformat() == "2026-11-02"
    assert device.secret_sha256 == "f00f8228179b830451ae91a00c481144fdfd49b1bdd6f594213a37b52f838954"
    assert (device.notes, device.is_development, device.archived_at) == ("", False, None)
    assert manifest.outcome == {"new": 5000, "changed": 0, "unchanged": 0, "refused": 0, "by": "Alice"}
    assert (manifest.applied_at, device.created_at) == (device.created_at, manifest.applied_at)


def test_every_new_device_and_the_import_are_logged(product):
    manifest = applied(product, text(HEAD, f"S-1,{NAMES[0]}", f"S-2,{NAMES[1]}"))
    assert kinds() == ["device.registered", "device.registered", "manifest.applied"]
    lines = Event.objects.filter(kind="device.registered").order_by("subject_id")
    assert [line.subject_label for line in lines] == ["S-1", "S-2"]
    assert [line.subject_id for line in lines] == list(Device.objects.order_by("pk").values_list("pk", flat=True))
    whole = Event.objects.get(kind="manifest.applied")
    assert (whole.subject_label, whole.object_label, whole.object_id) == ("Aqua Meter", "lot.csv", manifest.pk)
    assert whole.data == {"new": 2, "changed": 0, "unchanged": 0, "refused": 0}
    assert len(set(Event.objects.values_list("act", flat=True))) == 1


def test_ids_follow_the_order_of_the_file(product):
    applied(product, text(HEAD, f"Z-1,{NAMES[0]}", f"A-1,{NAMES[1]}", f"M-1,{NAMES[2]}"))
    assert list(Device.objects.order_by("pk").values_list("serial_number", flat=True)) == ["Z-1", "A-1", "M-1"]
    assert factories.make_device(product, "LATER").pk > Device.objects.get(serial_number="M-1").pk


def test_all_or_nothing_is_refused_if_a_row_is(product, by_import):
    manifest = checked(product, MESSY.read_bytes())
    with pytest.raises(Refused) as refusal:
        manifests.apply(manifest, version=manifest.version, by=by_import)
    assert refusal.value.code == "rows_refused"
    assert (Device.objects.count(), Event.objects.count()) == (0, 0)
    assert ManifestImport.objects.get().applied_at is None


def test_only_the_valid_rows_can_be_applied(product):
    manifest = applied(product, MESSY.read_bytes(), good_rows=True)
    assert Device.objects.count() == 192
    assert manifest.outcome == {"new": 192, "changed": 0, "unchanged": 0, "refused": 8, "by": "Alice"}
    device = Device.objects.get(serial_number="aqm26-900040")
    assert device.notes == '=HYPERLINK("http://example.invalid","x")'
    assert Device.objects.get(serial_number="aqm26-900050").device_name == "e00fce68e813c434e9d6bd78"


def test_changed_rows_update_their_devices_and_log_the_old_values(product, by_import):
    device = factories.make_device(product, "S-1", device_name=NAMES[0], hardware_revision="B1", notes="Keep me")
    content = text(
        f"{HEAD},hardware revision,notes,made on,development,secret,tags",
        f"s-1,{NAMES[0]},B2,,2026-11-02,yes,0123456789abcdef,Rework",
    )
    manifest = applied(product, content)
    device.refresh_from_db()
    assert (device.serial_number, device.hardware_revision, device.notes) == ("S-1", "B2", "Keep me")
    assert (device.manufactured_on.isoformat(), device.is_development) == ("2026-11-02", True)
    assert device.secret_sha256 == "9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f"
    assert [row.tag.name for row in device.device_tags.all()] == ["Rework"]
    assert Event.objects.get(kind="device.edited").data == {
        "hardware_revision": ["B1", "B2"],
        "manufactured_on": ["", "2026-11-02"],
        "is_development": [False, True],
        "secret": ["", "•••"],
        "tags": ["", "Rework"],
    }
    assert manifest.outcome["changed"] == 1
    assert kinds() == ["device.edited", "manifest.applied"]


def test_tags_are_created_once_and_none_is_removed(product, organization):
    Tag.objects.create(organization=organization, name="Ulm", name_key="ulm")
    old = factories.make_device(product, "S-0", device_name=NAMES[0])
    DeviceTag.objects.create(tag=Tag.objects.get(), device=old)
    applied(
        product,
        text(
            "S/N;Device ID;Tags",
            f"S-0;{NAMES[0]};Rework",
            f"S-1;{NAMES[1]};ULM, rework",
            f"S-2;{NAMES[2]};",
            f"S-3;{NAMES[3]};Rework",
        ),
    )
    found = {
        device.serial_number: sorted(row.tag.name_key for row in device.device_tags.all())
        for device in Device.objects.all()
    }
    assert found == {"S-0": ["rework", "ulm"], "S-1": ["rework", "ulm"], "S-2": [], "S-3": ["rework"]}
    assert Tag.objects.count() == 2


def test_devices_of_a_single_account_belong_to_it_at_once(organization):
    account = factories.make_customer(organization, "Northlake fleet", kind="internal")
    product = factories.make_product(organization, ownership_mode="single_account", single_account=account)
    applied(product, text(HEAD, f"S-1,{NAMES[0]}", f"S-2,{NAMES[1]}"))
    assert set(Device.objects.values_list("customer", "status")) == {(account.pk, "owned")}
    assert set(Ownership.objects.values_list("customer", "start_reason")) == {(account.pk, "import")}
    assert Ownership.objects.count() == 2


def test_new_devices_get_codes_of_their_products_profile(product, organization):
    profile = ClaimProfile(organization=organization, slug="labels", name="Labels", scope="unit", product=product)
    profile.set_keys()
    profile.save()
    applied(product, text(HEAD, f"S-1,{NAMES[0]}", f"S-2,{NAMES[1]}"))
    codes = ClaimCode.objects.order_by("device__serial_number")
    assert [code.device.serial_number for code in codes] == ["S-1", "S-2"]
    assert all(claim_codes.printed(code) for code in codes)


def test_a_file_is_applied_only_once(product, by_import):
    manifest = applied(product, text(HEAD, f"S-1,{NAMES[0]}"))
    with pytest.raises(Refused) as refusal:
        manifests.apply(manifest, version=manifest.version, by=by_import)
    assert refusal.value.code == "applied_already"
    assert (Device.objects.count(), kinds()) == (1, ["device.registered", "manifest.applied"])


def test_a_decision_on_an_outdated_preview_is_refused(product, by_import):
    manifest = checked(product, text(HEAD, f"S-1,{NAMES[0]}"))
    seen = manifest.version
    manifests.check_now(manifest, reading={"columns": {"1": "device_name"}})
    with pytest.raises(Refused) as refusal:
        manifests.apply(manifest, version=seen, by=by_import)
    assert refusal.value.code == "preview_outdated"
    assert not Device.objects.exists()


def test_a_device_registered_since_the_check_stops_the_whole_import(product, by_import):
    manifest = checked(product, text(HEAD, f"S-1,{NAMES[0]}", f"S-2,{NAMES[1]}"))
    factories.make_device(product, "S-2")
    with pytest.raises(Refused) as refusal:
        manifests.apply(manifest, version=manifest.version, by=by_import)
    assert refusal.value.code == "rows_refused"
    assert Device.objects.count() == 1
    assert refused(ManifestImport.objects.get()) == {
        3: "This serial number is already registered with another device name."
    }


def test_a_device_registered_since_the_check_is_left_out_of_the_valid_rows(product, by_import):
    manifest = checked(product, text(HEAD, f"S-1,{NAMES[0]}", f"S-2,{NAMES[1]}"))
    factories.make_device(product, "S-2")
    manifests.apply(manifest, version=manifest.version, by=by_import, good_rows=True)
    assert manifest.outcome == {"new": 1, "changed": 0, "unchanged": 0, "refused": 1, "by": "Alice"}
    assert sorted(Device.objects.values_list("serial_number", flat=True)) == ["S-1", "S-2"]


def test_the_same_file_uploaded_twice_is_imported_once(product, by_import):
    content = text(HEAD, f"S-1,{NAMES[0]}", f"S-2,{NAMES[1]}")
    first, second = checked(product, content), checked(product, content)
    manifests.apply(first, version=first.version, by=by_import)
    manifests.apply(second, version=second.version, by=by_import)
    assert second.outcome == {"new": 0, "changed": 0, "unchanged": 2, "refused": 0, "by": "Alice"}
    assert Device.objects.count() == 2
    assert kinds().count("device.registered") == 2


def test_a_device_changed_since_the_check_is_compared_again(product, by_import):
    device = factories.make_device(product, "S-1", device_name=NAMES[0], hardware_revision="B1")
    manifest = checked(product, text(f"{HEAD},rev", f"S-1,{NAMES[0]},B2"))
    Device.objects.filter(pk=device.pk).update(hardware_revision="B9")
    manifests.apply(manifest, version=manifest.version, by=by_import)
    assert Event.objects.get(kind="device.edited").data == {"hardware_revision": ["B9", "B2"]}


def test_a_device_archived_since_the_check_is_left_unchanged(product, by_import):
    device = factories.make_device(product, "S-1", device_name=NAMES[0], hardware_revision="B1")
    manifest = checked(product, text(f"{HEAD},rev", f"S-1,{NAMES[0]},B2", f"S-2,{NAMES[1]},B2"))
    Device.objects.filter(pk=device.pk).update(archived_at=timezone.now())
    with pytest.raises(Refused) as refusal:
        manifests.apply(manifest, version=manifest.version, by=by_import)
    device.refresh_from_db()
    assert (refusal.value.code, device.hardware_revision) == ("rows_refused", "B1")
    assert Device.objects.count() == 1


def test_nothing_can_be_imported_into_an_archived_product(product, by_import):
    manifest = checked(product, text(HEAD, f"S-1,{NAMES[0]}"))
    product.archived_at = timezone.now()
    product.save(update_fields=["archived_at"])
    with pytest.raises(Refused) as refusal:
        manifests.apply(manifest, version=manifest.version, by=by_import)
    assert refusal.value.code == "product_archived"
    assert not Device.objects.exists()
    assert ManifestImport.objects.get().applied_at is None


def test_an_error_rolls_everything_back(product, by_import, monkeypatch):
    manifest = checked(product, AQUA.read_bytes())
    monkeypatch.setattr(device_actions, "after_registration", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        manifests.apply_now(manifest, version=manifest.version, by=by_import)
    assert (Device.objects.count(), Event.objects.count()) == (0, 0)
    assert ManifestImport.objects.get().applied_at is None


def test_a_file_changed_on_disk_is_refused(product):
    manifest = checked(product, text(HEAD, f"S-1,{NAMES[0]}"))
    files.path_of(manifest.stored_as).write_bytes(text(HEAD, f"S-9,{NAMES[0]}"))
    with pytest.raises(Refused) as refusal:
        manifests.check_now(manifest)
    assert refusal.value.code == "file_changed"


@pytest.mark.parametrize("which", ["stored_as", "checked_as"])
def test_a_missing_file_is_refused(which, product, by_import):
    manifest = checked(product, text(HEAD, f"S-1,{NAMES[0]}"))
    files.discard(getattr(manifest, which))
    with pytest.raises(Refused) as refusal:
        if which == "stored_as":
            manifests.check_now(manifest)
        manifests.apply(manifest, version=manifest.version, by=by_import)
    assert refusal.value.code == "file_gone"
    assert not Device.objects.exists()


def test_a_large_file_is_applied_by_the_worker(product, alice):
    by = factories.actor_of(alice)
    manifest = checked(product, AQUA.read_bytes())
    manifests.apply(manifest, version=manifest.version, by=by)
    operation = Operation.objects.get()
    assert (operation.title, operation.total) == ("Importing lot.csv into Aqua Meter", 5000)
    assert not Device.objects.exists()
    operations.run(operation.pk)
    operation.refresh_from_db()
    manifest.refresh_from_db()
    assert (operation.state, operation.succeeded, operation.sentence) == ("done", 5000, "5000 devices registered.")
    assert (Device.objects.count(), manifest.outcome["new"], manifest.is_running) == (5000, 5000, False)


def test_a_large_file_is_checked_by_the_worker(product, alice, monkeypatch):
    monkeypatch.setattr(uploads, "CHECKED_IN_REQUEST", 100)
    manifest = manifests.receive("lot.csv", [AQUA.read_bytes()], by=factories.actor_of(alice), product=product)
    manifests.check(manifest, by=factories.actor_of(alice))
    assert manifest.summary == {}
    operations.run(Operation.objects.get().pk)
    manifest.refresh_from_db()
    assert counts(manifest) == (5000, 0, 0, 0)
    assert (Operation.objects.get().state, Operation.objects.get().succeeded) == ("done", 5000)


def test_running_a_finished_operation_again_does_nothing(product, alice):
    manifest = checked(product, AQUA.read_bytes())
    manifests.apply(manifest, version=manifest.version, by=factories.actor_of(alice))
    operation = Operation.objects.get()
    operations.run(operation.pk)
    Operation.objects.update(state="waiting")
    operations.run(operation.pk)
    operation.refresh_from_db()
    assert (operation.state, operation.sentence) == ("done", "5000 devices registered.")
    assert Device.objects.count() == 5000


def test_applying_again_is_refused_while_the_worker_is_running(product, alice):
    manifest = checked(product, AQUA.read_bytes())
    manifests.apply(manifest, version=manifest.version, by=factories.actor_of(alice))
    with pytest.raises(Refused) as refusal:
        manifests.apply(manifest, version=manifest.version, by=factories.actor_of(alice))
    assert refusal.value.code == "running"
    assert Operation.objects.count() == 1


def test_two_browsers_that_start_at_once_start_one_operation(product, alice):
    manifest = checked(product, AQUA.read_bytes())
    same = ManifestImport.objects.get(pk=manifest.pk)
    manifests.apply(manifest, version=manifest.version, by=factories.actor_of(alice))
    with pytest.raises(Refused):
        manifests.apply(same, version=same.version, by=factories.actor_of(alice))
    assert Operation.objects.count() == 1


def test_an_import_takes_as_many_queries_for_ten_rows_as_for_a_thousand(product, by_import):
    numbers = []
    for start, count in ((0, 10), (1000, 1000)):
        content = text(f"{HEAD},tags", *(f"S-{n},part-{n:06d},a" for n in range(start, start + count)))
        manifest = checked(product, content)
        with CaptureQueriesContext(connection) as asked:
            manifests.apply_now(manifest, version=manifest.version, by=by_import)
        numbers.append(len(asked))
    assert numbers[0] == numbers[1] < 30


def test_the_preview_announces_exactly_what_changes(product):
    factories.make_device(product, "S-1", device_name=NAMES[0], notes="old")
    manifest = checked(product, text(f"{HEAD},notes", f"S-1,{NAMES[0]},new"))
    assert changed(manifest) == {2: {"notes": ["old", "new"]}}
