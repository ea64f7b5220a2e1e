"""Numbers in texts: ids that anybody may send, and the numbers of shipments and returns."""

import pytest

from claims.models import Return, Shipment
from console import slugs
from console.models import Organization
from console.numbers import Series, id_of, ids_of, next_number, whole

# Python takes some of them for digits, and `int` some of them for numbers; a column of ids holds none of the last two.
HOSTILE = [
    "",
    " ",
    "²",
    "٣",
    "１",
    "-1",
    "+1",
    "1_0",
    "1.0",
    " 1",
    "1\n",
    "0x1",
    "1e3",
    "½",
    "\0",
    "9" * 19,
    "9" * 5_000,
]


@pytest.mark.parametrize("text", [*HOSTILE, None, True, ["1"]])
def test_a_text_that_is_no_plain_number_is_no_id(text):
    assert id_of(text) is None


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("007", 7), (17, 17), ("9" * 18, 10**18 - 1)])
def test_up_to_eighteen_ascii_digits_are_an_id(text, number):
    assert id_of(text) == number == whole(str(text))


def test_ids_are_read_between_commas_in_their_order_and_each_once():
    assert ids_of(["3, 1", "3", *HOSTILE, "²,2", "x"]) == [3, 1, 2]


def test_a_key_names_an_id_where_it_is_a_number_and_a_slug_else():
    assert slugs.named("17") == {"pk": 17}
    assert slugs.named("meter") == {"slug": "meter"}
    assert slugs.named("٣") == {"slug": "٣"}
    assert slugs.named("17", pk="profile", slug="profile__slug") == {"profile": 17}
    assert slugs.named("meter", pk="profile", slug="profile__slug") == {"profile__slug": "meter"}


@pytest.mark.parametrize(
    ("text", "number"), [("R-00017", 17), ("r17", 17), (" R-17 ", 17), ("R999999999", 999_999_999)]
)
def test_a_number_is_read_as_people_write_it(text, number):
    assert Series("R").number(text) == Series("R").number(text, needs_letter=False) == number


def test_a_number_without_its_letter_counts_only_where_none_is_needed():
    assert Series("R").number("17") is None
    assert Series("R").number("00017", needs_letter=False) == 17


@pytest.mark.parametrize(
    "text",
    [*HOSTILE[:3], *HOSTILE[4:], "R-", "R-0", "R--1", "S-1", "R-٣", "R-²", "R-1x", "R-" + "9" * 10, "R-" + "9" * 30],
)
def test_a_text_that_is_not_a_number_of_the_series_is_none(text):
    assert Series("R").number(text) is None


def test_papers_are_called_by_letter_and_number():
    assert Shipment(number=17).code == "S-00017"
    assert Return(number=123_456).code == "R-123456"


@pytest.mark.django_db
def test_the_next_number_is_the_one_after_the_last_of_the_organization(alice, customer):
    mine = customer.organization
    other = Organization.objects.create(name="Other")
    assert next_number(Shipment, mine.pk) == 1
    Shipment.objects.create(organization=mine, customer=customer, number=41)
    assert next_number(Shipment, mine.pk) == 42
    assert next_number(Return, mine.pk) == 1
    assert next_number(Shipment, other.pk) == 1
