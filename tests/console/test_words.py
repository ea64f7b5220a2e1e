"""A name is found by any of its words, with or without accents; and what may be stored can be searched."""

import importlib

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claims.profiles.actions import profiles as claim_profiles
from console import finding, words
from console.models import NameWord
from console.search import find_all
from customers.directory import actions as customers
from customers.directory import word_check
from customers.directory.fields import CustomerField
from customers.models import Customer
from devices.actions import products
from tests import factories

pytestmark = pytest.mark.django_db
# Each a name as a form takes it.
STORED = [
    "Henrik Aalto",
    "Łukasz Żółć",
    "Ørsted A/S",
    "Đorđe Petrović",
    "Straße 5 GmbH",
    "IŞIK Ltd",
    "Müller-Lüdenscheid & Söhne",
    "Cafe\u0301 Noir",
    "100 % Strom",
    "a_b",
    'O\'Brien "Bob"',
    "back\\slash",
    "🔧 Fix-It",
    "👩\u200d🔧",
    "日本 水道",
    "Ελλάδα",
    "%",
    "_",
    "--",
    "\u0e19\u0e49\u0e33",
    "Æther œuvre",
    "x" * 120,
    "ﬁne print",
    "½ Preis",
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Henrik Aalto", ["henrik", "aalto"]),
        ("  Łukasz   ŻÓŁĆ ", ["lukasz", "zolc"]),
        ("Straße", ["strasse"]),
        ("Müller-Lüdenscheid", ["muller-ludenscheid", "muller", "ludenscheid"]),
        ("“Aalto”,", ["aalto"]),
        ("100 % Strom", ["100", "%", "strom"]),
        ("Aalto aalto", ["aalto"]),
        ("", []),
        ("\u0301", []),
        ("x" * 90, ["x" * 60]),
    ],
)
def test_the_words_of_a_name(name, expected):
    assert words.of(name) == expected


@pytest.fixture
def named(actor):
    by = actor("owner")
    return lambda name: customers.create(by=by, name=name, kind="company")


def found(api, text: str) -> list[str]:
    answer = api.get("/customers", q=text)
    assert answer.status_code == 200, text
    return sorted(row["name"] for row in answer.json()["results"])


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("Henrik Aalto", ["Aalto", "aalt", "HENRIK", "aalto henrik", "henrik aalto", "hen aal", "Åalto"]),
        ("Łukasz Żółć", ["Lukasz", "łukasz", "zolc", "ŻÓŁĆ lukasz"]),
        ("Ørsted A/S", ["orsted", "Ørsted", "a/s", "A/S Ørsted"]),
        ("Straße 5 GmbH", ["strasse", "STRASSE", "gmbh 5", "Straße"]),
        ("IŞIK Ltd", ["isik", "ışık", "işik"]),
        ("Cafe\u0301 Noir", ["café", "cafe", "CAFÉ NOIR"]),
        ("Müller-Lüdenscheid & Söhne", ["ludenscheid", "muller-lud", "sohne muller", "müller-lüdenscheid"]),
    ],
)
def test_a_name_is_found_by_any_of_its_words_at_every_door(name, texts, named, api, alice, client_for):
    customer = named(name)
    named("Stadtwerke Ulm")
    client = client_for(alice)
    by = factories.actor_of(alice)
    for text in texts:
        assert found(api, text) == [customer.name], text
        page = client.get(reverse("customers:customer_list"), {"q": text})
        assert [row.pk for row in page.context["page"].rows] == [customer.pk], text
        assert [hit.title for hit in find_all(by, text, 5)] == [customer.name], text
        options = client.get(reverse("customers:customer_options"), {"field": "customer", "customer": text})
        assert f"({customer.pk})" in options.content.decode(), text
        assert CustomerField(queryset=Customer.objects.visible_to(by)).clean(text) == customer, text
    assert found(api, "aalto ulm") == []
    assert found(api, "alto") == []


@pytest.mark.parametrize("name", STORED)
def test_everything_that_can_be_stored_can_be_searched(name, named, api, alice, client_for):
    customer = named(name)
    named("Stadtwerke Ulm")
    assert found(api, name[:64]) == [customer.name]
    page = client_for(alice).get(reverse("customers:customer_list"), {"q": name})
    assert [row.pk for row in page.context["page"].rows] == [customer.pk]
    assert customer.get_absolute_url() in [hit.url for hit in find_all(factories.actor_of(alice), name, 5)]


