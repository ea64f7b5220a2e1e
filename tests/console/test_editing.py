"""Every form that edits something, opened before another person saved: nothing is overwritten unseen.

The forms come from the routes: what edits is called so. A new one without a line here fails.
"""

from typing import Any

import pytest
from django.urls import reverse

from console import editing
from tests import factories, forms
from tests.access_world import rows
from tests.test_access import address, routes

pytestmark = pytest.mark.django_db

# By route and part of its page: its arguments, a field with what the other person and this one make of it, and another
# field that only this person changes, where there is one.
FORMS: dict[tuple[str, str], tuple[dict[str, str], tuple[str, str, str], tuple[str, str] | None]] = {
    ("console:account_edit", ""): ({}, ("name", "Theirs", "Mine"), ("time_zone", "Asia/Tokyo")),
    ("console:organization_edit", ""): ({}, ("brand_name", "Theirs", "Mine"), ("support_note", "9-5")),
    ("console:member_edit", ""): ({"pk": "member"}, ("role", "support", "fulfilment"), None),
    ("console:webhook_edit", ""): ({"pk": "webhook"}, ("description", "Theirs", "Mine"), ("message_names", "level")),
    ("customers:customer_edit", ""): ({"pk": "customer"}, ("name", "Theirs", "Mine"), ("phone", "+49 7361 1")),
    ("customers:customer_user_edit", ""): (
        {"pk": "customer", "user_pk": "person"},
        ("role", "viewer", "operator"),
        None,
    ),
    ("customers:project_edit", ""): ({"pk": "customer", "project_pk": "project"}, ("name", "Theirs", "Mine"), None),
    ("portal:project_edit", ""): ({"pk": "project"}, ("name", "Theirs", "Mine"), None),
    ("devices:product_edit", ""): ({"pk": "product"}, ("name", "Theirs", "Mine"), ("platform", "ESP32")),
    ("devices:device_edit", ""): ({"pk": "device"}, ("tags", "theirs", "mine"), ("notes", "Shelf 4")),
    ("claims:claim_profile_edit", ""): ({"pk": "profile"}, ("max_claims", "5", "7"), ("description", "New")),
    ("claims:shipment_edit", ""): ({"pk": "shipment"}, ("order_number", "PO-1", "PO-2"), ("ship_to", "Dock 4")),
    ("claims:return_settings", "slip"): ({}, ("address", "Dock 1", "Dock 2"), ("note", "Wrap it")),
    ("claims:return_settings", "reasons"): ({}, ("reason-0-text", "Broken", "Wet"), None),
    ("claims:return_settings", "checks"): ({}, ("check-0-text", "Case", "Box"), None),
}
TWO_FIELDS = [key for key, (_arguments, _both, own) in FORMS.items() if own]


@pytest.fixture
def world(organization, device, customer, dana, product, alice, make_devices):
    return rows(organization, device, customer, dana, product, alice, make_devices(1)[0])


@pytest.fixture
def page(world, client_for, alice, dana):
    """Opens the form of a key; two of them are two people who opened it at the same time."""

    class Page:
        def __init__(self, key: tuple[str, str]) -> None:
            self.part = key[1]
            self.url = address(key[0], FORMS[key][0], world)
            self.client = client = client_for(dana if key[0].startswith("portal:") else alice)
            self.form = forms.opened(client, self.url, self.part)

        def send(self, **values: Any) -> Any:
            return self.client.post(self.url, self.form | forms.changed(values))

        def again(self, answer: Any) -> Any:
            """Press the button once more in the page that came back."""
            return self.client.post(self.url, forms.shown_in(answer, self.part))

        def now(self) -> dict[str, list[str]]:
            return forms.opened(self.client, self.url, self.part)

    return Page


def test_every_edit_form_is_in_the_table():
    edits = {name for name in routes() if name.endswith(("_edit", ":return_settings"))}
    assert {name for name, _part in FORMS} == edits


@pytest.mark.parametrize("key", FORMS, ids=":".join)
def test_a_field_that_both_changed_is_shown_with_both_values_and_saved_only_when_sent_again(page, key):
    field, theirs, mine = FORMS[key][1]
    first, second = page(key), page(key)
    assert first.send(**{field: theirs}).status_code == 302
    answer = second.send(**{field: mine})
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "Someone else changed this while you were editing it. Nothing is saved yet." in text
    assert "Now: " in text
    assert " · Yours: " in text
    assert second.now()[field] == [theirs]
    assert second.again(answer).status_code == 302
    now = second.now()
    # A line of a list that was new for both stands beside the other's.
    assert [mine] in now.values() if "-" in field else now[field] == [mine]


