"""The search for everything, from the keyboard and from a scanner."""

import pytest
from django.urls import reverse

from console.search import Hit, clean, find_all, only, sources
from tests import factories

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "search-results"}


def hit(title: str, rank: int = 1) -> Hit:
    return Hit(kind="Device", icon="cpu", title=title, url=f"/{title}/", rank=rank)


@pytest.fixture
def search(client_for, alice):
    client = client_for(alice)
    return lambda text, **more: client.get(reverse("console:search"), {"q": text, **more})


def test_a_scanned_serial_number_opens_the_device(search, device):
    factories.make_device(device.product, "AQM26-1000001")
    assert search("aqm26-100000\r\n").url == device.get_absolute_url()
    assert search(device.device_name.upper()).url == device.get_absolute_url()


def test_the_only_hit_is_opened(search, device, customer):
    assert search("stadtw").url == customer.get_absolute_url()


def test_several_hits_are_a_page(search, product, make_devices):
    first, second = make_devices(2)
    response = search("AQM26-")
    assert response.status_code == 200
    assert [each.title for each in response.context["hits"]] == sorted([first.serial_number, second.serial_number])


def test_all_results_are_a_page_even_for_one_hit(search, device):
    assert search(device.serial_number, all="1").status_code == 200


def test_one_serial_of_two_products_is_a_choice(search, device, organization):
    factories.make_device(factories.make_product(organization, "Edge Gateway"), device.serial_number)
    response = search(device.serial_number)
    assert len(response.context["hits"]) == 2


def test_while_typing_there_is_a_short_list_whose_first_entry_is_marked(client_for, alice, make_devices):
    make_devices(8)
    response = client_for(alice).get(reverse("console:search"), {"q": "AQM26"}, headers=HTMX)
    html = response.content.decode()
    assert "<html" not in html
    assert html.count('class="first"') == 1
    assert len(response.context["hits"]) == 5
    assert 'data-query="AQM26"' in html


@pytest.mark.parametrize("text", ["", "   ", "\t\r\n", "\u0000"])
def test_no_text_asks_nobody(client_for, alice, monkeypatch, text):
    monkeypatch.setattr(sources, "entries", [(0, not_to_be_asked)])
    client = client_for(alice)
    response = client.get(reverse("console:search"), {"q": text})
    assert response.status_code in {200, 400}
    assert client.get(reverse("console:search"), headers=HTMX).content.strip().endswith(b"#}") is False


def not_to_be_asked(*args):
    raise AssertionError


def test_nothing_found_says_so(search):
    assert "Nothing found" in search("zzz").content.decode()


def test_long_and_odd_text_is_no_error(search):
    for text in (
        "x" * 5000,
        "%",
        "_",
        "'; DROP TABLE",
        "\u202e",
        "\U0001f600",
        "1" * 400,
        "AQM26-100000" * 30,
        "c/" + "A" * 26,
    ):
        assert search(text).status_code in {200, 302}
    assert clean("x" * 5000) == "x" * 200


def test_what_is_found_is_text_and_never_markup(search, organization):
    factories.make_customer(organization, "<script>alert(1)</script>")
    factories.make_customer(organization, "<script>alert(2)</script>")
    assert "<script>alert" not in search("<script>").content.decode()


def test_others_find_nothing(client_for, charlie, device, customer):
    client = client_for(charlie)
    for text in (device.serial_number, device.device_name, customer.name):
        assert client.get(reverse("console:search"), {"q": text}).context["hits"] == []


def test_exact_hits_come_first(monkeypatch, actor):
    monkeypatch.setattr(sources, "entries", [(0, vague), (0, exact)])
    assert [each.title for each in find_all(actor("viewer"), "x", 2)] == ["x", "x1", "x2"]


def vague(actor, text, limit):
    return [hit("x1"), hit("x2"), hit("x3")]


def exact(actor, text, limit):
    return [hit("x", rank=0)]


def test_the_one_that_was_meant():
    assert only([]) is None
    assert only([hit("a")]) == hit("a")
    assert only([hit("a"), hit("b")]) is None
    assert only([hit("a", 0), hit("b")]) == hit("a", 0)
    assert only([hit("a", 0), hit("b", 0)]) is None
    assert only([hit("a", 0), hit("a", 0), hit("b")]) == hit("a", 0)
