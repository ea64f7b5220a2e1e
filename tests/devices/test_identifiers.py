"""Each identifier is cleaned, or refused with a sentence that says what is wrong."""

from datetime import date
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from console.columns import find_header
from console.tabular import NumberCell, open_table
from devices.fields import BY_NAME
from devices.identifiers import (
    Unfit,
    clean_device_name,
    clean_hardware_revision,
    clean_iccid,
    clean_imei,
    clean_mac,
    clean_manufactured_on,
    clean_notes,
    clean_secret,
    clean_serial_number,
    guess_padding,
    looks_like_formula,
    looks_like_markup,
    luhn_digit,
)

# What a factory writes about the device itself.
NAMES = [name for name in BY_NAME if name not in {"tags", "is_development"}]
COLUMNS = [BY_NAME[name].as_column for name in NAMES]
CLEANERS = {name: BY_NAME[name].clean for name in NAMES}

DATA = Path(__file__).parent.parent / "data"
TODAY = date(2026, 11, 22)


def fault(clean, raw: str, **options) -> str:
    with pytest.raises(Unfit) as caught:
        clean(raw, **options)
    return caught.value.sentence


# Serial numbers


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("AQM26-100000", "AQM26-100000"),
        ("  aqm26-900050  ", "aqm26-900050"),
        ("\u00a0A 1\t", "A 1"),
        ("Z\u00e4hler/7", "Z\u00e4hler/7"),
        ("Za\u0308hler/7", "Z\u00e4hler/7"),
        ("x" * 64, "x" * 64),
        (NumberCell("12000"), "12000"),
    ],
)
def test_a_serial_number_is_accepted(raw, clean):
    taken = clean_serial_number(raw)
    assert (taken, type(taken)) == (clean, str)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("", "The serial number is missing."),
        (" \t", "The serial number is missing."),
        ("x" * 80, "The serial number can have at most 64 characters; this one has 80."),
        ("A  1", "The serial number contains two spaces in a row."),
        ("AQM26-\u202e900080", "The serial number contains an invisible control character (U+202E)."),
        ("A\u200b1", "The serial number contains an invisible control character (U+200B)."),
        ("\ufeffA1", "The serial number contains an invisible control character (U+FEFF)."),
        ("A\u00ad1", "The serial number contains an invisible control character (U+00AD)."),
        ("A\x001", "The serial number contains an invisible control character (U+0000)."),
        ("A\n1", "The serial number contains an invisible control character (U+000A)."),
        ("A\U000e00411", "The serial number contains an invisible control character (U+E0041)."),
        ("A\u00a01", "The serial number contains an unusual space (U+00A0)."),
        ("A\u31641", "The serial number contains an unusual space (U+3164)."),
        ("A\ue0001", "The serial number contains a character that can't be displayed (U+E000)."),
        ("A\ud8001", "The serial number contains a character that can't be displayed (U+D800)."),
        ("A\uffff1", "The serial number contains a character that can't be displayed (U+FFFF)."),
        ("A\ufe0f1", "The serial number contains a character that can't be displayed (U+FE0F)."),
        ("8.94E+18", "Excel has rounded this serial number. Format the column as text and export again."),
        (
            NumberCell("8944500652928419690", rounded=True),
            "Excel has rounded this serial number. Format the column as text and export again.",
        ),
    ],
)
def test_a_serial_number_is_refused(raw, sentence):
    assert fault(clean_serial_number, raw) == sentence


@given(st.text(max_size=80))
def test_cleaning_a_serial_number_twice_changes_nothing(raw):
    try:
        clean = clean_serial_number(raw)
    except Unfit as unfit:
        assert unfit.sentence.endswith(".")
    else:
        assert clean_serial_number(clean) == clean
        assert 1 <= len(clean) <= 64
        clean.encode()


# Device names


@pytest.mark.parametrize("name", ["e00fce68fe24c11665921d4b", "abc_-9", "x" * 64, " abcdef "])
def test_a_device_name_is_accepted(name):
    assert clean_device_name(name) == name.strip()


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("", "The device name is missing."),
        ("x" * 80, "A device name must have 6 to 64 letters, digits, - or _; this one has 80."),
        ("abcde", "A device name must have 6 to 64 letters, digits, - or _; this one has 5."),
        ("abc def", "A device name must have 6 to 64 letters, digits, - or _; this one contains a space."),
        ("abcd\u00e9f", "A device name must have 6 to 64 letters, digits, - or _; this one contains “\u00e9”."),
        ("abc\u0661ef", "A device name must have 6 to 64 letters, digits, - or _; this one contains “\u0661”."),
        ("abc\u202edef", "The device name contains an invisible control character (U+202E)."),
    ],
)
def test_a_device_name_is_refused(raw, sentence):
    assert fault(clean_device_name, raw) == sentence


