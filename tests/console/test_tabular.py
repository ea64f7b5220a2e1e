"""Tables are read as a person sees them in a spreadsheet; what is no honest table is refused."""

import csv
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pytest
import python_calamine
from django.utils import translation
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from console.errors import Refused
from console.tabular import MAX_COLUMNS, MAX_ROWS, NumberCell, open_table
from tests.hostile_files import CORPUS, MAIN, OFFICE, archive, parts_of_a_workbook, relations, workbook

DATA = Path(__file__).parent.parent / "data"
# Each example writes its file anew.
quiet = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def table_of(tmp_path):
    """The table in a file of these bytes, or of this text in UTF-8."""

    def make(content: bytes | str, **options):
        path = tmp_path / "table"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return open_table(path, "table", **options)

    return make


@pytest.fixture
def rows_of(table_of):
    return lambda content, **options: list(table_of(content, **options).rows())


@pytest.fixture
def refusal_of(table_of):
    def make(content: bytes | str, **options) -> Refused:
        with pytest.raises(Refused) as caught:
            table_of(content, **options)
        return caught.value

    return make


# The manifests.


def test_a_clean_manifest_is_read_whole():
    table = open_table(DATA / "aqua-meter-lot-2611.csv", "aqua-meter-lot-2611.csv")
    rows = list(table.rows())
    assert (table.kind, table.description, table.sheet) == ("csv", "commas, UTF-8", "")
    assert (table.row_count, table.column_count, len(rows)) == (5001, 8, 5001)
    assert rows[0] == (
        1,
        ["serial_number", "device_name", "imei", "iccid", "mac", "hardware_revision", "manufactured_at", "secret"],
    )
    assert rows[-1][0] == 5001
    assert all(len(cells) == 8 for _number, cells in rows)


def test_a_messy_manifest_is_read_whole_with_the_row_numbers_of_a_spreadsheet():
    table = open_table(DATA / "messy-lot.csv", "messy-lot.csv")
    rows = dict(table.rows())
    assert table.description == "semicolons, UTF-8"
    assert (table.row_count, table.column_count) == (201, 5)
    assert rows[1] == ["S/N", "Device ID", "IMEI", "Remark"]
    assert rows[42][3] == '=HYPERLINK("http://example.invalid","x")'
    assert rows[52][0] == "  aqm26-900050  "
    assert rows[82][0] == "AQM26-\u202e900080"
    assert rows[92][4] == "one column too many"
    assert max(rows) == 201


def test_a_workbook_with_a_title_is_read_whole_and_numbers_are_known_as_such():
    table = open_table(DATA / "gateway-lot-2611.xlsx", "gateway-lot-2611.xlsx")
    rows = dict(table.rows())
    assert (table.kind, table.description, table.sheets) == ("xlsx", "sheet Lot 2611", ("Lot 2611",))
    assert (table.row_count, table.column_count) == (1202, 6)
    assert rows[1] == ["Gateway-Los 2611, Werk Ulm"]
    assert 2 not in rows
    assert rows[3] == ["Seriennummer", "Gerätename", "MAC-Adresse", "HW-Stand", "Produktionsdatum", "Bemerkung"]
    assert rows[4] == ["12000", "9ed655dd2199", "E0:4F:43:6B:A5:25", "B2", "2026-11-02", "Nacharbeit"]
    assert rows[5][0] == "012001"
    numbers = [cells[0] for cells in rows.values() if isinstance(cells[0], NumberCell)]
    assert len(numbers) == 240
    assert not any(cell.rounded for cell in numbers)


def test_a_table_can_be_read_again():
    table = open_table(DATA / "gateway-lot-2611.xlsx", "gateway-lot-2611.xlsx")
    assert list(table.rows()) == list(table.rows())


def test_two_readings_do_not_disturb_each_other():
    table = open_table(DATA / "messy-lot.csv", "messy-lot.csv")
    first, second = table.rows(), table.rows()
    assert [next(first)[0], next(second)[0], next(first)[0], next(second)[0]] == [1, 1, 2, 2]


def test_a_file_that_was_checked_need_not_be_counted():
    table = open_table(DATA / "messy-lot.csv", "messy-lot.csv", checked=True)
    assert (table.row_count, table.column_count) == (None, None)
    assert len(list(table.rows())) == 201


def test_the_dialect_is_described_in_german(table_of):
    table = table_of("a;b\n1;2\n")
    with translation.override("de"):
        assert len(table.dialect) == 2


# Separated values.


