"""Checking a manifest: what is new, unchanged, changed and refused, and why."""

import pytest

from console.imports import Staging
from devices.models import Device
from tests import factories
from tests.devices.manifests import (
    AQUA,
    GATEWAY,
    MESSY,
    applied,
    changed,
    checked,
    counts,
    noticed,
    refused,
    text,
    workbook,
)

pytestmark = pytest.mark.django_db
HEAD = "serial_number,device_name"
NAMES = ["e00fce680000000000000001", "e00fce680000000000000002", "e00fce680000000000000003"]


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def test_every_row_of_a_clean_file_is_new(product):
    manifest = checked(product, AQUA.read_bytes())
    assert counts(manifest) == (5000, 0, 0, 0)
    assert manifest.summary["dialect"] == ["commas", "UTF-8"]
    assert list(manifest.summary["header"]["mapping"].values()) == [
        "serial_number",
        "device_name",
        "imei",
        "iccid",
        "mac",
        "hardware_revision",
        "manufactured_on",
        "secret",
    ]


def test_an_imei_repeated_by_the_factory_is_a_warning_and_not_an_error(product):
    assert noticed(checked(product, AQUA.read_bytes())) == {"imei_twice": (22, [479, 836, 1322, 1323, 1355])}


def test_every_planted_fault_of_a_messy_file_is_reported(product, device):
    manifest = checked(product, MESSY.read_bytes())
    assert refused(manifest) == {
        5: "Same serial number as row 4 (only upper/lower case differs).",
        12: "Same device name as row 11.",
        22: "The serial number is missing.",
        23: "The device name is missing.",
        32: "352656101234567 is not an IMEI: its check digit should be 8.",
        62: "This serial number is already registered with another device name.",
        72: "A device name must have 6 to 64 letters, digits, - or _; this one has 80.",
        82: "The serial number contains an invisible control character (U+202E).",
        92: "This row has 5 values but the header has 4.",
    }
    assert noticed(manifest) == {
        "formula": (1, [42]),
        "markup": (1, [43]),
        "spaces": (1, [52]),
        "empty_rows": (2, [202]),
    }
    assert counts(manifest) == (191, 0, 0, 9)
    assert manifest.summary["dialect"] == ["semicolons", "UTF-8"]


def test_serial_numbers_turned_into_numbers_are_refused_until_their_length_is_chosen(product):
    manifest = checked(product, GATEWAY.read_bytes(), "gateway.xlsx")
    assert counts(manifest) == (960, 0, 0, 240)
    assert manifest.summary["pad"] == {"count": 240, "to": 6}
    assert set(refused(manifest).values()) == {
        "Excel turned this serial number into a number and removed leading zeros. First choose how many digits it has."
    }
    assert manifest.summary["header"]["row"] == 3


def test_padded_serial_numbers_are_valid(product):
    manifest = applied(product, GATEWAY.read_bytes(), "gateway.xlsx", pad=6)
    assert counts(manifest) == (1200, 0, 0, 0)
    assert noticed(manifest) == {"padded": (240, [4, 9, 14, 19, 24])}
    assert Device.objects.filter(serial_number="012000", manufactured_on="2026-11-02").count() == 1
    assert {len(serial) for serial in Device.objects.values_list("serial_number", flat=True)} == {6}


def test_numbers_that_are_confirmed_stay_as_they_are(product):
    manifest = checked(product, GATEWAY.read_bytes(), "gateway.xlsx", pad=0)
    assert counts(manifest) == (1200, 0, 0, 0)
    assert manifest.summary["pad"] is None


def test_numbers_without_evidence_of_lost_zeros_cause_a_warning(product, tmp_path):
    rows = [["Serial", "Device name"], [12000, NAMES[0]], [12001, NAMES[1]]]
    manifest = checked(product, workbook(tmp_path / "a.xlsx", rows))
    assert counts(manifest) == (2, 0, 0, 0)
    assert noticed(manifest) == {"numbers": (2, [2, 3])}


def test_a_long_number_rounded_by_excel_is_refused(product, tmp_path):
    rows = [["Serial", "Device name"], [12345678901234567, NAMES[0]], ["S-1", 12345678901234567]]
    manifest = checked(product, workbook(tmp_path / "a.xlsx", rows))
    assert refused(manifest) == {
        2: "Excel has rounded this serial number. Format the column as text and export again.",
        3: "Excel has rounded this device name. Format the column as text and export again.",
    }