# IMEI and ICCID


@pytest.mark.parametrize("raw", ["352656103159466", " 35-265610-315946-6 ", "35 265610 315946 6"])
def test_an_imei_is_accepted(raw):
    assert clean_imei(raw) == "352656103159466"


def test_an_imei_turned_into_a_number_is_complete():
    assert clean_imei(NumberCell("352656103159466")) == "352656103159466"


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("", "The IMEI is missing."),
        ("352656101234567", "352656101234567 is not an IMEI: its check digit should be 8."),
        ("35265610123456", "35265610123456 has 14 digits; an IMEI has 15."),
        ("3526561031594661", "3526561031594661 has 16 digits; an IMEI has 15."),
        ("35265610315946X", "35265610315946X is not an IMEI: it should have 15 digits."),
        ("\u0663\u0665265610315946", "\u0663\u0665265610315946 is not an IMEI: it should have 15 digits."),
        ("x" * 500, f"{'x' * 39}… is not an IMEI: it should have 15 digits."),
        ("000000000000000", "000000000000000 is not an IMEI: it is all zeros."),
        ("3.52656E+14", "Excel has rounded this IMEI. Format the column as text and export again."),
        ("3,52656103E+14", "Excel has rounded this IMEI. Format the column as text and export again."),
        ("352656\u200e103159466", "The IMEI contains an invisible control character (U+200E)."),
    ],
)
def test_an_imei_is_refused(raw, sentence):
    assert fault(clean_imei, raw) == sentence


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("8944500652928419690", "8944500652928419690"),
        ("8944 5006 5292 8419 690", "8944500652928419690"),
        ("8944500652928419690F", "8944500652928419690"),
        ("89014103211118510720", "89014103211118510720"),
    ],
)
def test_an_iccid_is_accepted(raw, clean):
    assert clean_iccid(raw) == clean


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("", "The ICCID is missing."),
        ("8944500652928419691", "8944500652928419691 is not an ICCID: its check digit should be 0."),
        ("894450065292841969", "894450065292841969 has 18 digits; an ICCID has 19 or 20."),
        ("7944500652928419690", "7944500652928419690 is not an ICCID: it should begin with 89."),
        ("894450065292841969O", "894450065292841969O is not an ICCID: it should have 19 or 20 digits."),
        (
            NumberCell("8944500652928419840", rounded=True),
            "Excel has rounded this ICCID. Format the column as text and export again.",
        ),
        ("8.94450065292842E+18", "Excel has rounded this ICCID. Format the column as text and export again."),
    ],
)
def test_an_iccid_is_refused(raw, sentence):
    assert fault(clean_iccid, raw) == sentence


@given(st.text("0123456789", min_size=14, max_size=14).filter(lambda digits: digits.strip("0")))
def test_only_one_check_digit_makes_an_imei_and_refusals_name_it(payload):
    right = luhn_digit(payload)
    for digit in "0123456789":
        if digit == right:
            assert clean_imei(payload + digit) == payload + digit
        else:
            assert fault(clean_imei, payload + digit).endswith(f"its check digit should be {right}.")


@given(st.text("0123456789", min_size=18, max_size=18), st.integers(0, 17), st.integers(1, 9))
def test_a_mistyped_digit_changes_the_check_digit(payload, place, by):
    other = payload[:place] + str((int(payload[place]) + by) % 10) + payload[place + 1 :]
    assert luhn_digit(other) != luhn_digit(payload)


# MAC addresses


@pytest.mark.parametrize(
    "raw",
    ["E0:4F:43:75:E4:55", "e0:4f:43:75:e4:55", "E0-4F-43-75-E4-55", "e04f.4375.e455", "e04f4375e455", " E04F4375E455 "],
)
def test_a_mac_address_is_accepted_in_each_notation(raw):
    assert clean_mac(raw) == "E0:4F:43:75:E4:55"


@pytest.mark.parametrize(
    "raw", ["E0:4F:43:FF:FE:75:E4:55", "E0-4F-43-FF-FE-75-E4-55", "e04f.43ff.fe75.e455", "e04f43fffe75e455"]
)
def test_a_64_bit_address_is_accepted_in_each_notation(raw):
    assert clean_mac(raw) == "E0:4F:43:FF:FE:75:E4:55"