def test_no_text_finds_what_another_organization_has(named, api, other_organization):
    factories.make_customer(other_organization, "Henrik Aalto")
    assert found(api, "aalto") == []


def test_a_new_name_takes_the_place_of_the_old_one(named, api, actor):
    customer = named("Henrik Aalto")
    customers.edit(customer, by=actor("owner"), name="Henrik Virtanen")
    assert (found(api, "aalto"), found(api, "virtanen")) == ([], ["Henrik Virtanen"])
    customers.edit(customer, by=actor("owner"), notes="x")
    assert found(api, "virtanen") == ["Henrik Virtanen"]


def test_an_import_keeps_the_words_of_new_and_changed_names(api):
    new = api.post("/customer-imports", {"csv": "name,reference\nHenrik Aalto,C-1\n"})
    assert new.status_code in {200, 201}, new.content
    assert found(api, "aalto") == ["Henrik Aalto"]
    api.post("/customer-imports", {"csv": "name,reference\nHenrik Virtanen,C-1\n"})
    assert (found(api, "aalto"), found(api, "virtanen")) == ([], ["Henrik Virtanen"])


def test_products_and_profiles_are_found_by_any_word(actor, api):
    by = actor("owner")
    product = products.create(by=by, name="Aqua Zähler", slug="az")
    profile = claim_profiles.create(by=by, name="Winter Gewährleistung", slug="wg")
    assert [hit.title for hit in find_all(by, "zahler", 5)] == [product.name]
    assert [hit.title for hit in find_all(by, "gewahr", 5)] == [profile.name]
    assert [row["slug"] for row in api.get("/claim-profiles", q="gewahr winter").json()["results"]] == ["wg"]
    products.edit(product, by=by, name="Aqua Meter")
    claim_profiles.edit(profile, by=by, name="Sommer")
    assert find_all(by, "zahler", 5) == find_all(by, "gewahr", 5) == []


def test_very_many_of_one_word_are_all_found(named, api, monkeypatch, organization):
    """Beyond some number they are asked for row by row, in the order of the list."""
    monkeypatch.setattr(finding, "FEW", 3)
    for number in range(6):
        factories.make_customer(organization, f"Werk {number} Nord")
    factories.make_customer(organization, "Werk Süd")
    assert found(api, "nord") == [f"Werk {number} Nord" for number in range(6)]
    assert found(api, "nord werk") == [f"Werk {number} Nord" for number in range(6)]
    assert found(api, "werk sud") == ["Werk Süd"]


def test_a_search_of_words_uses_an_index(organization):
    if connection.vendor != "sqlite":
        pytest.skip("small tables are read whole on PostgreSQL, whatever index there is")
    plan = words._beginning("customer", "aalto").values_list("row_id").explain()
    assert "name_word_by_word" in plan


def test_words_that_do_not_match_their_names_are_reported(named):
    customer = named("Henrik Aalto")
    NameWord.objects.filter(row_id=customer.pk, word="aalto").delete()
    assert word_check.check() == [f"The name of customer {customer.pk} is found by other words than it has."]
    words.write("customer", {customer.pk: "Henrik Aalto"})
    assert word_check.check() == []


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        ("customers.migrations.0009_words_of_customers", "customer"),
        ("devices.migrations.0051_words_of_products", "product"),
    ],
)
def test_names_that_were_there_before_are_found_too(module, kind, customer, product, api):
    NameWord.objects.all().delete()
    migration = importlib.import_module(module)
    with transaction.atomic():
        migration.fill(apps, None)
    assert set(NameWord.objects.values_list("kind", flat=True)) == {kind}
    for other, row in (("customer", customer), ("product", product)):
        words.write(other, {row.pk: row.name})


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=60))
def test_any_text_has_words_that_it_begins_with(text):
    """Whatever may be typed: of a stored name, each word asked for begins one that is kept."""
    kept = words.of(text)
    asked = [words._bare(piece)[: words.LONGEST] for piece in words.plain(text).split()]
    assert all(any(word.startswith(each) for word in kept) for each in asked)
    assert all(word and len(word) <= words.LONGEST for word in kept)