@pytest.mark.parametrize(
    ("separator", "name"), [(",", "commas"), (";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")]
)
def test_each_usual_separator_is_found(table_of, separator, name):
    table = table_of(separator.join(["serial", "name"]) + "\n" + separator.join(["a", "b"]) + "\n")
    assert table.dialect == (name, "UTF-8")
    assert list(table.rows()) == [(1, ["serial", "name"]), (2, ["a", "b"])]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
        ("cp850", "CP850"),
        ("mac_roman", "Mac Roman"),
    ],
)
def test_each_usual_encoding_is_found(table_of, encoding, name):
    table = table_of("Seriennummer;Gerätename\r\nA1;Zähler, groß\r\n".encode(encoding))
    assert table.dialect == ("semicolons", name)
    assert list(table.rows()) == [(1, ["Seriennummer", "Gerätename"]), (2, ["A1", "Zähler, groß"])]


def test_utf_16_with_the_big_end_first_is_read_by_its_mark(rows_of):
    assert rows_of(b"\xfe\xff" + "ä;b\n".encode("utf-16-be")) == [(1, ["ä", "b"])]


def test_a_character_outside_utf_8_far_behind_makes_the_file_windows_1252(table_of):
    table = table_of(b"serial,name\n" + b"a,b\n" * 50_000 + b"M\xfcller,b\n")
    assert table.dialect[1] == "Windows-1252"
    assert [cells for _number, cells in table.rows()][-1] == ["Müller", "b"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_line_end_is_read(rows_of, end):
    assert rows_of(f"a,b{end}c,d{end}") == [(1, ["a", "b"]), (2, ["c", "d"])]


def test_a_last_line_without_end_counts(rows_of):
    assert rows_of("a,b\nc,d") == [(1, ["a", "b"]), (2, ["c", "d"])]


def test_quotes_hold_separators_quotes_and_lines_and_a_record_is_one_row(rows_of):
    assert rows_of('a,b\n"one, ""two""\r\nthree",x\nc,d\n') == [
        (1, ["a", "b"]),
        (2, ['one, "two"\r\nthree', "x"]),
        (3, ["c", "d"]),
    ]


def test_empty_rows_are_left_out_and_counted(rows_of):
    assert rows_of("\na,b\n\n , \nc,d\n,\n\n") == [(2, ["a", "b"]), (5, ["c", "d"])]


def test_the_separator_line_of_excel_is_honoured_and_is_no_row(table_of):
    table = table_of("sep=;\r\na,1;b\r\nc,2;d\r\n")
    assert table.description == "semicolons, UTF-8"
    assert list(table.rows()) == [(1, ["a,1", "b"]), (2, ["c,2", "d"])]


def test_the_separator_line_may_name_any_sign(table_of):
    table = table_of("\ufeffSEP=^\r\na^b\r\n")
    assert table.description == "separated by ^, UTF-8"
    assert list(table.rows()) == [(1, ["a", "b"])]


def test_a_header_that_begins_like_a_separator_line_is_a_header(rows_of):
    assert rows_of("sep=;x;y\r\na;b;c\r\n") == [(1, ["sep=", "x", "y"]), (2, ["a", "b", "c"])]


def test_a_comma_in_every_remark_does_not_hide_the_semicolons(table_of):
    table = table_of("serial;remark\na;one, two\nb;three, four\n")
    assert table.dialect[0] == "semicolons"


def test_decimal_commas_do_not_hide_the_semicolons(table_of):
    assert table_of("serial;volts\na;1,5\nb;2,5\nc;3,5\n").dialect[0] == "semicolons"


def test_a_list_of_serials_is_one_column(table_of):
    table = table_of("Lot 2611, Werk Ulm\n" + "".join(f"A{number}\n" for number in range(50)))
    assert table.description == "one column, UTF-8"
    assert next(table.rows()) == (1, ["Lot 2611, Werk Ulm"])


def test_a_title_above_the_header_does_not_hide_the_separator(table_of):
    assert table_of("Lot 2611, Werk Ulm, 12 units\n\nserial;name\na;b\nc;d\n").dialect[0] == "semicolons"


def test_a_space_before_a_quote_is_no_part_of_the_value(rows_of):
    assert rows_of('a, b\n"x", "y, z"\n') == [(1, ["a", "b"]), (2, ["x", "y, z"])]


def test_a_quoted_value_may_begin_with_a_space_and_a_quote(rows_of):
    assert rows_of('a,b\n x," ""y"""\n') == [(1, ["a", "b"]), (2, [" x", ' "y"'])]


def test_spaces_in_values_are_kept_for_those_who_check_them(rows_of):
    assert rows_of("a,b\n  x ,y\n") == [(1, ["a", "b"]), (2, ["  x ", "y"])]


def test_rows_of_separators_to_the_end_of_the_grid_are_no_rows(table_of):
    table = table_of("a;b\nc;d\n" + ";\n" * (MAX_ROWS + 10))
    assert table.row_count == 2


def test_empty_columns_to_the_right_are_no_columns(table_of):
    table = table_of("a,b" + "," * 200 + "\nc,d" + "," * 200 + "\n")
    assert table.column_count == MAX_COLUMNS


def test_as_many_rows_as_permitted_are_read(table_of):
    assert table_of("a,b\n" * MAX_ROWS).row_count == MAX_ROWS


plain_text = st.text(st.sampled_from('aZ09 ;"\n_-äß€\U0001f600'), max_size=12)


@quiet
@given(
    rows=st.lists(st.tuples(plain_text, plain_text), max_size=20),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_as_separated_values_is_read_back(table_of, rows, encoding, end):
    written = [["serial number", "device name"], *map(list, rows)]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";", lineterminator=end).writerows(written)
    read = list(table_of(buffer.getvalue().encode(encoding)).rows())
    assert read == [(number, row) for number, row in enumerate(written, start=1) if "".join(row).strip()]


# Workbooks.


def saved(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def cell_of(rows_of, value, number_format: str | None = None):
    """One value as it comes back from a workbook written by another program."""
    book = openpyxl.Workbook()
    book.active["A1"] = value
    if number_format:
        book.active["A1"].number_format = number_format
    ((_number, (cell,)),) = rows_of(saved(book))
    return cell


def test_text_stays_text(rows_of):
    cell = cell_of(rows_of, "012000")
    assert cell == "012000"
    assert type(cell) is str


def test_a_whole_number_shows_its_digits_and_that_it_was_a_number(rows_of):
    cell = cell_of(rows_of, 12000.0)
    assert (cell, type(cell), cell.rounded) == ("12000", NumberCell, False)


def test_a_fraction_is_a_number_too(rows_of):
    cell = cell_of(rows_of, 1.1)
    assert (cell, type(cell), cell.rounded) == ("1.1", NumberCell, False)


def test_a_number_of_sixteen_digits_has_been_rounded(rows_of):
    assert cell_of(rows_of, 999_999_999_999_999).rounded is False
    assert cell_of(rows_of, 1_000_000_000_000_000).rounded is True


def test_a_rounded_number_shows_all_places_that_the_file_has(rows_of):
    stored = "<row><c><v>8.9445006529284198E+18</v></c><c><v>8944500652928419690</v></c></row>"
    ((_number, (by_excel, by_others)),) = rows_of(workbook(stored))
    assert (by_excel, by_excel.rounded) == ("8944500652928419840", True)
    assert (by_others, by_others.rounded) == ("8944500652928419690", True)


def test_a_number_is_shown_with_the_zeros_that_its_format_shows(rows_of):
    cell = cell_of(rows_of, 12000, "000000")
    assert (cell, type(cell)) == ("012000", NumberCell)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (date(2026, 11, 2), "2026-11-02"),
        (datetime(2026, 11, 2), "2026-11-02"),
        (datetime(2026, 11, 2, 14, 5, 6), "2026-11-02 14:05:06"),
        (time(6, 30), "06:30:00"),
        (date(1900, 2, 28), "1900-02-28"),
        (date(1900, 3, 1), "1900-03-01"),
        (True, "TRUE"),
        (False, "FALSE"),
    ],
)
def test_dates_and_truths_are_shown_plainly(rows_of, value, expected):
    cell = cell_of(rows_of, value)
    assert (cell, type(cell)) == (expected, str)


