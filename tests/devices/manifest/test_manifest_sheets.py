"""What a sheet of a manifest shows, hides or can't show, and how the check reads and reports it."""

from pathlib import Path

import openpyxl
import pytest
from django.urls import reverse

from console.imports import Verdict
from console.imports.uploads import staging_of
from devices.manifest import ManifestKind
from tests.devices.manifests import DATA, checked, counts, noticed, refused, workbook

pytestmark = pytest.mark.django_db
CASES = DATA / "cases"


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def case(product, name: str, **reading):
    return checked(product, (CASES / name).read_bytes(), name, **reading)


def new(manifest, *fields: str) -> list[tuple]:
    """Return the values of the new rows."""
    rows = staging_of(manifest, ManifestKind).read(Verdict.NEW)
    return [tuple(row.values[field] for field in fields) for row in rows]


def saved(path: Path, book: openpyxl.Workbook) -> bytes:
    book.save(path)
    return path.read_bytes()


def test_numbers_are_read_as_formatted_and_no_zero_counts_as_lost(product):
    manifest = case(product, "01-shown-by-format.xlsx")
    assert new(manifest, "serial_number", "device_name", "hardware_revision") == [
        ("SN00012", "casedev0101", "1.10"),
        ("12-0034", "casedev0102", None),
        ("00004711", "casedev0103", None),
    ]
    assert (noticed(manifest), manifest.summary["pad"]) == ({}, None)


def test_text_produced_by_formulas_keeps_its_zeros(product):
    manifest = case(product, "02-equals-quoted.csv")
    assert new(manifest, "serial_number", "device_name", "hardware_revision") == [("000123", "casedev0201", "1.10")]
    assert noticed(manifest) == {}


def test_error_cells_are_read_as_empty_and_named(product):
    manifest = case(product, "04-error-cells.xlsx")
    assert new(manifest, "serial_number", "hardware_revision", "notes") == [("ERR-0001", None, None)]
    assert refused(manifest) == {3: "The serial number is missing."}
    assert noticed(manifest) == {"errors": (3, ["C2", "D2", "A3"])}


def test_the_dos_end_of_file_mark_is_not_a_row(product):
    manifest = case(product, "11-ctrl-z.csv")
    assert new(manifest, "serial_number", "device_name") == [("CTZ-0009", "casedev1101")]
    assert (counts(manifest), noticed(manifest)) == ((1, 0, 0, 0), {})


def test_hidden_rows_are_reported_and_can_be_skipped(product):
    manifest = case(product, "05-filtered-rows.xlsx")
    assert new(manifest, "serial_number") == [("FIL-0001",), ("FIL-0002",)]
    assert noticed(manifest) == {"hidden_rows": (1, [3])}
    manifest = case(product, "05-filtered-rows.xlsx", hidden="leave out")
    assert new(manifest, "serial_number") == [("FIL-0001",)]
    assert (noticed(manifest), manifest.summary["rows"]) == ({"hidden_left_out": (1, [3])}, 1)