def test_a_row_reports_all_its_faults(product):
    manifest = checked(product, text(f"{HEAD},imei,mac", "S-1,short,123,zz"))
    assert refused(manifest) == {
        2: "A device name must have 6 to 64 letters, digits, - or _; this one has 5. 123 has 3 digits; an IMEI has 15. "
        "zz is not a MAC address: it should have 12 or 16 hexadecimal digits."
    }


def test_a_refused_row_still_counts_for_the_rows_below(product):
    manifest = checked(product, text(f"{HEAD},imei", f"S-1,{NAMES[0]},1", f"S-1,{NAMES[1]},"))
    assert refused(manifest)[3] == "Same serial number as row 2."


def test_an_iccid_or_mac_may_appear_only_once_in_a_file(product):
    head = f"{HEAD},iccid,mac"
    manifest = checked(
        product,
        text(
            head,
            f"S-1,{NAMES[0]},8944500652928419690,E0:4F:43:75:E4:55",
            f"S-2,{NAMES[1]},8944500652928419690,",
            f"S-3,{NAMES[2]},,e04f4375e455",
        ),
    )
    assert refused(manifest) == {3: "Same ICCID as row 2.", 4: "Same MAC address as row 2."}


def test_an_imported_file_is_unchanged_when_checked_again(product):
    applied(product, AQUA.read_bytes())
    manifest = checked(product, AQUA.read_bytes())
    assert counts(manifest) == (0, 5000, 0, 0)
    assert manifest.summary["notices"] == [["imei_twice", 22, [479, 836, 1322, 1323, 1355]]]


def test_a_registered_device_spelled_in_another_case_causes_a_warning_and_no_change(product):
    factories.make_device(product, "AQM-1", device_name=NAMES[0])
    manifest = checked(product, text(HEAD, f"aqm-1,{NAMES[0].upper()}"))
    assert counts(manifest) == (0, 1, 0, 0)
    assert noticed(manifest) == {"other_letters": (1, [2])}


def test_differences_are_reported_by_field_and_empty_cells_are_ignored(product):
    factories.make_device(product, "S-1", device_name=NAMES[0], hardware_revision="B1", notes="Keep me")
    content = text(
        f"{HEAD},hardware revision,notes,made on,development,secret,tags",
        f"S-1,{NAMES[0]},B2,,2026-11-02,ja,0123456789abcdef,Rework; Ulm",
    )
    assert changed(checked(product, content)) == {
        2: {
            "hardware_revision": ["B1", "B2"],
            "manufactured_on": ["", "2026-11-02"],
            "is_development": [False, True],
            "secret": ["", "•••"],
            "tags": ["", "Rework, Ulm"],
        }
    }


def test_a_device_name_already_taken_is_refused_and_its_holder_named(product, organization):
    other = factories.make_product(organization, "Wind Gauge")
    factories.make_device(other, "WND-1", device_name=NAMES[0])
    manifest = checked(product, text(HEAD, f"S-1,{NAMES[0]}"))
    assert refused(manifest) == {2: "This device name is already registered, for WND-1 in Wind Gauge."}


def test_the_same_serial_number_in_another_product_is_another_device(product, organization):
    factories.make_device(factories.make_product(organization, "Wind Gauge"), "S-1")
    assert counts(checked(product, text(HEAD, f"S-1,{NAMES[0]}"))) == (1, 0, 0, 0)


def test_devices_of_another_organization_are_neither_visible_nor_in_the_way(product, foreign_device):
    content = text(HEAD, f"{foreign_device.serial_number},{foreign_device.device_name}")
    assert counts(checked(product, content)) == (1, 0, 0, 0)


def test_an_archived_device_is_refused_as_archived(product):
    from django.utils import timezone

    factories.make_device(product, "S-1", device_name=NAMES[0], archived_at=timezone.now())
    factories.make_device(product, "S-2", archived_at=timezone.now())
    manifest = checked(product, text(HEAD, f"S-1,{NAMES[0]}", f"S-2,{NAMES[1]}"))
    assert refused(manifest) == {
        2: "This device is archived. Restore it first, then check the file again.",
        3: "This serial number is already registered with another device name, on an archived device.",
    }