def test_dates_count_from_1904_where_the_workbook_says_so(rows_of):
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active["A1"] = date(2026, 11, 2)
    assert rows_of(saved(book)) == [(1, ["2026-11-02"])]


def test_a_day_beyond_the_calendar_stays_a_number(rows_of):
    assert cell_of(rows_of, 99_999_999, "dd.mm.yyyy") == "99999999"


def test_rows_and_columns_stand_where_the_sheet_shows_them(rows_of):
    book = openpyxl.Workbook()
    book.active["B3"] = "b"
    book.active["D3"] = "d"
    book.active["A7"] = "a"
    assert rows_of(saved(book)) == [(3, ["", "b", "", "d"]), (7, ["a"])]


def test_cells_without_a_place_follow_each_other(rows_of):
    assert rows_of(workbook("<row><c><v>1</v></c><c/><c><v>3</v></c></row><row><c><v>4</v></c></row>")) == [
        (1, ["1", "", "3"]),
        (2, ["4"]),
    ]


def test_the_last_permitted_column_and_row_are_read(rows_of):
    rows = rows_of(workbook(f'<row r="{MAX_ROWS}"><c r="BL{MAX_ROWS}"><v>1</v></c></row>'))
    assert rows == [(MAX_ROWS, [*[""] * 63, "1"])]