def test_an_address_turned_into_a_number_is_accepted_if_nothing_is_lost():
    assert clean_mac(NumberCell("204343754455")) == "20:43:43:75:44:55"


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("", "The MAC address is missing."),
        ("00:00:00:00:00:00", "00:00:00:00:00:00 is not a device's address: it is all zeros."),
        ("ffffffffffff", "FF:FF:FF:FF:FF:FF is not a device's address: it is the broadcast address."),
        ("01:00:5e:00:00:01", "01:00:5E:00:00:01 is not a device's address: it is a multicast address."),
        ("E0:4F:43:75:E4", "E0:4F:43:75:E4 is not a MAC address: it should have 12 or 16 hexadecimal digits."),
        ("E0:4F:43-75-E4-55", "E0:4F:43-75-E4-55 is not a MAC address: it should have 12 or 16 hexadecimal digits."),
        ("G0:4F:43:75:E4:55", "G0:4F:43:75:E4:55 is not a MAC address: it should have 12 or 16 hexadecimal digits."),
        (
            "E0:4F:43:75:E4:55:11",
            "E0:4F:43:75:E4:55:11 is not a MAC address: it should have 12 or 16 hexadecimal digits.",
        ),
        (
            NumberCell("4343754455"),
            "Excel turned this MAC address into a number. Format the column as text and export again.",
        ),
        ("4.34E+11", "Excel turned this MAC address into a number. Format the column as text and export again."),
        ("E0:4F:43\u200b:75:E4:55", "The MAC address contains an invisible control character (U+200B)."),
    ],
)
def test_a_mac_address_is_refused(raw, sentence):
    assert fault(clean_mac, raw) == sentence


@pytest.mark.parametrize(
    "raw", ["E0:4F:43:75:E4", "E0:4F:43-75-E4-55", "G0:4F:43:75:E4:55", "E0:4F:43:75:E4:55:11", "E0 4F 43 75 E4 55"]
)
def test_text_unlike_a_mac_address_is_refused(raw):
    assert fault(clean_mac, raw) == f"{raw} is not a MAC address: it should have 12 or 16 hexadecimal digits."


# Hardware revision and date


def test_a_hardware_revision_is_accepted_or_refused():
    assert clean_hardware_revision(" C1 rev. b ") == "C1 rev. b"
    assert clean_hardware_revision(NumberCell("1.1")) == "1.1"
    assert fault(clean_hardware_revision, "x" * 41) == (
        "The hardware revision can have at most 40 characters; this one has 41."
    )
    assert fault(clean_hardware_revision, "") == "The hardware revision is missing."


@pytest.mark.parametrize(
    "raw",
    [
        "2026-11-02",
        "2026-11-2",
        "2026-11-02T10:15:00Z",
        "2026-11-02 10:15:00",
        "2026-11-02T10:15:00.123+01:00",
        "2026/11/02",
        "20261102",
        "02.11.2026",
        "2.11.2026",
        "2. 11. 2026",
        "02.11.2026 10:15",
        NumberCell("46328"),
        NumberCell("46328.75"),
        NumberCell("20261102"),
    ],
)
def test_a_date_is_read_in_each_unambiguous_format(raw):
    assert clean_manufactured_on(raw, today=TODAY) == date(2026, 11, 2)


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        ("11/25/2026", date(2026, 11, 25)),
        ("25/11/2026", date(2026, 11, 25)),
        ("25-11-2026", date(2026, 11, 25)),
        ("11/11/2026", date(2026, 11, 11)),
        ("1990-01-01", date(1990, 1, 1)),
        ("2027-11-23", date(2027, 11, 23)),
        ("2024-02-29", date(2024, 2, 29)),
    ],
)
def test_a_date_is_read_if_day_and_month_are_beyond_doubt(raw, day):
    assert clean_manufactured_on(raw, today=TODAY) == day


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("", "The date is missing."),
        ("03/04/2026", "03/04/2026 can be read in two ways. Write it as 2026-04-03 or 2026-03-04."),
        ("13/13/2026", "13/13/2026 is not a date. Write it like 2026-11-30."),
        ("2026-02-29", "2026-02-29 is not a date. Write it like 2026-11-30."),
        ("46328", "46328 is not a date. Write it like 2026-11-30."),
        ("02.11.26", "02.11.26 is not a date. Write it like 2026-11-30."),
        ("soon", "soon is not a date. Write it like 2026-11-30."),
        ("٢٠٢٦-11-02", "٢٠٢٦-11-02 is not a date. Write it like 2026-11-30."),
        ("1989-12-31", "The date 1989-12-31 is before 1990."),
        (NumberCell("12"), "The date 1900-01-11 is before 1990."),
        (NumberCell("1e+22", rounded=True), "1e+22 is not a date. Write it like 2026-11-30."),
        (NumberCell("-5000000"), "-5000000 is not a date. Write it like 2026-11-30."),
        ("2027-11-24", "The date 2027-11-24 is more than a year ahead."),
        ("0000-00-00", "0000-00-00 is not a date. Write it like 2026-11-30."),
    ],
)
def test_a_date_is_refused(raw, sentence):
    assert fault(clean_manufactured_on, raw, today=TODAY) == sentence


