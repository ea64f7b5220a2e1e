"""A number is read as the sheet shows it, whatever its format."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.tabular.formats import MAX_CODE, built_in, compile_format


def shown(code: str, value: float | int) -> str:
    """What a cell of this format shows."""
    plain = str(value) if isinstance(value, int) else f"{value:.15g}"
    number = Decimal(value) if isinstance(value, int) else Decimal(repr(value))
    made = compile_format(code)
    return made.show(number, plain).text if made else plain


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        ("General", 12000, "12000"),
        ("@", 12000, "12000"),
        ("0", 12000, "12000"),
        ("0", 12.5, "13"),
        ("0", 0, "0"),
        ("#", 0, ""),
        ("000000", 12000, "012000"),
        ("000000", 1234567, "1234567"),
        ("0.00", 1.1, "1.10"),
        ("0.00", 1.005, "1.01"),
        ("0.00", 2, "2.00"),
        ("0.0#", 1.5, "1.5"),
        (".00", 0.5, ".50"),
        ("0.???", 1.5, "1.5"),
        ("00.00", 1.5, "01.50"),
        ("00\\-0000", 120034, "12-0034"),
        ("00\\-0000", 34, "00-0034"),
        ("00\\-0000", 1234567, "123-4567"),
        ('00"-"0000', 120034, "12-0034"),
        ("000-00-0000", 123456789, "123-45-6789"),
        ("(000) 000-0000", 4155551234, "(415) 555-1234"),
        ("000\\.000\\.000", 12034056, "012.034.056"),
        ('"SN"00000', 12, "SN00012"),
        ('"SN-"0" rev "0', 42, "SN-4 rev 2"),
        ('General" pcs"', 7, "7 pcs"),
        ('"V"0.0', 1.25, "V1.3"),
        ("\\V0.0", 1.2, "V1.2"),
        ('0.0"."0', 1.23, "1.2.3"),
        ("#,##0", 1234567, "1,234,567"),
        ("#,##0", 12, "12"),
        ("#,##0.00", -1234.5, "-1,234.50"),
        ("0,", 12345, "12"),
        ("00000000;-00000000", 4711, "00004711"),
        ("00000000;-00000000", -4711, "-00004711"),
        ('0;"minus "0;"none"', -5, "minus 5"),
        ('0;"minus "0;"none"', 0, "none"),
        ("0;;", 0, ""),
        ("0;;", -5, "-5"),
        (";;;", 7, "7"),
        ("0.00%", 0.1234, "12.34%"),
        ("0%", 0.5, "50%"),
        ("[Red]000", 7, "007"),
        ("[$€-407] 0.00", 3, "€ 3.00"),
        ("_-* #,##0_-;\\-* #,##0_-", -12345, "-12,345"),
        ("0.000", -0.0001, "0.000"),
        ("[<=9999999]###\\-####;\\(###\\)\\ ###\\-####", 5551234, "555-1234"),
        ("[<=9999999]###\\-####;\\(###\\)\\ ###\\-####", 4155551234, "(415) 555-1234"),
        ('[=1]"yes";[=0]"no";0', 1, "yes"),
        ('[=1]"yes";[=0]"no";0', 0, "no"),
        ('[=1]"yes";[=0]"no";0', 7, "7"),
        ("[<0]\\(0\\);0", -3, "(3)"),
        # Exponents and fractions are no way to write an identifier.
        ("0.00E+00", 123456789012345, "123456789012345"),
        ("# ?/?", 0.5, "0.5"),
        ("##0.0E+0", 12345, "12345"),
    ],
)
def test_a_number_is_what_its_format_shows(code, value, expected):
    assert shown(code, value) == expected


@pytest.mark.parametrize(
    ("code", "is_date"),
    [
        ("General", False),
        ("0.00", False),
        ("0.00E+00", False),
        ("#,##0", False),
        ("@", False),
        ('0" days"', False),
        ("[Red]0", False),
        ("0", False),
        ("_-* 0_-;\\-* 0_-", False),
        ("000000", False),
        ("\\d0", False),
        ("[$-409]d\\-mmm\\-yy", True),
        ("dd.mm.yyyy", True),
        ("yyyy/mm/dd;@", True),
        ("[h]:mm", True),
        ("h:mm AM/PM", True),
    ],
)
def test_a_number_format_is_a_date_only_where_it_shows_one(code, is_date):
    made = compile_format(code)
    assert bool(made and made.is_date) is is_date


@pytest.mark.parametrize(
    ("number", "value", "expected"),
    [(1, 12, "12"), (2, 1.1, "1.10"), (3, 12345, "12,345"), (9, 0.5, "50%"), (37, -12345, "-12,345")],
)
def test_the_formats_that_no_workbook_spells_out_are_known(number, value, expected):
    assert built_in(number).show(Decimal(repr(value)), str(value)).text == expected


def test_general_and_unknown_formats_show_the_digits_and_dates_are_dates():
    assert (built_in(0), built_in(11), built_in(12), built_in(49), built_in(9999)) == (None,) * 5
    assert built_in(14).is_date


def test_digits_that_a_format_lays_out_have_lost_no_zero_and_thousands_are_no_part_of_an_identifier():
    assert compile_format("00\\-0000").show(Decimal(34), "34").is_laid_out
    assert compile_format('"SN"0').show(Decimal(34), "34").is_laid_out
    assert not compile_format("#").show(Decimal(34), "34").is_laid_out
    grouped = compile_format("#,##0").show(Decimal(12000), "12000")
    assert (grouped.text, grouped.ungrouped, grouped.is_laid_out) == ("12,000", "12000", False)


def test_a_text_format_puts_its_own_text_around():
    assert compile_format('"SN-"@').around_text == ("SN-", "")
    assert compile_format('0;0;0;@" (old)"').around_text == ("", " (old)")
    assert compile_format("0;0;0;@").around_text is None


def test_a_format_longer_than_excel_permits_is_none():
    assert compile_format("0" * MAX_CODE) is not None
    assert compile_format("0" * (MAX_CODE + 1)) is None


@settings(max_examples=300, deadline=None)
@given(
    code=st.text(st.sampled_from('0#?.,;%/@E+-"\\_*[]<>=$ xgdGeneral'), max_size=20),
    value=st.one_of(st.integers(-(10**22), 10**22), st.floats(-1e15, 1e15, allow_nan=False)),
)
def test_any_format_shows_something_or_the_digits(code, value):
    assert isinstance(shown(code, value), str)
