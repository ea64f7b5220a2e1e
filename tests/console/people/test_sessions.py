"""Signing out everywhere: all other sessions end at once, this one and API keys go on."""

import pytest
from django.test import Client
from django.urls import reverse

from console.people import browsers
from tests.api import Caller, key_of
from tests.console.people.test_accounts import PASSWORD, sign_in

pytestmark = pytest.mark.django_db
EVERYWHERE = reverse("console:sign_out_everywhere")


@pytest.fixture
def two(bob) -> list[Client]:
    """Two browsers that bob is signed in with."""
    clients = [Client(), Client()]
    for client in clients:
        assert sign_in(client, bob).status_code == 302
    return clients


def is_in(client: Client) -> bool:
    return client.get("/devices/").status_code == 200


def is_known(client: Client, user, rf) -> bool:
    request = rf.get("/")
    request.COOKIES[browsers.COOKIE] = client.cookies[browsers.COOKIE].value
    user.refresh_from_db()
    return browsers.known(request, user) is not None


def test_all_other_sessions_end_and_this_one_goes_on(two, alice, client_for):
    mine, other = two
    page = mine.post(EVERYWHERE, follow=True)
    assert "signed out everywhere else" in page.content.decode()
    assert (is_in(mine), is_in(other)) == (True, False)
    assert is_in(client_for(alice))


def test_the_other_browsers_are_strangers_afterwards(two, bob, rf):
    mine, other = two
    assert is_known(other, bob, rf)
    mine.post(EVERYWHERE)
    assert (is_known(mine, bob, rf), is_known(other, bob, rf)) == (True, False)


def test_a_session_that_was_ended_comes_back_by_signing_in(two, bob):
    mine, other = two
    mine.post(EVERYWHERE)
    assert sign_in(other, bob).status_code == 302
    assert (is_in(mine), is_in(other)) == (True, True)


def test_api_keys_go_on(two, alice, client_for):
    caller, client = Caller(key_of(alice)), client_for(alice)
    client.post(EVERYWHERE)
    assert caller.get("/devices").status_code == 200


def test_it_takes_a_post_with_a_token(two, bob):
    mine, other = two
    assert mine.get(EVERYWHERE).status_code == 405
    guarded = Client(enforce_csrf_checks=True)
    guarded.cookies.update(mine.cookies)
    assert guarded.post(EVERYWHERE).status_code == 403
    assert is_in(other)
    assert Client().post(EVERYWHERE).status_code == 302


def test_a_new_password_ends_the_other_sessions_too(two, bob, rf):
    mine, other = two
    data = {"oldpassword": PASSWORD, "password1": "another horse battery", "password2": "another horse battery"}
    assert mine.post(reverse("account_change_password"), data).status_code == 302
    assert (is_in(mine), is_in(other)) == (True, False)
    assert not is_known(other, bob, rf)


def test_a_customers_person_finds_it_from_the_portal(dana, client_for):
    client, other = client_for(dana), client_for(dana)
    assert reverse("mfa_index") in client.get(reverse("portal:home")).content.decode()
    assert EVERYWHERE in client.get(reverse("mfa_index")).content.decode()
    client.post(EVERYWHERE)
    assert client.get(reverse("portal:home")).status_code == 200
    assert other.get(reverse("portal:home")).status_code == 302
