"""What is shown once is shown once: a reload makes no second secret, and nothing that is kept tells the first."""

import json
import re
import time

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse

from console import once
from customers.models import ApiKey
from devices.models import Device

pytestmark = pytest.mark.django_db
KEY = {"name": "Backend", "days": "30", "scopes": ["view"]}
THEIRS = {"name": "Backend", "days": "30", "scopes": ["customer.read"]}


@pytest.fixture(params=["console", "portal", "device"])
def case(request, alice, dana, device, client_for):
    """A client, the address of a form, what it sends, and how the secret looks on the page."""
    key = re.compile(r"<code>(cst_\w{46})</code>")
    return {
        "console": lambda: (client_for(alice), reverse("customers:api_key_create"), KEY, key),
        "portal": lambda: (client_for(dana), reverse("portal:api_key_create"), THEIRS, key),
        "device": lambda: (
            client_for(alice),
            reverse("devices:device_secret", args=[device.pk]),
            {},
            re.compile(r"data-secret>([\w-]{43})<"),
        ),
    }[request.param]()


def made():
    """All secrets that there are, as they are kept."""
    return [*ApiKey.objects.values_list("sha256"), *Device.objects.values_list("secret_sha256")]


def test_a_reload_shows_it_no_more_and_makes_no_other(case):
    client, url, sent, secret = case
    answer = client.post(url, sent)
    assert (answer.status_code, secret.search(answer.content.decode())) == (303, None)
    first, there = made(), answer.url
    page = client.get(there)
    assert secret.search(page.content.decode())
    assert "no-store" in page["Cache-Control"]
    for _each in range(2):
        assert not secret.search(client.get(there).content.decode())
    assert made() == first


def test_neither_the_database_nor_the_cookie_reveals_it(case):
    client, url, sent, secret = case
    there = client.post(url, sent).url
    kept, cookie = Session.objects.get().get_decoded(), client.cookies[once.COOKIE]
    assert (cookie["path"], cookie["httponly"], cookie["max-age"]) == (there, True, once.SECONDS)
    text = secret.search(client.get(there).content.decode())[1]
    assert text not in json.dumps(kept)
    assert text not in cookie.value
    assert once.PLACE not in Session.objects.get().get_decoded()
    assert client.cookies[once.COOKIE].value == ""


def test_another_browser_with_the_session_alone_is_shown_nothing(case):
    client, url, sent, secret = case
    there = client.post(url, sent).url
    del client.cookies[once.COOKIE]
    assert not secret.search(client.get(there).content.decode())


def test_after_some_minutes_nobody_is_shown_it(case, monkeypatch):
    client, url, sent, secret = case
    there = client.post(url, sent).url
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + once.SECONDS + 2)
    assert not secret.search(client.get(there).content.decode())


def test_two_that_are_made_at_once_are_both_shown(client_for, alice):
    client, url = client_for(alice), reverse("customers:api_key_create")
    pages = []
    for name in ("One", "Two"):
        there = client.post(url, {**KEY, "name": name}).url
        pages.append((there, client.cookies[once.COOKIE].value))
    for there, cookie in pages:
        client.cookies[once.COOKIE] = cookie
        assert "cst_" in client.get(there).content.decode()


def test_a_late_visitor_reads_what_to_do(client_for, alice):
    client = client_for(alice)
    there = client.post(reverse("customers:api_key_create"), KEY).url
    client.get(there)
    key = ApiKey.objects.get()
    page = client.get(there).content.decode()
    assert f"The key {key.start}… was shown once" in page
    assert reverse("customers:api_key_revoke", args=[key.pk]) in page
