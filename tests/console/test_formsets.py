"""Rows within a form: they grow and shrink without JavaScript, and are counted by the names of their fields."""

import pytest
from django import forms
from django.template import engines

from console.formsets import rows_of


class Line(forms.Form):
    title = forms.CharField()
    role = forms.ChoiceField(choices=[("admin", "Admin"), ("viewer", "Viewer")], initial="viewer")

    def __init__(self, *args, hint="", **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["title"].help_text = hint


LINES = rows_of(Line, most=4, extra=2)


def names(rows):
    return [form.prefix for form in rows]


def line(number, title, role="viewer"):
    return {f"lines-{number}-title": title, f"lines-{number}-role": role}


def test_a_new_list_shows_its_rows_and_the_spare_ones():
    assert names(LINES(None, prefix="lines", initial=[])) == ["lines-0", "lines-1"]
    rows = LINES(None, prefix="lines", initial=[{"title": "Manual", "role": "admin"}])
    assert names(rows) == ["lines-0", "lines-1", "lines-2"]
    assert [form["title"].value() for form in rows] == ["Manual", None, None]
    assert [form["role"].value() for form in rows] == ["admin", "viewer", "viewer"]
    assert (rows.is_filled, LINES(None, prefix="lines", initial=[]).is_filled) == (True, False)


def test_a_template_shows_the_spare_rows_of_a_list_that_has_none():
    """Django's `for` asks for the length first; the pages of a new profile had no rows to fill in."""
    page = engines["django"].from_string("{% for row in rows %}{{ row.prefix }} {% endfor %}")
    assert page.render({"rows": LINES(None, prefix="lines", initial=[])}) == "lines-0 lines-1 "
    full = line(0, "a") | line(1, "b") | line(2, "c") | line(3, "d")
    assert page.render({"rows": LINES(full, prefix="lines", initial=[])}) == "lines-0 lines-1 lines-2 lines-3 "


def test_every_row_gets_what_the_list_was_made_with():
    rows = LINES(None, prefix="lines", initial=[{"title": "Manual"}], hint="As printed")
    assert [form.fields["title"].help_text for form in rows] == ["As printed"] * 3


def test_empty_rows_do_not_exist_and_need_no_management_form():
    rows = LINES(line(0, "") | line(1, "Manual", "admin") | line(2, ""), prefix="lines", initial=[])
    assert rows.is_valid()
    assert rows.filled == [{"title": "Manual", "role": "admin"}]
    assert names(rows) == ["lines-0", "lines-1", "lines-2"]


def test_full_rows_bring_new_spare_ones_that_show_what_new_rows_show():
    rows = LINES(line(0, "Manual") | line(1, "Poster"), prefix="lines", initial=[])
    assert rows.is_valid()
    assert names(rows) == ["lines-0", "lines-1", "lines-2", "lines-3"]
    assert [form["role"].value() for form in rows.spare] == ["viewer", "viewer"]
    assert len(rows.filled) == 2


def test_a_wrong_row_says_so_at_its_field_and_keeps_its_texts():
    rows = LINES(line(0, "Manual") | line(1, "", "admin"), prefix="lines", initial=[])
    assert not rows.is_valid()
    assert [form.errors for form in rows.forms] == [{}, {"title": ["This field is required."]}]
    assert [form["role"].value() for form in rows.forms] == ["viewer", "admin"]


def test_numbers_may_have_gaps_and_no_row_is_made_up_between_them():
    rows = LINES(line(7, "Poster") | line(2, "Manual"), prefix="lines", initial=[])
    assert rows.is_valid()
    assert (rows.numbers, [row["title"] for row in rows.filled]) == ([2, 7], ["Manual", "Poster"])
    assert names(rows) == ["lines-2", "lines-7", "lines-8", "lines-9"]


def test_of_too_many_rows_the_first_are_taken():
    data = {key: value for number in range(9) for key, value in line(number, str(number)).items()}
    rows = LINES(data, prefix="lines", initial=[])
    assert rows.is_valid()
    assert [row["title"] for row in rows.filled] == ["0", "1", "2", "3"]
    assert not rows.spare


@pytest.mark.parametrize(
    "name", ["lines-²-title", "lines-٣-title", "lines-9999-title", "lines--1-title", "x-0-title", "lines-0"]
)
def test_other_names_are_no_rows(name):
    rows = LINES({name: "Manual"}, prefix="lines", initial=[])
    assert (rows.numbers, rows.filled, rows.is_valid()) == ([], [], True)