@given(st.dates(date(1990, 1, 1), TODAY))
def test_every_day_can_be_read_back_from_each_format(day):
    serial = NumberCell(str((day - date(1899, 12, 30)).days))
    for raw in (day.isoformat(), day.strftime("%d.%m.%Y"), day.strftime("%Y%m%d"), serial):
        assert clean_manufactured_on(raw, today=TODAY) == day


@given(st.text("0123456789./-T: ", max_size=20))
def test_text_resembling_a_date_is_read_or_refused(raw):
    for cell in (raw, NumberCell(raw)):
        try:
            assert clean_manufactured_on(cell, today=TODAY).year >= 1990
        except Unfit as unfit:
            assert unfit.sentence.endswith(".")


# Secrets and notes


def test_a_secret_is_accepted():
    assert clean_secret(" DwrussVfovTopOF1RdBfQQa84mDkET7x20tsi4MyoSY ") == (
        "DwrussVfovTopOF1RdBfQQa84mDkET7x20tsi4MyoSY"
    )
    assert clean_secret("!~" * 100) == "!~" * 100


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("", "The secret is missing."),
        ("s3cret", "A secret must have 16 to 200 characters; this one has 6."),
        ("s" * 201, "A secret must have 16 to 200 characters; this one has 201."),
        ("correct horse battery", "A secret can contain only ASCII letters, digits and symbols, and no spaces."),
        ("geheimes-schl\u00fcsselwort", "A secret can contain only ASCII letters, digits and symbols, and no spaces."),
        ("sixteen-and-a\u202ebit", "A secret can contain only ASCII letters, digits and symbols, and no spaces."),
        (
            NumberCell("12345678901234567890", rounded=True),
            "Excel has rounded this secret. Format the column as text and export again.",
        ),
    ],
)
def test_a_secret_is_refused_and_never_repeated(raw, sentence):
    assert fault(clean_secret, raw) == sentence
    assert not raw or raw not in sentence


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("", ""),
        ("  two\r\nlines\rand\ta tab \n", "two\nlines\nand\ta tab"),
        ("family \U0001f468\u200d\U0001f469\u200d\U0001f467", "family \U0001f468\u200d\U0001f469\u200d\U0001f467"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("x" * 2000, "x" * 2000),
    ],
)
def test_notes_are_accepted(raw, clean):
    assert clean_notes(raw) == clean


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("x" * 2001, "The note can have at most 2000 characters; this one has 2001."),
        ("a\x00b", "The note contains an invisible control character (U+0000)."),
        ("a\x1bb", "The note contains an invisible control character (U+001B)."),
        ("a\u202eb", "The note contains an invisible control character (U+202E)."),
        ("a\u2066b", "The note contains an invisible control character (U+2066)."),
        ("a\ud800b", "The note contains a character that can't be displayed (U+D800)."),
    ],
)
def test_notes_are_refused(raw, sentence):
    assert fault(clean_notes, raw) == sentence


# Warnings


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://example.invalid","x")',
        "=1",
        "@SUM(A1)",
        "+cmd|' /C calc'!A0",
        "-2+3+cmd|x",
        "\t=1",
        "  =1",
        "\r=1",
        "- checked",
        "\uff1d1+1",
        "\uff0bA1",
        "+A1",
    ],
)
def test_a_formula_is_recognized(text):
    assert looks_like_formula(text)


@pytest.mark.parametrize(
    "text", ["", "Nacharbeit", "-12.5", "+49 731 123-45", "+49 (0)731/12345", "-1,5", "-", "--", "-1e-5", "+5 %", "a=b"]
)
def test_numbers_phone_numbers_and_dashes_are_not_formulas(text):
    assert not looks_like_formula(text)


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "a <b>x</b>", "</td>", "<!--", "&#60;x", "&lt;x", "JavaScript:alert(1)"]
)
def test_markup_is_recognized(text):
    assert looks_like_markup(text)


@pytest.mark.parametrize("text", ["", "5 < 6", "a & b", "x -> y <- z", "<3", "AT&T"])
def test_plain_text_is_not_markup(text):
    assert not looks_like_markup(text)


# Lost zeros


