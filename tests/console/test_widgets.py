"""The widgets that are drawn by hand: they say what Django's own ones say."""

from html.parser import HTMLParser

import pytest
from django import forms

from console.widgets import Checkboxes, Choice

CHOICES = [("", "---------"), ("1", 'Aqua <b>"Meter"</b> & Co'), ("2", "Gateway"), (3, "Dreißig")]
PAIRS = [(Checkboxes, forms.CheckboxSelectMultiple), (Choice, forms.Select)]


class Parts(HTMLParser):
    """The elements and texts of a page, without the layout."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, sorted((name, value) for name, value in attrs)))

    def handle_data(self, data):
        if data.strip():
            self.found.append(data.strip())


@pytest.mark.parametrize(("ours", "stock"), PAIRS)
@pytest.mark.parametrize("value", [None, [], ["2"], ["1", "3"], ["nothing"]])
def test_what_is_drawn_by_hand_says_what_djangos_own_widget_says(ours, stock, value):
    if ours is Choice:
        value = value[0] if value else None
    drawn, expected = (
        Parts(widget(choices=CHOICES).render("product", value, {"id": "id_product"})).found for widget in (ours, stock)
    )
    assert drawn == expected


def test_a_label_that_looks_like_markup_stays_text():
    assert "<b>" not in Checkboxes(choices=CHOICES).render("product", None)