@pytest.mark.parametrize("key", TWO_FIELDS, ids=":".join)
def test_a_field_that_only_the_other_person_changed_stays_and_is_reported(page, key):
    _arguments, (field, theirs, _mine), (own, value) = FORMS[key]
    first, second = page(key), page(key)
    assert first.send(**{field: theirs}).status_code == 302
    answer = second.send(**{own: value})
    assert answer.status_code == 302
    now = second.now()
    assert (now[field], now[own]) == ([theirs], [value])


def test_keeping_another_persons_change_is_reported(page, client_for, alice):
    first, second = page(("devices:product_edit", "")), page(("devices:product_edit", ""))
    first.send(name="Theirs")
    answer = second.send(platform="ESP32")
    said = client_for(alice).get(answer.url)
    assert said.status_code == 200
    text = " ".join(str(message) for message in answer.wsgi_request._messages)
    assert text == "Someone else changed this in the meantime: Name. Their change was kept."


@pytest.mark.parametrize("key", TWO_FIELDS, ids=":".join)
def test_without_the_digests_the_others_change_is_lost(page, key, monkeypatch):
    """The negative control: the page is taken for one that was opened just now."""
    now = editing._parts
    seen: dict[str, str] = {}

    def parts(form: Any) -> Any:
        found = now(form)
        seen.update({part: editing._digest(value) for part, value in found.items()})
        return found

    _arguments, (field, theirs, _mine), (own, value) = FORMS[key]
    first, second = page(key), page(key)
    first.send(**{field: theirs})
    monkeypatch.setattr(editing, "_parts", parts)
    monkeypatch.setattr(editing, "_read", lambda text: seen)
    second.send(**{own: value})
    assert second.now()[field] != [theirs]


def test_both_values_are_said_in_the_words_of_the_form(page, alice, world, organization):
    key = ("devices:product_edit", "")
    lab = factories.make_customer(organization, "Lab", kind="internal")
    first, second, third = page(key), page(key), page(key)
    first.send(ownership_mode="single_account", single_account=lab.pk)
    answer = second.send(ownership_mode="unowned")
    assert answer.context["form"].errors["ownership_mode"] == [
        "Now: Single account: new devices belong to one internal account · Yours: Unowned: devices need no owner"
    ]
    assert "single_account" not in answer.context["form"].errors
    other = factories.make_customer(organization, "Workshop", kind="internal")
    answer = third.send(ownership_mode="single_account", single_account=other.pk)
    assert answer.context["form"].errors["single_account"] == ["Now: Lab · Yours: Workshop"]


def test_a_box_that_both_ticked_is_no_difference(page):
    key = ("devices:device_edit", "")
    first, second = page(key), page(key)
    assert first.send(is_development=True).status_code == 302
    assert second.send(is_development=True, notes="Shelf 4").status_code == 302
    assert (second.now()["is_development"], second.now()["notes"]) == (["on"], ["Shelf 4"])


def test_a_form_without_its_digests_is_refused_and_changes_nothing(page, world):
    key = ("devices:product_edit", "")
    answer = page(key).send(shown=None, name="Mine")
    assert answer.status_code == 422
    assert "Part of this form is missing. Reload the page" in answer.content.decode()
    world["product"].refresh_from_db()
    assert world["product"].name == "Aqua Meter"


def test_lines_of_an_order_that_two_people_fill_are_both_kept(page, organization, world):
    gateway = factories.make_product(organization, "Gateway")
    key = ("claims:shipment_edit", "")
    first, second = page(key), page(key)
    first.send(**{f"expected_{gateway.pk}": "3"})
    assert second.send(**{f"expected_{world['product'].pk}": "9"}).status_code == 302
    lines = dict(world["shipment"].lines.values_list("product__name", "expected"))
    assert lines == {"Gateway": 3, "Aqua Meter": 9}


def test_a_reason_keeps_its_place_though_another_was_put_before_it(page, client_for, alice):
    """A line is known by its reason, not by its place: another's order must not give it another name."""
    key = ("claims:return_settings", "reasons")
    page(key).send()
    client = client_for(alice)
    url = reverse("claims:return_settings")
    client.post(url, forms.opened(client, url, "reasons") | {"reason-0-text": "Faulty"})
    mine = page(key)
    page(key).send(**{"reason-0-position": "9", "reason-1-position": "1"})
    answer = mine.send(**{"reason-0-text": "Defect"})
    assert answer.status_code == 409
    assert mine.again(answer).status_code == 302
    from claims.models import ReturnReason

    assert sorted(ReturnReason.objects.values_list("name", flat=True))[:3] == [
        "Damaged in transit",
        "Defect",
        "End of contract",
    ]
