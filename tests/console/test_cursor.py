"""Cursors: texts in addresses that anybody may write, and that stay readable from one version to the next."""

import base64

import pytest

from console import cursor
from console.errors import Refused
from console.listing import _decode
from console.rest.paging import _after, _number
from devices.models import Device


@pytest.mark.parametrize("text", ["", "17", "17 2026-11-30T22:00:00+00:00", '["aqm26-1",17,51,0]'])
def test_a_cursor_gives_back_its_text_and_needs_no_escaping(text):
    made = cursor.encode(text)
    assert cursor.decode(made) == text
    assert made.replace("-", "").replace("_", "").isalnum() or not made


@pytest.mark.parametrize("text", ["é", "x", "=", "%%%", "\0", "A" * 10_001, "w6k", "____"])
def test_what_nothing_of_ours_wrote_is_an_empty_text(text):
    assert cursor.decode(text) == ""


def test_cursors_of_earlier_versions_are_read():
    """They stand in the addresses that people keep, and programs follow a feed for months."""
    assert _decode("WyJhcW0yNi0xIiwxNyw1MSwwXQ", Device, "serial_key") == {
        "value": "aqm26-1",
        "id": 17,
        "at": 51,
        "back": False,
    }
    assert _after("MTc", "", True) == cursor.beyond("pk", None, 17, descending=True)
    assert _number("ZGV2aWNlcy5tZXNzYWdlIDE3", "devices.message") == 17


@pytest.mark.parametrize("number", ["²", "٣", "-1", "1" * 30, ""])
def test_a_cursor_whose_number_is_none_is_refused(number):
    for text in (number, f"devices.message {number}"):
        made = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        with pytest.raises(Refused) as caught:
            _after(made, "", True)
        assert (caught.value.code, caught.value.status) == ("bad_cursor", 422)
        if made:
            with pytest.raises(Refused):
                _number(made, "devices.message")


@pytest.mark.parametrize("text", ["[1,2,3]", "[[1],17,51,0]", '["a",17.5,51,0]', '["a",-1,51,0]', "17", "{}", "", "["])
def test_a_cursor_of_a_list_that_makes_no_sense_is_none(text):
    assert _decode(cursor.encode(text), Device, "id") is None