@pytest.mark.parametrize(
    ("serials", "width"),
    [
        ([("12000", True), ("012001", False), ("012002", False)], 6),
        ([("12000", True), ("112000", True), ("012002", False)], 6),
        ([("12000", True), ("012001", False), ("A-7", False)], 6),
        ([("012000", True), ("012001", False)], None),
        ([("12000", True), ("12005", True)], None),
        ([("12000", True), ("012001", False), ("0012002", False)], None),
        ([("1200000", True), ("012001", False)], None),
        ([("12000", False), ("012001", False)], None),
        ([("12000", True), ("A-7", False)], None),
        ([], None),
    ],
)
def test_the_original_width_of_serial_numbers_is_guessed_from_the_intact_ones(serials, width):
    assert guess_padding(iter(serials)) == width


# The manifests


def faults_of(name: str) -> dict[int, list[str]]:
    """Return the sentences for each row of a manifest, for all values present."""
    table = open_table(DATA / name, name)
    header = find_header(table.rows(), COLUMNS)
    faults: dict[int, list[str]] = {}
    for number, cells in table.rows():
        if number <= header.row_number:
            continue
        for column, value in header.values(cells).items():
            try:
                if value:
                    CLEANERS[column](value)
            except Unfit as unfit:
                faults.setdefault(number, []).append(unfit.sentence)
    return faults


def test_the_clean_manifest_has_no_faults():
    assert faults_of("aqua-meter-lot-2611.csv") == {}


def test_the_workbook_has_no_faults_and_its_lost_zeros_are_detected():
    assert faults_of("gateway-lot-2611.xlsx") == {}
    rows = open_table(DATA / "gateway-lot-2611.xlsx", "").rows()
    cells = [cells[0] for number, cells in rows if number > 3]
    assert guess_padding((cell, isinstance(cell, NumberCell)) for cell in cells) == 6


def test_the_messy_manifest_has_the_faults_visible_in_a_single_row():
    assert faults_of("messy-lot.csv") == {
        32: ["352656101234567 is not an IMEI: its check digit should be 8."],
        72: ["A device name must have 6 to 64 letters, digits, - or _; this one has 80."],
        82: ["The serial number contains an invisible control character (U+202E)."],
    }


@pytest.mark.parametrize(
    ("name", "row", "names"),
    [
        (
            "aqua-meter-lot-2611.csv",
            1,
            ["serial_number", "device_name", "imei", "iccid", "mac", "hardware_revision", "manufactured_on", "secret"],
        ),
        (
            "gateway-lot-2611.xlsx",
            3,
            ["serial_number", "device_name", "mac", "hardware_revision", "manufactured_on", "notes"],
        ),
        ("messy-lot.csv", 1, ["serial_number", "device_name", "imei", "notes"]),
    ],
)
def test_the_columns_of_the_manifests_are_recognized(name, row, names):
    header = find_header(open_table(DATA / name, name).rows(), COLUMNS)
    assert (header.row_number, list(header.mapping.values()), header.unknown) == (row, names, ())


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("S/N", "serial_number"),
        ("Serien-Nr.", "serial_number"),
        ("Serial No", "serial_number"),
        ("Seriennummer", "serial_number"),
        ("Device ID", "device_name"),
        ("Gerätename", "device_name"),
        ("Gerätekennung", "device_name"),
        ("Modem IMEI", "imei"),
        ("SIM-Karte", "iccid"),
        ("MAC-Adresse", "mac"),
        ("MAC Address", "mac"),
        ("Hardwarestand", "hardware_revision"),
        ("HW Rev.", "hardware_revision"),
        ("Hardware revision", "hardware_revision"),
        ("Fertigungsdatum", "manufactured_on"),
        ("Mfg. date", "manufactured_on"),
        ("Manufactured on", "manufactured_on"),
        ("Geheimnis", "secret"),
        ("Device Secret", "secret"),
        ("Device key", "secret"),
        ("Bemerkung", "notes"),
        ("Remark", "notes"),
        ("Notes", "notes"),
    ],
)
def test_a_column_is_recognized_in_both_languages_whichever_is_active(label, name, language):
    with translation.override(language):
        assert find_header([(1, [label])], COLUMNS).mapping == {0: name}


def test_no_two_columns_claim_the_same_header():
    claimed: dict[str, str] = {}
    for column in COLUMNS:
        for alias in (column.name, str(column.label), *column.aliases):
            (name,) = find_header([(1, [alias])], COLUMNS).mapping.values()
            assert name == column.name, alias
            assert claimed.setdefault(alias, name) == name


def test_every_column_has_a_cleaner():
    assert [column.name for column in COLUMNS] == list(CLEANERS)
