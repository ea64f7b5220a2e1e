"""Any notes and tags are exported safely and come back unchanged, in both formats, even through Excel."""

import csv
import io

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from console import sql
from console.fields import fold
from devices.actions import devices as device_actions
from devices.identifiers import Unfit, clean_notes
from devices.models import Device
from tests import factories
from tests.devices.roundtrips import applied, changes, checked, counts, exported, refused, rows_of, tags_of, workbook
from tests.extent import extent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_folder")]
FEW = settings(
    max_examples=extent(10, 25),
    deadline=None,
    # Each example uses a database and two formats, so shrinking one takes longer than reading it.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
UNITS = 6
STARTS = st.sampled_from(
    ["", "=", "+", "-", "@", "\t", "\r", "'", "'=", "''+", "=1+1;", "-5,5", "#N/A", "_x0041_", "007", "1e5"]
)


def is_storable(text: str) -> bool:
    try:
        clean_notes(text)
    except Unfit:
        return False
    return True


LETTERS = st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"]) | st.sampled_from("'=+-@_x;\n\t"), max_size=30)
NOTES = st.tuples(STARTS, LETTERS).map("".join).filter(is_storable).map(clean_notes)
TAG = (
    st.tuples(STARTS, LETTERS)
    .map(lambda pair: " ".join("".join(pair).replace(",", "").split())[:12])
    .filter(lambda text: text and text.isprintable() and 0 < len(fold(text)) <= 40)
)
TAGS = st.lists(TAG, max_size=4, unique_by=fold)


@pytest.fixture
def pool(product):
    return [factories.make_device(product, f"AQM26-{n}") for n in range(UNITS)]


def fill(pool, notes, tags, by):
    for device, text, names in zip(pool, notes, tags, strict=True):
        device.notes = text
        device_actions.set_tags([device.pk], names, by=by)
    sql.update_rows(Device, pool, ["notes"])


def saved_again(content: bytes) -> bytes:
    """Return a workbook as opened and saved by Excel."""
    book, buffer = load_workbook(io.BytesIO(content)), io.BytesIO()
    assert all(cell.data_type != "f" for row in book.active.iter_rows() for cell in row)
    book.save(buffer)
    return buffer.getvalue()


def as_saved_by_excel(content: bytes) -> bytes:
    """Return a CSV file as opened and saved by a German Excel: semicolons, Windows line endings."""
    buffer = io.StringIO(newline="")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    csv.writer(buffer, delimiter=";", lineterminator="\r\n").writerows(rows)
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


FORMS = {
    "csv": ("csv", bytes),
    "csv of Excel": ("csv", as_saved_by_excel),
    "xlsx": ("xlsx", bytes),
    "xlsx of Excel": ("xlsx", saved_again),
}


@pytest.mark.parametrize("form", FORMS)
@FEW
@given(st.lists(NOTES, min_size=UNITS, max_size=UNITS), st.lists(TAGS, min_size=UNITS, max_size=UNITS))
@example(["=1+1", "'=1", "''@a", "-5", "_x0041_", "#N/A"], [["=a"], ["'+b", "-c"], ["a;b"], ["1"], ["_x000D_"], []])
@example(["a\ufffeb", "\uffff", "", "", "", ""], [[]] * 6)
def test_a_round_trip_without_edits_changes_nothing(form, staff_client, alice, pool, notes, tags):
    fill(pool, notes, tags, factories.actor_of(alice))
    kind, save = FORMS[form]
    row = checked(alice, save(exported(staff_client, kind)), f"devices.{kind}")
    assert (changes(row), refused(row), counts(row)) == ({}, {}, (UNITS, 0, 0))


@FEW
@given(st.lists(NOTES, min_size=UNITS, max_size=UNITS), st.lists(TAGS, min_size=UNITS, max_size=UNITS))
def test_no_cell_of_a_csv_file_is_a_formula(staff_client, alice, pool, notes, tags):
    fill(pool, notes, tags, factories.actor_of(alice))
    for row in rows_of(exported(staff_client)):
        for text in (row["notes"], row["tags"]):
            assert not text.startswith(("=", "@", "\t", "\r"))
            assert not text.startswith(("+", "-")) or text[1:].replace(",", "").replace(".", "").isdigit()


@FEW
@given(st.lists(NOTES, min_size=UNITS, max_size=UNITS), st.lists(TAGS, min_size=UNITS, max_size=UNITS))
def test_text_typed_into_a_workbook_is_stored_as_typed(staff_client, alice, pool, tmp_path, notes, tags):
    by = factories.actor_of(alice)
    fill(pool, [""] * UNITS, [[]] * UNITS, by)
    rows = rows_of(exported(staff_client))
    # A semicolon in the cell separates tags, and Excel escapes text that looks like an escape sequence.
    tags = [[name.replace(";", "") or "x" for name in names] for names in tags]
    for row, text, names in zip(rows, notes, tags, strict=True):
        row["notes"], row["tags"] = text.replace("_x", "-x"), ", ".join(names).replace("_x", "-x")
    told = ("device_name", "notes", "tags", "version")
    content = workbook(tmp_path / "typed.xlsx", [{name: row[name] for name in told} for row in rows])
    if any(row["notes"] or row["tags"] for row in rows):
        applied(alice, content, "typed.xlsx")
    for device, row in zip(pool, rows, strict=True):
        device.refresh_from_db()
        assert device.notes == row["notes"]
        assert {fold(tag) for tag in tags_of(device)} == {fold(tag) for tag in row["tags"].split(",") if tag.strip()}
