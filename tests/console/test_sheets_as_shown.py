"""What a sheet shows, hides, or can't show is read as a person sees it, and said where it is not plain."""

import io
from pathlib import Path

import openpyxl
import pytest

from console.tabular import RemarkedRow, open_table
from tests.hostile_files import MAIN, workbook

CASES = Path(__file__).parent.parent / "data" / "cases"
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164" formatCode="&quot;SN-&quot;@"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>'
)


@pytest.fixture
def rows_of(tmp_path):
    """The rows of a file, and what is said of each: {row: [(column, code, detail)]}."""

    def make(content: bytes) -> tuple[dict, dict]:
        path = tmp_path / "table"
        path.write_bytes(content)
        rows = dict(open_table(path, "table").rows())
        said = {number: [tuple(r) for r in row.remarks] for number, row in rows.items() if type(row) is RemarkedRow}
        return {number: list(row) for number, row in rows.items()}, said

    return make


def case(name: str) -> bytes:
    return (CASES / name).read_bytes()


def saved(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_numbers_are_the_text_that_their_formats_show(rows_of):
    assert rows_of(case("01-shown-by-format.xlsx")) == (
        {
            1: ["Serial number", "Device name", "HW rev"],
            2: ["SN00012", "casedev0101", "1.10"],
            3: ["12-0034", "casedev0102"],
            4: ["00004711", "casedev0103"],
        },
        {},
    )


def test_a_text_format_is_shown_around_texts(rows_of):
    cells = '<c t="inlineStr" s="1"><is><t>0012</t></is></c><c t="b" s="1"><v>1</v></c><c t="s" s="1"><v>0</v></c>'
    assert rows_of(workbook(f"<row>{cells}</row>", styles=STYLES))[0] == {1: ["SN-0012", "TRUE", "SN-one"]}


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("356938035643809", "356938035643809"),
        ("0.30000000000000004", "0.3"),
        ("1.1000000000000001", "1.1"),
        ("1E-5", "1E-05"),
        ("3.56938035643809E+14", "356938035643809"),
    ],
)
def test_fifteen_digits_are_shown_whole_and_what_a_float_adds_is_not(rows_of, stored, expected):
    assert rows_of(workbook(f"<row><c><v>{stored}</v></c></row>"))[0] == {1: [expected]}


def test_an_error_is_no_value_and_its_cell_is_named(rows_of):
    assert rows_of(case("04-error-cells.xlsx")) == (
        {
            1: ["Serial number", "Device name", "HW rev", "Notes"],
            2: ["ERR-0001", "casedev0401"],
            3: ["", "casedev0402"],
        },
        {2: [(2, "error", "#N/A"), (3, "error", "#DIV/0!")], 3: [(0, "error", "#REF!")]},
    )


def test_a_row_of_nothing_but_errors_is_still_a_row(rows_of):
    assert rows_of(workbook('<row r="4"><c r="B4" t="e"><v>#N/A</v></c></row>')) == (
        {4: []},
        {4: [(1, "error", "#N/A")]},
    )


def test_an_error_that_a_spreadsheet_wrote_into_csv_is_no_value_either(rows_of):
    rows, said = rows_of(b"S/N;Notiz;N\nA1;#NV;#1\n#N/A ;x;#N/A?\n")
    assert rows == {1: ["S/N", "Notiz", "N"], 2: ["A1", "", "#1"], 3: ["", "x", "#N/A?"]}
    assert said == {2: [(1, "error", "#NV")], 3: [(0, "error", "#N/A")]}


@pytest.mark.parametrize("cell", ["<c><f>B1</f></c>", "<c><f>B1</f><v></v></c>", '<c t="str"><f>B1</f></c>'])
def test_a_formula_that_was_never_computed_is_said_and_not_empty(rows_of, cell):
    assert rows_of(workbook(f'<row>{cell}<c t="str"><v>x</v></c></row>')) == (
        {1: ["", "x"]},
        {1: [(0, "no_result", "")]},
    )


def test_formulas_as_openpyxl_writes_them_are_said(rows_of):
    book = openpyxl.Workbook()
    book.active.append(["Serial number"])
    book.active.append(['="SN"&ROW()'])
    assert rows_of(saved(book)) == ({1: ["Serial number"], 2: []}, {2: [(0, "no_result", "")]})


def test_the_zero_that_stands_for_a_result_is_none_where_the_workbook_was_not_computed(rows_of):
    sheet = "<row><c><f>B1</f><v>0</v></c><c><v>0</v></c></row>"
    assert rows_of(workbook(sheet)) == ({1: ["0", "0"]}, {})
    uncomputed = (
        f'<workbook xmlns="{MAIN}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
        '<sheet name="Lot" sheetId="1" r:id="r1"/></sheets><calcPr fullCalcOnLoad="1"/></workbook>'
    )
    assert rows_of(workbook(sheet, book=uncomputed)) == ({1: ["", "0"]}, {1: [(0, "no_result", "")]})