def test_identifiers_of_other_devices_are_refused_except_the_imei(product):
    factories.make_device(product, "S-9", imei="352656103159466", iccid="8944500652928419690", mac="E0:4F:43:75:E4:55")
    head = f"{HEAD},imei,iccid,mac"
    manifest = checked(
        product,
        text(
            head,
            f"S-1,{NAMES[0]},352656103159466,,",
            f"S-2,{NAMES[1]},,8944500652928419690,",
            f"S-3,{NAMES[2]},,,E04F4375E455",
        ),
    )
    assert refused(manifest) == {
        3: "This ICCID is already registered, for S-9 in Aqua Meter.",
        4: "This MAC address is already registered, for S-9 in Aqua Meter.",
    }
    assert noticed(manifest) == {"imei_taken": (1, [2])}


def test_tags_are_split_and_limited(product):
    many = ";".join(f"t{n}" for n in range(21))
    manifest = checked(product, text("S/N;Device ID;Tags", f'S-1;{NAMES[0]};"a, b ;A"', f'S-2;{NAMES[1]};"{many}"'))
    assert refused(manifest) == {3: "A device can have at most 20 tags, with at most 40 characters each."}


def test_a_word_other_than_yes_or_no_is_refused(product):
    manifest = checked(product, text(f"{HEAD},development", f"S-1,{NAMES[0]},maybe"))
    assert refused(manifest) == {2: "Development device: write yes or no, not “maybe”."}


def test_a_value_in_a_column_without_a_header_causes_a_warning(product):
    manifest = checked(product, text("S/N,,Device ID", f"S-1,lost,{NAMES[0]}"))
    assert (counts(manifest), noticed(manifest)) == ((1, 0, 0, 0), {"unlabelled": (1, [2])})


def test_a_file_without_a_required_column_is_not_checked_and_the_column_is_named(product):
    manifest = checked(product, text("Article,IMEI", "S-1,352656103159466"))
    assert manifest.summary["missing"] == ["serial_number", "device_name"]
    assert manifest.checked_as == ""
    assert "new" not in manifest.summary


def test_corrected_columns_are_used(product):
    content = text("Article,Code,Remark", f"S-1,{NAMES[0]},hello")
    manifest = checked(product, content, columns={"0": "serial_number", "1": "device_name", "2": ""})
    assert counts(manifest) == (1, 0, 0, 0)
    assert manifest.summary["header"]["mapping"] == {"0": "serial_number", "1": "device_name"}


def test_a_serial_number_too_long_after_case_folding_is_refused(product):
    manifest = checked(product, text(HEAD, "ﷺ" * 5 + f",{NAMES[0]}"))
    assert refused(manifest) == {2: "The serial number can have at most 64 characters; this one has 90."}


def test_the_checked_rows_contain_no_secrets(product):
    manifest = checked(product, AQUA.read_bytes())
    from console.imports.files import STORE as files

    content = files.path_of(manifest.checked_as).read_bytes()
    assert b"AQM26-100000" in content
    assert b"DwrussVfovTopOF1RdBfQQa84mDkET7x20tsi4MyoSY" not in content


def test_both_files_are_readable_by_the_server_only(product, tmp_path):
    manifest = checked(product, AQUA.read_bytes())
    from console.imports.files import STORE as files

    for name in (manifest.stored_as, manifest.checked_as):
        assert files.path_of(name).stat().st_mode & 0o777 == 0o600
        assert files.path_of(name).parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("known", [0, 300])
def test_a_check_takes_the_same_few_queries_however_many_devices_are_known(
    product, known, django_assert_max_num_queries
):
    for n in range(known):
        factories.make_device(product, f"K-{n}", device_name=f"known-{n:06d}")
    lines = [f"K-{n},known-{n:06d}" for n in range(300)]
    with django_assert_max_num_queries(12):
        manifest = checked(product, text(HEAD, *lines))
    assert counts(manifest) == (300 - known, known, 0, 0)


def test_a_failed_check_leaves_no_partial_results(product, monkeypatch, tmp_path):
    monkeypatch.setattr(Staging, "finish", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        checked(product, text(HEAD, f"S-1,{NAMES[0]}"))
    stored = list((tmp_path / "files" / "imports").glob("*/*"))
    assert len(stored) == 1
