"""Lists as files: no formulas, nothing lost, and no more memory than one page."""

import csv
import io
import tracemalloc
from datetime import UTC, date, datetime

import openpyxl
import pytest
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from openpyxl.utils.escape import unescape

from console.export import CELL, harmless, stream, stream_csv, stream_xlsx

PAYLOADS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    '=HYPERLINK("http://evil.example")',
    "=cmd|' /C calc'!A0",
    "+49 7361 1",
    "-",
    "=",
    "@",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(A1)",
    "﹦1",
    "﹢1",
    "﹣1",
    "﹫x",
    " =1",
    "\n=1",
    "\u200b=1+1",
    "\ufeff=1+1",
    "\u202e@SUM(A1)",
    "\u00a0+1+1",
    "\u3000＝1",
    "\t",
    "\r",
]
PLAIN = [
    "",
    "Aalen",
    "-5",
    "+5",
    "-12.50",
    "3,5",
    "a=b",
    "'quoted'",
    "0042",
    "#N/A?",
    "Zähler",
    "二",
    "a\nb",
    'a"b,c;d',
]


def read_csv(response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"), newline="")))


def read_xlsx(response) -> list:
    return list(openpyxl.load_workbook(io.BytesIO(response.getvalue())).active.rows)


@pytest.mark.parametrize("payload", [*PAYLOADS, "#N/A", "#REF!"])
def test_no_cell_of_a_csv_is_a_formula_or_an_error(payload):
    cell = read_csv(stream_csv("x", ["a"], [[payload]]))[1][0]
    assert cell == f"'{payload}"


@pytest.mark.parametrize("text", PLAIN)
def test_other_text_stays_as_it_is(text):
    assert harmless(text) == text
    assert read_csv(stream_csv("x", ["a", "b"], [[text, "end"]]))[1] == [text, "end"]


@pytest.mark.parametrize("payload", [*PAYLOADS, "#N/A", "#REF!"])
def test_every_text_of_an_excel_file_is_text(payload):
    cell = read_xlsx(stream_xlsx("x", ["=a"], [[payload]]))[1][0]
    assert cell.data_type in {"s", "inlineStr"}
    # XML has one kind of line end.
    assert cell.value == payload.replace("\r", "\n")


@pytest.mark.parametrize("text", ["<r>", "<r></r>", "<r><t>x</t></r>", "<r>&</r>", "<r>\n=1 </r>", "<r", "&lt;r>"])
def test_a_text_of_tags_is_a_text(text):
    """XlsxWriter writes what begins and ends like its own runs of text as it is: the whole file might be unreadable."""
    assert [row[0].value for row in read_xlsx(stream_xlsx("x", ["h"], [[text], ["end"]]))] == ["h", text, "end"]


def test_a_text_like_a_formula_stays_one_where_somebody_edits_it():
    texts = ["=1+1", "#N/A", "Aalen"]
    cells = [row[0] for row in read_xlsx(stream_xlsx("x", ["h"], [[text] for text in texts]))[1:]]
    assert [(cell.value, cell.quotePrefix) for cell in cells] == [("=1+1", True), ("#N/A", True), ("Aalen", False)]


def test_times_and_days_are_shown_as_such():
    row = [datetime(2026, 11, 1, 23, 30, tzinfo=UTC), date(2026, 11, 2)]
    cells = read_xlsx(stream_xlsx("x", ["h"], [row]))[1]
    assert [cell.number_format for cell in cells] == ["yyyy-mm-dd h:mm:ss", "yyyy-mm-dd"]


def test_a_number_that_a_cell_can_not_hold_is_a_text():
    row = [10**15 - 1, 1e20, 10**15, -(10**400), float("inf"), float("nan")]
    cells = read_xlsx(stream_xlsx("x", ["h"], [row]))[1]
    assert [cell.value for cell in cells] == [10**15 - 1, 1e20, "1000000000000000", f"-1{'0' * 400}", "inf", "nan"]


def test_a_line_of_a_cell_ends_with_a_line_feed():
    assert read_xlsx(stream_xlsx("x", ["h"], [["a\r\nb\rc\nd"]]))[1][0].value == "a\nb\nc\nd"


def test_a_file_that_is_not_finished_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen = []

    def rows():
        yield ["x"]
        seen.extend(tmp_path.iterdir())
        raise ConnectionError

    with pytest.raises(ConnectionError):
        stream_xlsx("x", ["h"], rows()).getvalue()
    assert seen
    assert not list(tmp_path.iterdir())
    unread = stream_xlsx("x", ["h"], [["x"]])
    next(iter(unread))
    # The reader has gone.
    del unread
    assert not list(tmp_path.iterdir())


def test_values_keep_their_kind():
    row = [5, -2.5, True, None, date(2026, 11, 2), datetime(2026, 11, 1, 23, 30, tzinfo=UTC), _("Devices")]
    with timezone.override("Europe/Berlin"):
        text, cells = read_csv(stream_csv("x", [], [row]))[1], read_xlsx(stream_xlsx("x", ["h"], [row]))[1]
    assert text == ["5", "-2.5", "true", "", "2026-11-02", "2026-11-02T00:30:00+01:00", "Devices"]
    assert [cell.value for cell in cells] == [
        5,
        -2.5,
        True,
        None,
        datetime(2026, 11, 2),
        datetime(2026, 11, 2, 0, 30),
        "Devices",
    ]


def test_characters_that_excel_can_not_hold_are_left_out():
    assert read_xlsx(stream_xlsx("x", ["h"], [["a\x01b"]]))[1][0].value == "ab"


NOTE = "… cut: a cell of Excel holds 32,767 characters; the CSV file contains all of it"


@pytest.mark.parametrize(
    "text",
    ["x" * CELL, "😀" * (CELL // 2), "\x01" + "x" * CELL, "=" * CELL],
    ids=["letters", "characters of two units", "what is left out does not count", "no formula"],
)
def test_what_just_fits_into_a_cell_of_excel_stays_as_it_is(text):
    assert read_xlsx(stream_xlsx("x", ["h"], [[text]]))[1][0].value == text.replace("\x01", "")


@pytest.mark.parametrize(
    "text",
    ["x" * (CELL + 1), "😀" * (CELL // 2 + 1), "x😀" * 20_000, "=" * 70_000, "_x0041_" * 9_000],
    ids=["letters", "characters of two units", "mixed", "no formula", "escaped"],
)
def test_what_is_too_long_for_a_cell_of_excel_says_so_at_its_end(text):
    cell = read_xlsx(stream_xlsx("x", ["h"], [[text]]))[1][0]
    # Excel counts what it shows; openpyxl reads the file's own spelling of an underscore.
    shown = unescape(cell.value)
    kept = shown.removesuffix(NOTE)
    assert kept != shown
    assert text.startswith(kept)
    assert CELL - 10 < len(shown.encode("utf-16-le")) // 2 <= CELL
    assert cell.data_type in {"s", "inlineStr"}
    assert read_csv(stream_csv("x", ["h"], [[text]]))[1][0] == harmless(text)


def test_the_note_in_a_cut_cell_is_in_the_readers_language():
    with translation.override("de"):
        answer = stream_xlsx("x", ["h"], [["x" * 40_000]])
    assert read_xlsx(answer)[1][0].value.endswith("; die CSV-Datei enthält alles")


def test_a_list_without_rows_has_its_header():
    assert read_csv(stream_csv("x", ["a", "b"], [])) == [["a", "b"]]
    assert [cell.value for cell in read_xlsx(stream_xlsx("x", ["a", "b"], []))[0]] == ["a", "b"]


def test_the_file_is_named_and_dated(rf):
    day = f"{timezone.localdate():%Y-%m-%d}"
    names = {
        form: stream(rf.get("/", {"format": form}), "Geräte", ["a"], [])["Content-Disposition"]
        for form in ("csv", "xlsx", "exe")
    }
    assert names == {
        "csv": f'attachment; filename="gerate-{day}.csv"',
        "xlsx": f'attachment; filename="gerate-{day}.xlsx"',
        "exe": f'attachment; filename="gerate-{day}.csv"',
    }


def test_a_large_list_is_sent_while_it_is_read():
    read = []

    def rows():
        for number in range(200_000):
            read.append(number) if number < 2_000 else None
            yield [number, "AQM26-100000", "x" * 50]

    tracemalloc.start()
    pieces = iter(stream_csv("x", ["a", "b", "c"], rows()))
    next(pieces)
    assert len(read) == 500
    length = sum(len(piece) for piece in pieces)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert length > 14_000_000
    assert peak < 2_000_000


def test_more_rows_than_a_sheet_holds_go_on_the_next_one(monkeypatch):
    monkeypatch.setattr("console.export.SHEET_ROWS", 4)
    book = openpyxl.load_workbook(io.BytesIO(stream_xlsx("x", ["n"], [[n] for n in range(7)]).getvalue()))
    assert [[row[0].value for row in sheet.rows] for sheet in book] == [["n", 0, 1, 2], ["n", 3, 4, 5], ["n", 6]]