def test_hidden_columns_are_read_and_reported(product, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Serial number", "Device name", "Notes", "Other"])
    book.active.append(["A-1", "unit-000001", "secretly", "x"])
    for column in "CD":
        book.active.column_dimensions[column].hidden = True
    manifest = checked(product, saved(tmp_path / "x.xlsx", book))
    assert new(manifest, "serial_number", "notes") == [("A-1", "secretly")]
    assert noticed(manifest) == {"hidden_columns": (1, ["C"])}


def test_merged_cells_are_filled_down_and_reported_and_a_merged_header_is_not_a_value(product, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Lot 2611"])
    book.active.append(["Serial number", "Device name", "HW rev"])
    book.active.append([None, "unit-000000"])
    book.active.append(["A-1", "unit-000001", "B2"])
    book.active.append(["A-2", "unit-000002"])
    book.active.merge_cells("A2:A3")
    book.active.merge_cells("C4:C5")
    manifest = checked(product, saved(tmp_path / "x.xlsx", book))
    assert new(manifest, "serial_number", "hardware_revision") == [("A-1", "B2"), ("A-2", "B2")]
    assert refused(manifest) == {3: "The serial number is missing."}
    assert noticed(manifest) == {"merged": (1, ["C5"])}


def test_a_formula_without_a_result_refuses_its_row_and_names_the_cell(product, tmp_path):
    rows = [["Serial number", "Device name", "Other"], ["A-1", '="unit-"&A2', "=1+1"], ["A-2", "unit-000002", "=1+1"]]
    manifest = checked(product, workbook(tmp_path / "x.xlsx", rows))
    assert refused(manifest) == {
        2: "Cell B2 is a formula without a result. Open the file in Excel, save it, and upload it again. "
        "The device name is missing."
    }
    assert new(manifest, "serial_number") == [("A-2",)]


def test_thousands_separators_are_not_part_of_an_identifier(product, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Serial number", "Device name", "IMEI", "Notes", "Manufactured on"])
    book.active.append([12000, 123456, 356938035643809, 12000, 46000])
    for cell in book.active[2]:
        cell.number_format = "#,##0"
    book.active["C2"].number_format = "0.00"
    manifest = checked(product, saved(tmp_path / "x.xlsx", book))
    assert refused(manifest) == {}
    assert new(manifest, "serial_number", "device_name", "imei", "notes", "manufactured_on") == [
        ("12000", "123456", "356938035643809", "12,000", "2025-12-09")
    ]
    assert noticed(manifest)["grouped"] == (3, [2])


def test_the_page_names_the_cells_and_columns(client_for, product):
    manifest = case(product, "04-error-cells.xlsx")
    page = client_for("owner").get(reverse("devices:manifest_detail", args=[manifest.pk])).content.decode()
    assert "3 cells show an Excel error. They are read as empty." in page
    assert "C2, D2, A3" in page


# Ambiguities


def test_of_two_columns_the_one_with_values_is_read(product):
    manifest = case(product, "09-two-notes-columns.csv")
    assert new(manifest, "serial_number", "device_name", "notes") == [("DUP-0001", "casedev0901", "keep me")]
    assert noticed(manifest) == {"empty_twins": (1, ["B"])}


TWICE = b"Serial number,Notes,Device name,Remark\nA-1,,unit-000001,two\nA-2,one,unit-000002,\n"


def test_two_columns_with_values_need_a_decision(client_for, product):
    manifest = checked(product, TWICE)
    assert (manifest.summary["twice"], manifest.checked_as) == ({"notes": [1, 3]}, "")
    client = client_for("owner")
    page = client.get(reverse("devices:manifest_detail", args=[manifest.pk])).content.decode()
    assert "More than one column contains the Notes: B (Notes), D (Remark). Choose which one to read." in page
    columns = {"column_0": "serial_number", "column_1": "-", "column_2": "device_name", "column_3": "notes"}
    client.post(reverse("devices:manifest_columns", args=[manifest.pk]), columns)
    manifest.refresh_from_db()
    assert new(manifest, "serial_number", "notes") == [("A-1", "two"), ("A-2", None)]


def test_the_first_sheet_with_a_recognized_header_is_read(product):
    manifest = case(product, "10-summary-sheet-first.xlsx")
    assert new(manifest, "serial_number", "device_name") == [("NUM-0001", "casedev1001")]
    assert (manifest.summary["sheet"], manifest.row_count) == ("Lot", 3)


def test_without_a_complete_header_the_sheet_with_the_most_known_columns_is_read(product, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Summary"])
    book.create_sheet("Half").append(["Serial number", "IMEI"])
    manifest = checked(product, saved(tmp_path / "x.xlsx", book))
    assert (manifest.summary["sheet"], manifest.summary["missing"]) == ("Half", ["device_name"])


def test_the_rejected_rows_come_from_the_sheet_that_was_read(client_for, product, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Summary", "of", "it"])
    sheet = book.create_sheet("Lot")
    for row in (["Serial number", "Device name"], ["A-1", "x"]):
        sheet.append(row)
    manifest = checked(product, saved(tmp_path / "x.xlsx", book))
    answer = client_for("owner").get(reverse("devices:manifest_refused", args=[manifest.pk]))
    assert b"A-1,x" in b"".join(answer.streaming_content)


@pytest.mark.parametrize(
    ("name", "encoding", "notes"),
    [("03c-cp850.csv", "cp850", "Größe groß"), ("03d-cp1250.csv", "cp1250", "Łódź, część")],
)
def test_the_encoding_is_guessed_from_its_letters_and_shown(client_for, product, name, encoding, notes):
    manifest = case(product, name)
    assert [row[0] for row in new(manifest, "notes")] == [notes]
    found = manifest.summary["encoding"]
    assert (found["used"], found["is_unclear"], found["samples"][0]) == (encoding, False, [encoding, [notes]])
    page = client_for("owner").get(reverse("devices:manifest_detail", args=[manifest.pk])).content.decode()
    assert "The file doesn't say which encoding it uses. If these texts look wrong, choose another." in page.replace(
        "&#x27;", "'"
    )
    assert f"<bdi>{notes}</bdi>" in page


def test_an_uncertain_encoding_is_pointed_out_and_another_can_be_chosen(client_for, product):
    manifest = checked(product, "Serial;Device name;Notes\nA-1;unit-000001;Będzin\n".encode("cp1250"))
    assert [row[0] for row in new(manifest, "notes")] == ["Bêdzin"]
    assert manifest.summary["encoding"]["is_unclear"]
    client = client_for("owner")
    page = client.get(reverse("devices:manifest_detail", args=[manifest.pk])).content.decode()
    assert "<bdi>Będzin</bdi>" in page
    client.post(reverse("devices:manifest_columns", args=[manifest.pk]), {"encoding": "cp1250"})
    manifest.refresh_from_db()
    assert [row[0] for row in new(manifest, "notes")] == ["Będzin"]
    found = manifest.summary["encoding"]
    assert (found["used"], found["is_unclear"], found["is_chosen"]) == ("cp1250", False, True)


def test_confirming_the_guessed_encoding_keeps_the_columns(client_for, product):
    manifest = checked(product, "Serial;Device name;Notes\nA-1;unit-000001;Forêt\n".encode("cp1252"), columns={"2": ""})
    client_for("owner").post(reverse("devices:manifest_columns", args=[manifest.pk]), {"encoding": "cp1252"})
    manifest.refresh_from_db()
    assert manifest.reading == {"encoding": "cp1252", "columns": {"2": ""}}
    assert not manifest.summary["encoding"]["is_unclear"]


def test_hidden_rows_are_skipped_with_one_button_and_restored_with_another(client_for, product):
    manifest, client = case(product, "05-filtered-rows.xlsx"), client_for("owner")
    url = reverse("devices:manifest_columns", args=[manifest.pk])
    for value, expected, button in (("leave out", 1, "Import hidden rows"), ("read", 2, "Skip hidden rows")):
        client.post(url, {"hidden": value})
        manifest.refresh_from_db()
        assert manifest.summary["new"] == expected
        assert button in client.get(manifest.get_absolute_url()).content.decode()
    assert client.post(url, {"hidden": "nonsense"}).status_code == 422