def test_cells_that_are_merged_downwards_have_the_value_that_they_show(rows_of):
    book = openpyxl.Workbook()
    for row in (["Serial", "Rev", "Lot"], ["A1", "B2", "L1"], ["A2"], ["A3", None, "L2"], ["A4"], [None]):
        book.active.append(row)
    book.active.merge_cells("B2:B4")
    book.active.merge_cells("C2:C3")
    # The last row is merged too, and shows nothing of its own.
    book.active.merge_cells("C4:C6")
    assert rows_of(saved(book)) == (
        {
            1: ["Serial", "Rev", "Lot"],
            2: ["A1", "B2", "L1"],
            3: ["A2", "B2", "L1"],
            4: ["A3", "B2", "L2"],
            5: ["A4", "", "L2"],
        },
        {3: [(1, "merged", "2"), (2, "merged", "2")], 4: [(1, "merged", "2")], 5: [(2, "merged", "4")]},
    )


def test_cells_that_are_merged_sideways_stay_as_they_are(rows_of):
    book = openpyxl.Workbook()
    book.active.append(["Lot 2611"])
    book.active.merge_cells("A1:C1")
    assert rows_of(saved(book)) == ({1: ["Lot 2611"]}, {})


def test_an_error_that_is_merged_downwards_is_one_in_each_row(rows_of):
    sheet = '<row><c t="e"><v>#N/A</v></c><c><v>1</v></c></row><row><c/><c><v>2</v></c></row>'
    merged = '<mergeCells><mergeCell ref="A1:A2"/></mergeCells>'
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{sheet}</sheetData>{merged}</worksheet>'
    assert rows_of(workbook(sheet1=sheet))[1] == {1: [(0, "error", "#N/A")], 2: [(0, "error", "#N/A")]}


def test_merges_are_found_across_two_reads_and_with_a_prefix(rows_of):
    rows = "".join(f"<x:row><x:c><x:v>{n}</x:v></x:c></x:row>" for n in range(3))
    sheet = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row><x:c/><x:c><x:v>7</x:v></x:c></x:row>{rows}</x:sheetData>'
    )
    for place in range(20):
        filler = " " * (64 * 1024 - len(sheet) - place)
        end = "<x:mergeCells><x:mergeCell ref='B1:B3'/></x:mergeCells></x:worksheet>"
        assert rows_of(workbook(sheet1=sheet + filler + end))[0][3] == ["1", "7"], place


def test_rows_and_columns_that_the_sheet_hides_are_said(rows_of):
    assert rows_of(case("05-filtered-rows.xlsx")) == (
        {
            1: ["Serial number", "Device name", "Notes"],
            2: ["FIL-0001", "casedev0501", "ok"],
            3: ["FIL-0002", "casedev0502", "rejected"],
        },
        {3: [(-1, "hidden", "")]},
    )
    book = openpyxl.Workbook()
    book.active.append(["Serial", "Notes"])
    book.active.column_dimensions["B"].hidden = True
    assert rows_of(saved(book)) == ({1: ["Serial", "Notes"]}, {1: [(1, "hidden_column", "")]})


def test_a_text_made_of_a_formula_to_keep_its_zeros_is_the_text(rows_of):
    assert rows_of(case("02-equals-quoted.csv"))[0] == {
        1: ["Serial number", "Device name", "HW rev"],
        2: ["000123", "casedev0201", "1.10"],
    }
    quoted = b'a,b\n"=""00,1""",=""\n"=""say """"x""""""",=1+1\n="",=""\n'
    assert rows_of(quoted)[0] == {1: ["a", "b"], 2: ["00,1", ""], 3: ['say "x"', "=1+1"]}


def test_the_end_mark_of_dos_is_the_end(rows_of):
    read = {1: ["Serial number", "Device name"], 2: ["CTZ-0009", "casedev1101"]}
    assert rows_of(case("11-ctrl-z.csv"))[0] == read
    plain = case("11-ctrl-z.csv").rstrip(b"\x1a\r\n")
    assert rows_of(plain + b"\x1a")[0] == read
    assert rows_of(plain + b"\r\n\x1a\r\n\0\0\x1a\0")[0] == read
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        assert rows_of((plain.decode() + "\r\n\x1a").encode(encoding))[0] == read, encoding


def test_an_end_mark_with_something_behind_it_is_no_end(rows_of):
    content = b"serial,name\n" + b"a,b\n" * 50 + b"c\x1a,d\ne,f\n"
    assert list(rows_of(content)[0].values())[-2:] == [["c\x1a", "d"], ["e", "f"]]
