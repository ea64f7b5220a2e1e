"""Customers' pages are in German too: everything is translated, and the compiled catalog matches the source."""

import re

import polib
import pytest
from django.test import Client
from django.urls import reverse

from script import messages
from tests.claims import worlds
from tests.claims.phone import ask_for_code, mailed_code, printed, scan

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")
GERMAN = {"headers": {"accept-language": "de-DE,de;q=0.9,en;q=0.5"}}


def written() -> dict:
    return {(entry.msgid, entry.msgid_plural): entry for entry in polib.pofile(str(messages.PO))}


def test_the_compiled_catalog_matches_the_source():
    compiled = {(entry.msgid, entry.msgid_plural): entry for entry in polib.mofile(str(messages.PO.with_suffix(".mo")))}
    translated = {key: entry for key, entry in written().items() if entry.translated()}
    assert set(compiled) == set(translated)
    for key, entry in translated.items():
        assert compiled[key].msgstr == entry.msgstr
        assert {int(n): text for n, text in compiled[key].msgstr_plural.items()} == entry.msgstr_plural


def test_everything_that_customers_read_is_translated():
    """Run script/messages, translate what it names in locale/de/LC_MESSAGES/django.po, and run it again."""
    known = written()
    missing = {
        key: names
        for key, names in messages.extract(messages.CUSTOMERS).items()
        if key not in known or not known[key].translated() or known[key].fuzzy
    }
    assert missing == {}


@pytest.mark.parametrize("pattern", [*messages.CUSTOMERS, *messages.AROUND])
def test_every_pattern_of_the_catalog_matches_a_file(pattern):
    """Otherwise a moved file would silently drop out of the catalog."""
    assert any(path.is_file() for path in messages.ROOT.glob(pattern))


def test_every_placeholder_survives_translation():
    for (one, many), entry in written().items():
        pairs = [(one, entry.msgstr)] if not many else [(one, entry.msgstr_plural[0]), (many, entry.msgstr_plural[1])]
        for english, german in pairs:
            assert not german or set(PLACEHOLDER.findall(german)) == set(PLACEHOLDER.findall(english)), english


def test_the_extractor_finds_both_kinds_of_template_tags_and_python_calls():
    found = messages.extract(["templates/portal/*", "templates/claims/redemption/*", "claims/redemption/forms.py"])
    assert ("Your devices", "") in found
    assert ("%(n)s device", "%(n)s devices") in found
    assert ("since", "") in found
    assert ("Code on the label", "") in found


@pytest.mark.django_db
def test_a_german_browser_gets_german_claim_pages(device):
    profile = worlds.make_unit_profile(device.product)
    phone = Client(**GERMAN)
    assert "Gerät übernehmen" in phone.get("/c/").content.decode()
    scan(phone, printed(profile, device).link)
    landing = phone.get("/c/").content.decode()
    assert '<html lang="de">' in landing
    assert "Seriennummer endet auf" in landing
    ask_for_code(phone, "miriam@osei.example")
    from django.core import mail

    assert mail.outbox[-1].subject == f"{mailed_code()} ist Ihr Code, um Aqua Meter von Northlake zu übernehmen"
    assert "Er gilt 10 Minuten." in mail.outbox[-1].body
    assert "Geben Sie den Code ein" in phone.get(reverse("account_confirm_login_code")).content.decode()


@pytest.mark.django_db
def test_the_console_stays_english_for_a_german_browser(alice):
    client = Client(**GERMAN)
    client.force_login(alice, "allauth.account.auth_backends.AuthenticationBackend")
    response = client.get(reverse("devices:device_list"))
    assert response["Content-Language"] == "en"
    assert '<html lang="en">' in response.content.decode()