def test_empty_formatted_cells_anywhere_do_no_harm(rows_of):
    first = '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1" s="0"/></row>'
    sheet = first + '<row r="1048576"><c r="A1048576" s="0"/></row>'
    assert rows_of(workbook(sheet)) == [(1, ["1"])]


def test_shared_strings_are_read_without_format_and_pronunciation(rows_of):
    strings = (
        f'<sst xmlns="{MAIN}"><si><r><t>AQM</t></r><r><t xml:space="preserve"> 26</t></r></si>'
        "<si><t>課</t><rPh><t>カ</t></rPh></si><si><t/></si></sst>"
    )
    sheet = "<row>" + "".join(f'<c t="s"><v>{number}</v></c>' for number in (0, 1, 2, 0)) + "</row>"
    assert rows_of(workbook(sheet, strings=strings)) == [(1, ["AQM 26", "課", "", "AQM 26"])]


def test_shared_strings_are_found_in_every_block(rows_of):
    count = 5000
    strings = f'<sst xmlns="{MAIN}">{"".join(f"<si><t>ä{n}</t></si>" for n in range(count))}</sst>'
    sheet = "".join(f'<row><c t="s"><v>{number}</v></c></row>' for number in range(count))
    assert rows_of(workbook(sheet, strings=strings)) == [(n + 1, [f"ä{n}"]) for n in range(count)]


def test_results_of_formulas_are_what_they_show(rows_of):
    results = '<c t="str"><f>A2&amp;"x"</f><v>ab</v></c><c t="str"><f>""</f><v/></c><c><f>1+1</f><v>2</v></c>'
    assert rows_of(workbook(f"<row>{results}</row>")) == [(1, ["ab", "", "2"])]


def test_dates_written_out_are_read(rows_of):
    sheet = '<row><c t="d"><v>2026-11-02T00:00:00.000Z</v></c><c t="d"><v>2026-11-02T14:05:06</v></c></row>'
    assert rows_of(workbook(sheet)) == [(1, ["2026-11-02", "2026-11-02 14:05:06"])]


def test_characters_that_xml_cannot_hold_are_restored_and_halves_are_not(rows_of):
    sheet = '<row><c t="str"><v>a_x0008_b_xD800_c_x202E_</v></c></row>'
    assert rows_of(workbook(sheet)) == [(1, ["a\x08b_xD800_c\u202e"])]


def test_pretty_printed_sheets_hold_no_spaces_of_their_own(rows_of):
    sheet = '\n  <row>\n    <c t="inlineStr">\n  <is>\n <t>a</t>\n </is>\n </c>\n <c>\n<v>1</v>\n</c>\n  </row>\n'
    assert rows_of(workbook(sheet)) == [(1, ["a", "1"])]


def test_names_with_a_prefix_are_read(rows_of):
    sheet = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="2"><x:c r="B2"><x:v>1</x:v></x:c></x:row>'
        "</x:sheetData></x:worksheet>"
    )
    assert rows_of(workbook(sheet1=sheet)) == [(2, ["", "1"])]


def test_absolute_targets_other_cases_and_backslashes_are_found(rows_of):
    parts = parts_of_a_workbook(
        root=relations({"r1": ("officeDocument", "/xl/workbook.xml")}),
        relations=relations({"r1": ("worksheet", "/xl/worksheets/Sheet1.xml")}),
    )
    parts["xl\\worksheets\\sheet1.xml"] = parts.pop("xl/worksheets/sheet1.xml")
    assert rows_of(archive(parts)) == [(1, ["1"])]


def test_a_long_text_is_read_whole(rows_of):
    text = "ä<" * 16_000
    assert cell_of(rows_of, text) == text


