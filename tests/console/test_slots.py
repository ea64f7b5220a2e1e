"""Slots: apps add functions to them, in order, and a wrong one is an error of types."""

import re

import pytest
from django.core.exceptions import ImproperlyConfigured
from mypy import api as mypy

from console import slots
from console.slots import One, Slot


@pytest.fixture(autouse=True)
def _no_slot_outlives_its_test(monkeypatch):
    monkeypatch.setattr(slots, "DECLARED", {})


def double(number: int) -> int:
    return 2 * number


def negate(number: int) -> int:
    return -number


def test_functions_are_called_in_the_order_in_which_they_were_added():
    slot: Slot[[int], int] = Slot("tests.slot")
    assert not slot
    assert slot.call(5) == []
    assert slot.add(double) is double
    slot.add(negate)
    assert list(slot) == [double, negate]
    assert slot.call(5) == [10, -5]


def test_a_lower_order_comes_first_whoever_added_it():
    slot: Slot[[int], int] = Slot("tests.slot")
    slot.add(double, order=20)
    slot.add(abs, order=20)
    slot.add(negate, order=10)
    assert list(slot) == [negate, double, abs]


def test_add_is_a_decorator_too():
    slot: Slot[[int], int] = Slot("tests.slot")

    @slot.add
    def square(number: int) -> int:
        return number * number

    assert slot.call(5) == [25]
    assert square(3) == 9


def test_a_slot_is_declared_by_an_empty_function_that_says_what_it_takes():
    @Slot.declare
    def leaving(name: str, *, by: str) -> None:
        """Someone leaves."""

    heard = []
    leaving.add(lambda name, *, by: heard.append((name, by)))
    leaving.call("Dana", by="Alice")
    assert heard == [("Dana", "Alice")]
    assert leaving.name.startswith("tests.console.test_slots.")
    assert leaving.name.endswith(".leaving")
    assert leaving.__doc__ == "Someone leaves."


def test_a_function_is_added_once():
    slot: Slot[[int], int] = Slot("tests.slot")
    slot.add(double)
    with pytest.raises(ImproperlyConfigured, match=r"test_slots\.double is added twice to the slot tests\.slot\."):
        slot.add(double)
    assert slot.call(5) == [10]


def test_two_slots_do_not_share_a_name():
    Slot("tests.slot")
    with pytest.raises(ImproperlyConfigured, match=r"The slot tests\.slot is declared twice\."):
        One("tests.slot")


def test_a_slot_for_one_function_calls_it_and_takes_no_second():
    slot: One[[int], int] = One("tests.slot")
    slot.add(double)
    assert slot(5) == 10
    with pytest.raises(ImproperlyConfigured, match=r"takes one function and has tests\.console\.test_slots\.double"):
        slot.add(negate)
    assert slot(5) == 10


def test_an_empty_slot_for_one_function_says_how_to_fill_it():
    slot: One[[int], int] = One("tests.slot")
    with pytest.raises(ImproperlyConfigured) as refused:
        slot(5)
    assert str(refused.value) == "The slot tests.slot is empty. Add a function to it in an AppConfig.ready()."


WRONG = """\
from console import clock
from console.slots import One, Slot

followers: Slot[[int], None] = Slot("followers")
find: One[[int], str] = One("find")


@Slot.declare
def leaving(name: str, *, by: int) -> None: ...


def right(change: int) -> None: ...
def other_type(change: str) -> None: ...
def other_result(change: int) -> int: return change
def leave(name: str, *, by: int) -> None: ...
def leave_by_position(name: str, by: int) -> None: ...
def leave_without_by(name: str) -> None: ...


followers.add(right)
leaving.add(leave)
leaving.add(leave_by_position)
followers.add(other_type)  # wrong
followers.add(rigth)  # wrong
followers.add(clock.nwo)  # wrong
find.add(other_result)  # wrong
leaving.add(leave_without_by)  # wrong
followers.call("1")  # wrong
find(1).upper()
find(1).upped()  # wrong
leaving.call("Dana", 1)  # wrong
"""


def test_mypy_finds_a_wrong_signature_and_a_misspelt_name(tmp_path):
    snippet = tmp_path / "wrong.py"
    snippet.write_text(WRONG)
    found, _, _ = mypy.run([str(snippet), "--config-file=", "--cache-dir", str(tmp_path), "--follow-imports=silent"])
    expected = [number for number, line in enumerate(WRONG.splitlines(), start=1) if line.endswith("# wrong")]
    assert sorted({int(number) for number in re.findall(r"wrong\.py:(\d+): error", found)}) == expected, found
