"""What all imports share: where files lie, the checked rows, the forms."""

import os
import time

import pytest
from django.test import RequestFactory

from console import upkeep
from console.errors import Refused
from console.export import harmless
from console.imports import Key, Notices, Row, Staging, Verdict, unguarded, visible
from console.imports.files import STORE as files
from console.imports.preview import UploadForm, column_name

FIELDS = ("name", "name_key", "note")
KEYS = (
    Key("name_key", "name", "It stands in row %(row)s.", "It stands in row %(row)s, in other letters."),
    Key("note", "note", notice="note_twice"),
)

pytestmark = pytest.mark.usefixtures("data_folder")


@pytest.fixture
def staging(tmp_path):
    stage = Staging(tmp_path / "rows", FIELDS, KEYS)
    stage.create()
    return stage


def row(number, name, note=None, *reasons):
    made = Row(number, len(FIELDS))
    made.values = [name, name.lower() if name else None, note]
    made.reasons = list(reasons)
    return made


@pytest.mark.parametrize(
    "text",
    ["", "plain", "=1+2", "+1-2", "-x", "@x", "\tx", "\rx", "'", "'=x", "''=x", "'''@", "-5", "+4912", "1.5", "'a"],
)
def test_what_an_export_makes_harmless_is_read_back_as_it_was(text):
    assert unguarded(harmless(text)) == text
    assert not harmless(text).startswith(("=", "@", "\t", "\r"))


def test_a_text_is_shown_without_what_nobody_sees():
    assert visible("a\u202eb\x00c") == "a\ufffdb\ufffdc"
    assert visible("x" * 100, 10) == "x" * 9 + "…"


def test_rows_are_counted_by_their_verdict(staging):
    changed = row(5, "E")
    changed.target, changed.changes = 7, {"note": ["a", "b"]}
    same = row(6, "F")
    same.target = 8
    staging.add([row(2, "A"), row(3, "B", None, "No.", "Never."), changed, same])
    assert staging.finish() == {"new": 1, "unchanged": 1, "changed": 1, "refused": 1}
    assert [(r.number, r.reason) for r in staging.read(Verdict.REFUSED)] == [(3, "No. Never.")]
    assert [(r.target, r.changes) for r in staging.read(Verdict.CHANGED)] == [(7, {"note": ["a", "b"]})]
    assert list(staging.tuples(Verdict.NEW, ("name", "number"))) == [("A", 2)]


def test_duplicates_name_the_first_row_and_tell_other_letters(staging):
    staging.add([row(2, "A", "x"), row(3, "B", "y"), row(4, "a", "x"), row(9, "A"), row(10, None), row(11, None)])
    assert [(key.field, number, sentence) for key, number, sentence in staging.duplicates()] == [
        ("name_key", 4, "It stands in row 2, in other letters."),
        ("name_key", 9, "It stands in row 2."),
        ("note", 4, ""),
    ]


def test_a_row_that_is_refused_for_one_more_reason_keeps_the_first(staging):
    staging.add([row(2, "A", None, "First."), row(3, "B")])
    staging.refuse([(2, "Second."), (3, "Only.")])
    staging.finish()
    assert [r.reason for r in staging.read(Verdict.REFUSED)] == ["First. Second.", "Only."]


def test_marked_rows_are_refused_by_a_condition(staging):
    rows = [row(n, "x" * n) for n in (3, 4, 5)]
    for each in rows[:2]:
        each.is_marked = True
    staging.add(rows)
    assert sorted(staging.samples("name")) == [("xxx", True), ("xxxx", True), ("xxxxx", False)]
    assert staging.refuse_marked("Too short.", "length(name) < ?", 4) == 1
    assert staging.finish()["refused"] == 1


def test_the_checked_rows_are_for_the_server_alone(staging):
    assert staging.path.stat().st_mode & 0o777 == 0o600


def test_checked_rows_that_are_gone_are_a_refusal(tmp_path):
    with pytest.raises(Refused) as refusal:
        list(Staging(tmp_path / "nothing", FIELDS).read(Verdict.NEW))
    assert refusal.value.code == "file_gone"


def test_an_abandoned_check_leaves_nothing(staging):
    staging.abandon()
    assert not staging.path.exists()


def test_a_file_is_stored_as_it_came(tmp_path):
    stored = files.store([b"one", b"two"], 7)
    assert files.path_of(stored.name).read_bytes() == b"onetwo"
    assert (stored.size, stored.name.partition("/")[0]) == (6, "7")
    assert stored.sha256 == "25b6746d5172ed6352966a013d93ac846e1110d5a25e8f183b5931f4688842a1"


def test_a_file_of_what_then_fails_is_not_kept(tmp_path):
    stored = files.store([b"one"], 7)
    with pytest.raises(Refused), files.kept_only_if_fine(stored.name):
        raise Refused("no", "No.")
    assert not files.path_of(stored.name).exists()


def test_files_are_kept_for_thirty_days():
    old, young = files.store([b"old"], 1), files.store([b"young"], 2)
    os.utime(files.path_of(old.name), (0, time.time() - 31 * 86400))
    assert upkeep.delete_old_imported_files() == 1
    assert not files.path_of(old.name).exists()
    assert files.path_of(young.name).read_bytes() == b"young"


def test_forgetting_without_a_folder_is_nothing():
    assert files.delete_old() == 0


def test_notices_count_all_and_name_the_first_five():
    notices = Notices()
    for number in range(9):
        notices.add("spaces", number)
    notices.add("empty_rows", 12, 100)
    assert notices.as_list() == [["spaces", 9, [0, 1, 2, 3, 4]], ["empty_rows", 100, [12]]]


@pytest.mark.parametrize(("index", "name"), [(0, "column A"), (25, "column Z"), (26, "column AA"), (63, "column BL")])
def test_columns_without_a_header_are_called_as_in_a_spreadsheet(index, name):
    assert column_name(index) == name


def test_an_upload_form_says_what_is_missing():
    form = UploadForm(RequestFactory().post("/"))
    assert form.errors == {"file": ["Choose a file."]}
    assert UploadForm(RequestFactory().get("/")).errors == {}