def three_sheets() -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "Cover"
    hidden = book.create_sheet("Lists")
    hidden["A1"] = "hidden"
    hidden.sheet_state = "hidden"
    book.create_sheet("Lot")["A1"] = "shown"
    return saved(book)


def test_the_first_visible_sheet_that_holds_something_is_read(table_of):
    table = table_of(three_sheets())
    assert (table.sheet, table.sheets) == ("Lot", ("Cover", "Lists", "Lot"))
    assert list(table.rows()) == [(1, ["shown"])]


def test_a_sheet_can_be_chosen(table_of):
    table = table_of(three_sheets(), sheet="Lists")
    assert list(table.rows()) == [(1, ["hidden"])]


def test_a_sheet_that_is_not_there_is_refused(refusal_of):
    refusal = refusal_of(three_sheets(), sheet="Lot 2")
    assert (refusal.code, refusal.sentence) == ("no_such_sheet", "The workbook has no sheet Lot 2.")


def test_an_empty_sheet_that_was_chosen_is_refused(refusal_of):
    assert refusal_of(three_sheets(), sheet="Cover").code == "empty_file"


def test_a_sheet_of_charts_is_passed_over(rows_of):
    parts = parts_of_a_workbook(
        book=f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="Chart" r:id="r9"/>'
        '<sheet name="Lot" r:id="r1"/></sheets></workbook>',
        relations=relations({"r9": ("chartsheet", "chartsheets/a.xml"), "r1": ("worksheet", "worksheets/sheet1.xml")}),
    )
    assert rows_of(archive(parts)) == [(1, ["1"])]


def test_a_picture_in_the_workbook_is_never_unpacked(rows_of):
    parts = parts_of_a_workbook() | {"xl/media/image1.png": b"\0" * 1000}
    content = bytearray(archive(parts, zipfile.ZIP_STORED))
    content[content.index(b"\0" * 1000)] = 1
    assert rows_of(bytes(content)) == [(1, ["1"])]


def test_a_number_cell_survives_being_sent_to_another_process():
    cell = pickle.loads(pickle.dumps(NumberCell("12", rounded=True)))
    assert (cell, type(cell), cell.rounded) == ("12", NumberCell, True)


def seen_by_calamine(content: bytes) -> list[tuple[int, list[str]]]:
    """The same by another reader, in our words."""

    def text(value) -> str:
        if isinstance(value, bool):
            return str(value).upper()
        if isinstance(value, float):
            return str(int(value)) if value.is_integer() else repr(value)
        return value if isinstance(value, str) else value.isoformat(" ") if isinstance(value, datetime) else str(value)

    rows = []
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    for number, row in enumerate(sheet.iter_rows(), start=1):
        texts = seen([text(value) for value in row])
        if texts:
            rows.append((number, texts))
    return rows


def seen(texts):
    """What there is to see of a row. That reader takes a cell of blanks for an empty one, which it is to a manifest."""
    texts = [text if text.strip() else "" for text in texts]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def test_another_reader_sees_the_same_in_the_manifest():
    path = DATA / "gateway-lot-2611.xlsx"
    assert list(open_table(path, "").rows()) == seen_by_calamine(path.read_bytes())


values = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="_"), max_size=20),
    st.integers(-(10**14), 10**14),
    st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: round(value, 3)),
    st.booleans(),
    st.dates(date(1900, 3, 1), date(2100, 1, 1)),
)


@quiet
@given(rows=st.lists(st.lists(values, min_size=1, max_size=5), min_size=1, max_size=8))
@example(rows=[["serial"], [None, -0.5], [" "], [date(1999, 12, 31), True], ["0", " "], [" ", "0"]])
def test_what_another_program_writes_is_what_another_reader_sees(table_of, rows):
    book = openpyxl.Workbook()
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row, start=1):
            cell = book.active.cell(number + 1, place)
            # A text that begins with = is a formula to openpyxl.
            cell.value = f"'{value}" if isinstance(value, str) and value.startswith("=") else value
    book.active["A1"] = "header"
    content = saved(book)
    ours = [(number, seen(texts)) for number, texts in table_of(content).rows()]
    assert ours == seen_by_calamine(content)


# What is refused.


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name)
def test_a_hostile_file_is_refused(file, tmp_path):
    path = tmp_path / file.name
    file.make(path)
    with pytest.raises(Refused) as caught:
        open_table(path, file.name)
    assert (caught.value.code, caught.value.status) == (file.code, 422)
    assert caught.value.sentence.endswith(".")


