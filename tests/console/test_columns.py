"""Columns are recognised from what people call them, and can be corrected."""

import pytest

from console.columns import Column, find_header, normalise
from console.errors import Refused

SERIAL = Column("serial_number", "Serial number", ("S/N", "Serial no", "Seriennummer", "Serien-Nr."))
NAME = Column("device_name", "Device name", ("Device ID", "Gerätename", "Gerätekennung"))
NOTES = Column("notes", "Notes", ("Remark", "Bemerkung", "Größe & Notiz"))
COLUMNS = (SERIAL, NAME, NOTES)


def header_of(*rows: list[str]):
    return find_header(enumerate(rows, start=1), COLUMNS)


@pytest.mark.parametrize(
    "label",
    [
        "S/N",
        "s / n",
        "SN",
        "S.N.",
        "serial_number",
        "Serial Number",
        "SERIAL-NUMBER:",
        "Serial No.",
        "SerialNo",
        "Seriennummer",
        "SERIEN NR",
        "Serien-Nr.",
        " Serial\nnumber ",
        "Serial number (8 digits)",
        "\ufeffS/N",
        "Serial number [text]",
        "Ｓｅｒｉａｌ number",
    ],
)
def test_a_serial_number_is_recognised_by_what_people_call_it(label):
    assert header_of([label]).mapping == {0: "serial_number"}


@pytest.mark.parametrize(
    "label", ["Gerätename", "Gera\u0308tename", "GERÄTENAME", "Geraetename", "Geratename", "Geräte-Name"]
)
def test_umlauts_may_be_composed_or_not_written_out_or_lost(label):
    assert header_of([label]).mapping == {0: "device_name"}


def test_sharp_s_and_other_umlauts_are_written_out():
    assert normalise("Größe & Übermaß") == "groesseuebermass"
    assert header_of(["GROESSE NOTIZ"]).mapping == {0: "notes"}


@pytest.mark.parametrize("label", ["", "-", "Serial numbers of the old unit", "12000", "Customer"])
def test_what_is_no_name_of_a_column_is_not_recognised(label):
    assert header_of([label, "S/N"]).mapping == {1: "serial_number"}


def test_a_header_under_a_title_is_found():
    header = find_header(
        [(1, ["Lot 2611, Werk Ulm"]), (3, ["Seriennummer", "Gerätename"]), (4, ["012000", "9ed655dd2199"])], COLUMNS
    )
    assert header.row_number == 3
    assert header.labels == ("Seriennummer", "Gerätename")
    assert header.mapping == {0: "serial_number", 1: "device_name"}


def test_the_row_that_names_most_columns_is_the_header():
    header = header_of(["Notes", "see below"], ["S/N", "Device ID"], ["S/N", "x"])
    assert header.row_number == 2


def test_of_two_equal_rows_the_upper_one_is_the_header():
    assert header_of(["S/N", "Device ID"], ["Serial no", "Gerätename"]).row_number == 1


def test_a_header_is_looked_for_in_the_first_twenty_rows_only():
    title = [["Title"]] * 19
    assert header_of(*title, ["S/N"]).row_number == 20
    assert header_of(*title, ["Title"], ["S/N"]).row_number == 1


def test_no_more_rows_are_taken_than_looked_at():
    rows = iter(enumerate([["S/N"]] * 30, start=1))
    find_header(rows, COLUMNS)
    assert next(rows)[0] == 21


def test_where_nothing_is_recognised_the_first_row_is_the_header_to_be_mapped():
    header = header_of(["Kode", "Was"], ["1", "2"])
    assert (header.row_number, header.mapping, header.unknown) == (1, {}, (0, 1))


def test_an_empty_table_has_no_header():
    header = header_of()
    assert (header.row_number, header.labels, header.mapping) == (0, (), {})


def test_of_a_column_that_stands_twice_the_first_is_taken_and_the_second_is_unknown():
    header = header_of(["S/N", "Serial number", "Device ID"])
    assert header.mapping == {0: "serial_number", 2: "device_name"}
    assert header.unknown == (1,)


def test_of_two_columns_of_one_name_the_one_that_holds_something_is_in_use_and_two_such_stay_open():
    header = find_header([(1, ["S/N", "Notes", "Remark", "Bemerkung"])], COLUMNS)
    name = header.mapping[1]
    assert header.doubles == {name: (1, 2, 3)}
    assert header.with_filled({0, 3}).mapping == {0: header.mapping[0], 3: name}
    assert header.with_filled(set()).mapping == header.mapping
    assert header.with_filled({2, 3}).doubles == {name: (2, 3)}
    assert (header.with_mapping({2: name}).mapping, header.with_mapping({2: name}).doubles) == (
        {0: header.mapping[0], 2: name},
        {},
    )


def test_columns_without_a_label_are_not_called_unknown():
    assert header_of(["S/N", "", "Colour", " "]).unknown == (2,)


def test_missing_columns_are_reported():
    assert header_of(["S/N", "Colour"]).missing("serial_number", "device_name") == ("device_name",)


def test_the_values_of_a_row_go_by_name_and_a_short_row_is_filled_up():
    header = header_of(["Colour", "S/N", "Remark"])
    assert header.values(["red", "A1"]) == {"serial_number": "A1", "notes": ""}


def test_what_stands_under_no_header_is_surplus():
    header = header_of(["S/N", "", "Colour"])
    assert header.surplus(["A1", "", "red"]) == []
    assert header.surplus(["A1", "lost", "red", " ", "one too many"]) == ["lost", "one too many"]
    assert header.with_mapping({1: "notes"}).surplus(["A1", "found", "red"]) == []


def test_a_mapping_can_be_corrected():
    header = header_of(["S/N", "Colour", "Device ID"])
    assert header.with_mapping({1: "notes", 2: ""}).mapping == {0: "serial_number", 1: "notes"}
    assert header.mapping == {0: "serial_number", 2: "device_name"}


def test_a_name_that_is_given_to_another_column_is_taken_from_the_first():
    header = header_of(["S/N", "Old serial"]).with_mapping({1: "serial_number"})
    assert (header.mapping, header.unknown) == ({1: "serial_number"}, (0,))


def test_two_columns_cannot_be_set_to_one_name():
    with pytest.raises(Refused) as caught:
        header_of(["a", "b"]).with_mapping({0: "notes", 1: "notes"})
    assert (caught.value.code, caught.value.status) == ("column_twice", 422)
    assert caught.value.sentence == "Two columns are set to Notes. Choose one of them."


@pytest.mark.parametrize("changes", [{0: "owner"}, {64: "notes"}, {-1: "notes"}])
def test_a_column_that_does_not_exist_cannot_be_chosen(changes):
    with pytest.raises(Refused) as caught:
        header_of(["a", "b"]).with_mapping(changes)
    assert caught.value.code == "unknown_column"


def test_a_monstrous_label_is_kept_short():
    assert len(header_of(["x" * 30_000, "S/N"]).labels[0]) == 100
