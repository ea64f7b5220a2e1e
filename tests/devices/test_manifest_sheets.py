"""What a manifest's sheet shows, hides or can't show, as the check takes it and says it."""

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
    """The values of the new rows."""
    rows = staging_of(manifest, ManifestKind).read(Verdict.NEW)
    return [tuple(row.values[field] for field in fields) for row in rows]


def saved(path: Path, book: openpyxl.Workbook) -> bytes:
    book.save(path)
    return path.read_bytes()


def test_numbers_are_taken_as_their_formats_show_them_and_no_zero_counts_as_lost(product):
    manifest = case(product, "01-shown-by-format.xlsx")
    assert new(manifest, "serial_number", "device_name", "hardware_revision") == [
        ("SN00012", "casedev0101", "1.10"), ("12-0034", "casedev0102", None), ("00004711", "casedev0103", None),
    ]  # fmt: skip
    assert (noticed(manifest), manifest.summary["pad"]) == ({}, None)


def test_texts_made_of_formulas_keep_their_zeros(product):
    manifest = case(product, "02-equals-quoted.csv")
    assert new(manifest, "serial_number", "device_name", "hardware_revision") == [
        ("000123", "casedev0201", "1.10")
    ]
    assert noticed(manifest) == {}


def test_errors_are_empty_and_their_cells_are_named(product):
    manifest = case(product, "04-error-cells.xlsx")
    assert new(manifest, "serial_number", "hardware_revision", "notes") == [("ERR-0001", None, None)]
    assert refused(manifest) == {3: "The serial number is missing."}
    assert noticed(manifest) == {"errors": (3, ["C2", "D2", "A3"])}


def test_the_end_mark_of_dos_is_no_row(product):
    manifest = case(product, "11-ctrl-z.csv")
    assert new(manifest, "serial_number", "device_name") == [("CTZ-0009", "casedev1101")]
    assert (counts(manifest), noticed(manifest)) == ((1, 0, 0, 0), {})


def test_hidden_rows_are_said_and_read_or_left_out_as_chosen(product):
    manifest = case(product, "05-filtered-rows.xlsx")
    assert new(manifest, "serial_number") == [("FIL-0001",), ("FIL-0002",)]
    assert noticed(manifest) == {"hidden_rows": (1, [3])}
    manifest = case(product, "05-filtered-rows.xlsx", hidden="leave out")
    assert new(manifest, "serial_number") == [("FIL-0001",)]
    assert (noticed(manifest), manifest.summary["rows"]) == ({"hidden_left_out": (1, [3])}, 1)


def test_hidden_columns_that_are_read_are_said(product, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Serial number", "Device name", "Notes", "Other"])
    book.active.append(["A-1", "unit-000001", "secretly", "x"])
    for column in "CD":
        book.active.column_dimensions[column].hidden = True
    manifest = checked(product, saved(tmp_path / "x.xlsx", book))
    assert new(manifest, "serial_number", "notes") == [("A-1", "secretly")]
    assert noticed(manifest) == {"hidden_columns": (1, ["C"])}


def test_merged_cells_are_filled_down_and_said_and_a_merged_header_is_no_value(product, tmp_path):
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


def test_a_formula_without_a_result_refuses_its_row_by_its_cell(product, tmp_path):
    rows = [
        ["Serial number", "Device name", "Other"],
        ["A-1", '="unit-"&A2', "=1+1"],
        ["A-2", "unit-000002", "=1+1"],
    ]
    manifest = checked(product, workbook(tmp_path / "x.xlsx", rows))
    assert refused(manifest) == {
        2: "Cell B2 is a formula without a result. Open the file in Excel, save it, and upload it again. "
        "The device name is missing."
    }
    assert new(manifest, "serial_number") == [("A-2",)]


def test_thousands_separators_are_no_part_of_an_identifier(product, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Serial number", "Device name", "IMEI", "Notes", "Manufactured on"])
    book.active.append([12000, 123456, 356938035643809, 12000, 46000])
    for cell in book.active[2]:
        cell.number_format = "#,##0"
    book.active["C2"].number_format = "0.00"
    manifest = checked(product, saved(tmp_path / "x.xlsx", book))
    assert refused(manifest) == {}
    assert new(manifest, "serial_number", "device_name", "imei", "notes", "manufactured_on") == [
        ("12000", "123456", "356938035643809", "12,000", "2025-12-09"),
    ]  # fmt: skip
    assert noticed(manifest)["grouped"] == (3, [2])


def test_the_page_names_the_cells_and_the_columns(client_for, product):
    manifest = case(product, "04-error-cells.xlsx")
    page = client_for("owner").get(reverse("devices:manifest_detail", args=[manifest.pk])).content.decode()
    assert "3 cells show an error of Excel. They are read as empty." in page
    assert "C2, D2, A3" in page