def test_the_corpus_is_large():
    assert len(CORPUS) >= 40
    assert len({file.name for file in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a,b\n" * 250_001, "The file has more than 250,000 rows. Split it into smaller files."),
        (b"a,b\n" + b"a," * 65, "Row 2 has more than 64 columns. Delete the columns you don't need."),
        (b'a,b\nc,d\ne,"f\n', "Row 3 doesn't end. A quotation mark may have been opened there and never closed."),
        (
            b'a,b\n"c"d,e\n',
            "In row 2, text follows a closing quotation mark. Double the quotation marks that belong to the text.",
        ),
        (b"%PDF-1.7", "This is a PDF file, not a table. Save the table as CSV or XLSX."),
        (b"", "The file is empty."),
        (b"\n\n", "The file contains no rows."),
        (workbook()[:-100], "The workbook is damaged. Open it in Excel and save it again as XLSX or CSV."),
    ],
    ids=["rows", "columns", "quote", "after-quote", "pdf", "empty", "no-rows", "damaged"],
)
def test_a_refusal_says_what_to_do(refusal_of, content, sentence):
    assert refusal_of(content).sentence == sentence


def test_the_limit_of_size_is_that_of_the_caller_or_else_of_the_settings(refusal_of, settings):
    content = b"a,b\n" * 1000
    assert refusal_of(content, limit=3999).code == "file_too_large"
    settings.UPLOAD_LIMIT = 3 * 1024 * 1024
    assert refusal_of(b"a,b\n" * 1_000_000).sentence == ("The file is larger than 3 MB. Split it into smaller files.")


def test_the_name_of_a_file_decides_nothing(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(workbook())
    assert open_table(path, "table.csv").kind == "xlsx"


def test_the_size_of_hostile_files_costs_neither_memory_nor_time(tmp_path):
    """The peak is the kernel's count for the new process; getrusage counts what it was forked from, too."""
    heavy = [file for file in CORPUS if file.is_heavy]
    for file in heavy:
        file.make(tmp_path / file.name)
    script = """
import json, sys, time, django
django.setup()
from pathlib import Path
from console.errors import Refused
from console.tabular import open_table
found = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    began = time.monotonic()
    try:
        open_table(path, path.name)
    except Refused as refusal:
        found[path.name] = [refusal.code, time.monotonic() - began]
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([found, int(peak) / 1024]))
"""
    root = Path(__file__).parent.parent.parent
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env=environment, cwd=root, capture_output=True, check=True
    )
    found, peak = json.loads(done.stdout)
    assert {name: code for name, (code, _seconds) in found.items()} == {file.name: file.code for file in heavy}
    assert peak < 150
    assert max(seconds for _code, seconds in found.values()) < 20


@quiet
@given(data=st.data())
def test_a_workbook_with_changed_bytes_is_read_or_refused(table_of, data):
    content = bytearray(archive(parts_of_a_workbook(), data.draw(st.sampled_from([0, zipfile.ZIP_DEFLATED]))))
    for _number in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert list(table_of(bytes(content)).rows())
    except Refused as refusal:
        assert refusal.status == 422


sheet_pieces = st.sampled_from(
    [
        "<row>",
        "</row>",
        '<row r="3">',
        "<c>",
        "</c>",
        '<c t="s">',
        '<c r="B2">',
        '<c s="0">',
        "<v>",
        "</v>",
        "<is>",
        "</is>",
        "<t>",
        "</t>",
        "<rPh>",
        "</rPh>",
        "0",
        "1e5",
        "x",
        "</sheetData>",
        "<sheetData>",
        "<a:b>",
        "</a:b>",
        '<c t="inlineStr">',
        "<f>",
        "</f>",
        "<!-- -->",
        "<![CDATA[1]]>",
        "&amp;",
    ]
)


@quiet
@given(pieces=st.lists(sheet_pieces, max_size=30))
def test_a_sheet_of_any_shape_is_read_or_refused(table_of, pieces):
    try:
        assert list(table_of(workbook("".join(pieces))).rows())
    except Refused as refusal:
        assert refusal.status == 422


@quiet
@given(content=st.binary(max_size=200))
@example(content=b"PK\x05\x06" + b"\0" * 18)
@example(content=b"sep=")
@example(content=b"sep=;")
@example(content=b"\xff\xfe")
@example(content=b"\xef\xbb\xbf")
def test_any_bytes_are_read_or_refused(table_of, content):
    try:
        assert list(table_of(content).rows())
    except Refused as refusal:
        assert refusal.status == 422
