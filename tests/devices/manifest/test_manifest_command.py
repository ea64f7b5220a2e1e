"""manage.py import_devices: the same check and import as on the pages, for scripts."""

import io

import pytest
from django.core.management import CommandError, call_command

from console.models import Event
from devices.models import Device, ManifestImport
from tests import factories
from tests.devices.manifests import AQUA, GATEWAY, MESSY, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_folder")]


def run(*arguments, **options):
    """Return what the command prints and its exit code: 0, 1 or 2."""
    out = io.StringIO()
    try:
        call_command("import_devices", *map(str, arguments), stdout=out, **options)
    except SystemExit as end:
        return out.getvalue(), end.code
    except CommandError as error:
        return out.getvalue() + str(error), error.returncode
    return out.getvalue(), 0


def test_a_preview_prints_what_the_page_shows_and_changes_nothing(product):
    said, code = run("aqua-meter", MESSY)
    assert code == 1
    assert said.splitlines()[:6] == [
        "messy-lot.csv into Aqua Meter: 200 rows, semicolons, UTF-8",
        "  S/N -> Serial number",
        "  Device ID -> Device name",
        "  IMEI -> IMEI",
        "  Remark -> Notes",
        "New 192, Unchanged 0, Changed 0, Refused 8",
    ]
    assert "Row 92 (aqm26-900090 / e00fce68762d55f3e8b923b1): This row has 5 values but the header has 4." in said
    assert "Warning: 2 empty rows were skipped. From row 202 on" in said
    assert not Device.objects.exists()


def test_apply_registers_all_rows_however_large_the_file(product):
    said, code = run("aqua-meter", AQUA, apply=True)
    assert (code, said.splitlines()[-1]) == (0, "5000 devices registered.")
    assert Device.objects.count() == 5000
    assert Event.objects.get(kind="manifest.applied").actor_label == "manage.py import_devices"


def test_apply_is_all_or_nothing(product):
    said, code = run("aqua-meter", MESSY, apply=True)
    assert code == 1
    assert "8 rows are refused, so nothing is imported." in said
    assert not Device.objects.exists()


def test_valid_rows_are_applied_and_the_rejected_ones_written_to_a_file(product, tmp_path):
    refused = tmp_path / "refused.csv"
    said, code = run("aqua-meter", MESSY, apply=True, good_rows=True, refused=refused)
    assert (code, said.splitlines()[-1]) == (0, "192 devices registered, 8 rows skipped.")
    lines = refused.read_text("utf-8-sig").splitlines()
    assert lines[0] == "Row,Why,S/N,Device ID,IMEI,Remark"
    assert len(lines) == 9


def test_padding_is_an_option(product):
    said, code = run("aqua-meter", GATEWAY)
    assert (code, "--pad 6 pads them, --pad 0 leaves them unchanged." in said) == (1, True)
    said, code = run("aqua-meter", GATEWAY, apply=True, pad=6)
    assert (code, Device.objects.filter(serial_number="012000").count()) == (0, 1)


def test_a_second_run_changes_nothing(product, tmp_path):
    path = tmp_path / "lot.csv"
    path.write_bytes(text("S/N,Device ID", "S-1,unit-1"))
    run("aqua-meter", path, apply=True)
    said, code = run("aqua-meter", path, apply=True)
    assert (code, said.splitlines()[-1]) == (0, "0 devices registered, 1 was as in the file.")
    assert Device.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing", AQUA], "There is no product nothing."),
        (["aqua-meter", "/nowhere/lot.csv"], "/nowhere/lot.csv can't be read: No such file or directory."),
        (["aqua-meter", "/"], "/ can't be read: Is a directory."),
    ],
)
def test_invalid_arguments_exit_with_2(product, arguments, sentence):
    assert run(*arguments, apply=True) == (sentence, 2)
    assert not ManifestImport.objects.exists()


def test_a_file_that_is_not_a_table_exits_with_2(product, tmp_path):
    path = tmp_path / "lot.csv"
    path.write_bytes(b"%PDF-1.7")
    said, code = run("aqua-meter", path, apply=True)
    assert (code, said) == (2, "This is a PDF file, not a table. Save the table as CSV or XLSX.")


def test_a_file_without_the_required_columns_exits_with_2(product, tmp_path):
    path = tmp_path / "lot.csv"
    path.write_bytes(text("Article,Price", "a,1"))
    said, code = run("aqua-meter", path, apply=True)
    assert code == 2
    assert "No column was recognized as Serial number." in said


def test_a_slug_in_two_organizations_needs_the_organization_option(product, other_organization):
    factories.make_product(other_organization)
    said, code = run("aqua-meter", AQUA)
    assert (code, said) == (2, "Several organizations have a product aqua-meter. Name one with --organization.")
    said, code = run("aqua-meter", AQUA, apply=True, organization="southridge")
    assert (code, Device.objects.filter(organization=other_organization).count()) == (0, 5000)


def test_an_uncertain_encoding_is_not_applied_until_it_is_named(product, tmp_path):
    path = tmp_path / "lot.csv"
    path.write_bytes("Serial;Device name;Notes\nA-1;unit-000001;Będzin\n".encode("cp1250"))
    said, code = run("aqua-meter", path, apply=True)
    assert (code, Device.objects.count()) == (1, 0)
    assert "Encoding cp1252 (in use): Bêdzin" in said
    assert "Encoding cp1250: Będzin" in said
    assert run("aqua-meter", path, apply=True, encoding="cp1250")[1] == 0
    assert Device.objects.get().notes == "Będzin"


def test_two_columns_with_the_same_meaning_are_refused(product, tmp_path):
    path = tmp_path / "lot.csv"
    path.write_text("Serial,Notes,Device name,Remark\nA-1,one,unit-000001,two\n")
    said, code = run("aqua-meter", path, apply=True)
    assert "More than one column holds the Notes: B (Notes), D (Remark). Rename all but one." in said
    assert (code, Device.objects.count()) == (2, 0)


def test_hidden_rows_can_be_skipped_and_a_sheet_can_be_named(product):
    cases = AQUA.parent / "cases"
    assert run("aqua-meter", cases / "05-filtered-rows.xlsx", apply=True, skip_hidden=True)[1] == 0
    assert list(Device.objects.values_list("serial_number", flat=True)) == ["FIL-0001"]
    said, code = run("aqua-meter", cases / "10-summary-sheet-first.xlsx", sheet="Export Summary")
    assert (code, "sheet Export Summary" in said) == (2, True)
