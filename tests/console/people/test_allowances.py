"""An attacker slows only themselves: whatever strangers try, the owner signs in, from a known or a new browser."""

import json
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from console.models import OutgoingMail, SignInLink, Throttle, User
from console.people import allowances, browsers
from console.people.actions import sign_in_links
from tests import factories, processes
from tests.claims import worlds
from tests.claims.phone import bare, printed, scan
from tests.console.people.test_accounts import PASSWORD, code_of, secret  # noqa: F401
from tests.extent import extent

pytestmark = pytest.mark.django_db
ASK, CONFIRM = reverse("account_request_login_code"), reverse("account_confirm_login_code")
TOKEN = re.compile(rb'"X-CSRFToken": "[^"]+"')
WRONG = "Too many wrong passwords."
# Each a browser of its own, and a network of its own.
STRANGERS = [f"203.0.113.{n}" for n in range(1, 250)]


def browser(address: str = "192.0.2.1") -> Client:
    return Client(REMOTE_ADDR=address)


def with_password(client: Client, email: str, password: str = PASSWORD) -> object:
    return client.post(reverse("account_login"), {"login": email, "password": password})


def digits() -> str:
    found = re.search(r"^\d{6}$", mail.outbox[-1].body, re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[0]


def link() -> str:
    found = re.search(r"http://localhost:8000(/account/link/\S+)", mail.outbox[-1].body)
    assert found, mail.outbox[-1].body
    return found[1]


def open_link(client: Client, path: str) -> object:
    """Open it, and press the button."""
    page = client.get(path, follow=True)
    assert page.status_code == 200
    assert page.redirect_chain == [("/account/link/open/", 302)]
    return client.post("/account/link/open/")


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def spend_codes(email: str, times: int = 40) -> None:
    for address in STRANGERS[:times]:
        assert browser(address).post(ASK, {"email": email}).status_code == 302


@pytest.fixture
def evaluated(monkeypatch) -> list[str]:
    """The passwords that were looked at."""
    seen, honest = [], User.check_password
    monkeypatch.setattr(User, "check_password", lambda user, raw: seen.append(raw) or honest(user, raw))
    return seen


# Passwords


def test_guessing_a_password_does_not_lock_out_known_browsers(bob):
    mine = browser()
    with_password(mine, bob.email)
    mine.post(reverse("account_logout"))
    for address in STRANGERS[:40]:
        with_password(browser(address), bob.email, "guess")
    assert with_password(mine, bob.email).status_code == 302
    assert is_signed_in(mine)


def test_of_all_strangers_passwords_no_more_are_looked_at_than_the_limit(bob, evaluated):
    for address in STRANGERS[:40]:
        page = with_password(browser(address), bob.email, "guess")
    assert len(evaluated) == allowances.ACCOUNT_TRIES[0]
    assert WRONG in page.content.decode()
    assert with_password(browser(), bob.email).status_code == 200


def test_a_new_browser_signs_in_by_mail_while_strangers_guess_at_the_password(bob):
    for address in STRANGERS[:40]:
        with_password(browser(address), bob.email, "guess")
    mine = browser()
    assert WRONG in with_password(mine, bob.email).content.decode()
    mine.post(ASK, {"email": bob.email})
    assert mine.post(CONFIRM, {"code": digits()}).status_code == 302
    # From now on it is one of theirs, and the password opens again.
    mine.post(reverse("account_logout"))
    assert with_password(mine, bob.email).status_code == 302


def test_spraying_passwords_from_one_address_is_stopped_without_affecting_others(bob, organization, evaluated):
    others = [factories.make_member(organization, "viewer").email for _each in range(40)]
    mine, attacker = browser(), browser()
    with_password(mine, bob.email)
    mine.post(reverse("account_logout"))
    evaluated.clear()
    for email in others:
        with_password(attacker, email, "guess")
    assert len(evaluated) == allowances.ADDRESS_TRIES[0]
    assert with_password(mine, bob.email).status_code == 302
    new = browser()
    new.post(ASK, {"email": bob.email})
    assert new.post(CONFIRM, {"code": digits()}).status_code == 302


def test_a_known_browser_that_guesses_is_a_stranger_after_its_allowance(bob, evaluated):
    mine = browser()
    with_password(mine, bob.email)
    mine.post(reverse("account_logout"))
    evaluated.clear()
    for _try in range(60):
        with_password(mine, bob.email, "guess")
    assert len(evaluated) == allowances.BROWSER_TRIES[0] + allowances.ACCOUNT_TRIES[0]


def test_right_passwords_cost_nothing(bob):
    for _try in range(15):
        client = browser()
        assert with_password(client, bob.email).status_code == 302


def test_a_browser_is_known_for_its_own_person_alone(bob, alice, evaluated):
    theirs = browser()
    with_password(theirs, alice.email)
    theirs.post(reverse("account_logout"))
    evaluated.clear()
    for _try in range(30):
        with_password(theirs, bob.email, "guess")
    assert len(evaluated) == allowances.ACCOUNT_TRIES[0]


def test_a_forged_or_foreign_cookie_makes_no_browser_known(bob, rf):
    for value in ("x", json.dumps([[bob.pk, "n", 9e9]]), "a:b:c"):
        request = rf.get("/")
        request.COOKIES[browsers.COOKIE] = value
        assert browsers.known(request, bob) is None


def test_the_cookie_opens_nothing_is_for_the_server_alone_and_remembers_five_people(bob, organization):
    client = browser()
    people = [bob] + [factories.make_member(organization, "viewer") for _each in range(5)]
    for person in people:
        assert with_password(client, person.email).status_code == 302
        client.post(reverse("account_logout"))
    cookie = client.cookies[browsers.COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", browsers.AGE)
    assert client.get("/").status_code == 302
    request = type("R", (), {"COOKIES": {browsers.COOKIE: cookie.value}})
    assert [browsers.known(request, person) is not None for person in people] == [False] + [True] * 5


def test_reading_the_password_again_is_counted_by_session_and_strangers_don_t_spend_it(bob, settings):
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    mine = browser()
    with_password(mine, bob.email)
    for address in STRANGERS[:40]:
        with_password(browser(address), bob.email, "guess")
    assert mine.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 302


def test_the_answer_about_a_password_is_the_same_for_an_address_without_an_account(bob):
    def pages(email: str) -> list[bytes]:
        found = [with_password(browser(address), email, "guess") for address in STRANGERS[:12]]
        return [TOKEN.sub(b"", bare(page)).replace(email.encode(), b"") for page in found]

    known = pages(bob.email)
    Throttle.objects.all().delete()
    assert pages("who@northlake.example") == known


# The second step


def test_guessing_the_second_factor_does_not_lock_out_known_browsers(bob, secret):  # noqa: F811
    mine = browser()
    with_password(mine, bob.email)
    assert mine.post(reverse("mfa_authenticate"), {"code": code_of(secret)}).status_code == 302
    mine.post(reverse("account_logout"))
    for address in STRANGERS[:15]:
        thief = browser(address)
        with_password(thief, bob.email)
        page = thief.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert "Too many wrong codes." in page.content.decode()
    with_password(mine, bob.email)
    # A code is taken once, which the library remembers there.
    cache.clear()
    assert mine.post(reverse("mfa_authenticate"), {"code": code_of(secret)}).status_code == 302


def test_a_new_password_makes_the_second_step_fresh(bob, secret):  # noqa: F811
    for address in STRANGERS[:15]:
        thief = browser(address)
        with_password(thief, bob.email)
        thief.post(reverse("mfa_authenticate"), {"code": "000000"})
    bob.set_password("another horse battery")
    bob.save(update_fields=["password"])
    mine = browser()
    with_password(mine, bob.email, "another horse battery")
    assert mine.post(reverse("mfa_authenticate"), {"code": code_of(secret)}).status_code == 302


# Codes by mail


def test_strangers_who_ask_for_codes_get_six_digits_sent_five_times_then_one_link_an_hour(dana, organization):
    spend_codes(dana.email)
    assert len(mail.outbox) == allowances.MAILBOX_CODES[0] + 1
    assert {message.to[0] for message in mail.outbox} == {dana.email}
    link()
    assert OutgoingMail.objects.filter(recipient=dana.email).count() == 40 - len(mail.outbox)


def test_a_mailbox_gets_a_bounded_number_of_mails_in_a_day(dana, organization, time_machine):
    begin = timezone.now()
    for quarter in range(96):
        time_machine.move_to(begin + timedelta(minutes=15 * quarter), tick=False)
        for address in STRANGERS[: extent(2, 4)]:
            browser(address).post(ASK, {"email": dana.email})
    assert len(mail.outbox) <= allowances.MAILBOX_CODES_A_DAY[0] + 24


def test_a_new_browser_gets_in_by_the_link_when_strangers_spent_everything(dana, organization):
    spend_codes(dana.email)
    mine = browser()
    assert mine.post(ASK, {"email": dana.email}).status_code == 302
    page = mine.get(CONFIRM).content.decode()
    assert "Open the link in your email" in page
    assert 'name="code"' not in page
    path = link()
    assert open_link(browser("198.51.100.7"), path).status_code == 302
    # Used up; and the mailbox gets the next one at once.
    assert browser().get(path, follow=True).status_code == 404
    mine.post(reverse("console:code_again"), {"email": dana.email})
    assert link() != path
    assert open_link(mine, link()).status_code == 302
    assert is_signed_in(mine)


def test_a_known_browser_gets_six_digits_when_strangers_spent_everything(dana, organization):
    mine = browser()
    mine.post(ASK, {"email": dana.email})
    mine.post(CONFIRM, {"code": digits()})
    mine.post(reverse("account_logout"))
    spend_codes(dana.email)
    mine.post(ASK, {"email": dana.email})
    assert mine.post(CONFIRM, {"code": digits()}).status_code == 302
    assert is_signed_in(mine)


def test_a_link_still_works_when_the_next_one_may_be_asked_for(dana, organization, time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    spend_codes(dana.email)
    path = link()
    time_machine.move_to(now + timedelta(minutes=119), tick=False)
    assert browser().get(path, follow=True).status_code == 200
    time_machine.move_to(now + timedelta(minutes=121), tick=False)
    assert browser().get(path, follow=True).status_code == 404


def test_opening_a_link_signs_nobody_in(dana, organization):
    client = browser()
    path = urlsplit(sign_in_links.make(dana.email, user=dana)).path
    page = client.get(path, follow=True)
    assert f"<strong>{dana.email}</strong>" in page.content.decode()
    assert not is_signed_in(client)
    assert Client(enforce_csrf_checks=True).post(path).status_code == 403
    assert SignInLink.objects.get().used_at is None


def test_a_link_opened_beside_another_account_says_so_and_changes_over(dana, erin, client_for):
    client = client_for(erin)
    path = urlsplit(sign_in_links.make(dana.email, user=dana)).path
    assert f"signed out of {erin.email}" in client.get(path, follow=True).content.decode()
    client.post("/account/link/open/")
    assert client.session["_auth_user_id"] == str(dana.pk)


def test_a_link_asks_for_the_second_step_as_well(bob, secret):  # noqa: F811
    client = browser()
    answer = open_link(client, urlsplit(sign_in_links.make(bob.email, user=bob)).path)
    assert answer.url.startswith(reverse("mfa_authenticate"))
    assert not is_signed_in(client)


def test_a_link_is_kept_as_a_hash_and_opens_nothing_for_an_address_without_an_account(organization):
    path = urlsplit(sign_in_links.make("who@mail.example", user=None)).path
    token = path.split("/")[-2]
    assert len(token) == 43
    assert token not in str(SignInLink.objects.values().get())
    assert browser().get(path, follow=True).status_code == 404


def test_a_closed_account_is_not_opened_by_its_link(dana):
    path = urlsplit(sign_in_links.make(dana.email, user=dana)).path
    User.objects.filter(pk=dana.pk).update(is_active=False)
    assert browser().get(path, follow=True).status_code == 404


def test_the_claim_at_hand_goes_on_in_the_browser_that_opens_the_link(dana, device):
    profile = worlds.make_unit_profile(device.product)
    spend_codes(dana.email)
    SignInLink.objects.all().delete()
    Throttle.objects.filter(key=_key("link-mailbox", dana.email)).delete()
    phone, mail_app = browser(), browser("198.51.100.7")
    scan(phone, printed(profile, device).link)
    phone.post(ASK, {"email": dana.email})
    assert open_link(mail_app, link()).url == "/c/review/"
    assert "Aqua Meter" in mail_app.get("/c/review/").content.decode()


def _key(scope: str, who: str) -> str:
    from console import throttle

    return throttle._key(scope, who)


def test_old_links_are_forgotten(dana):
    sign_in_links.make(dana.email, user=dana, at=timezone.now() - timedelta(days=2))
    sign_in_links.make(dana.email, user=dana)
    assert sign_in_links.delete_old() == 1
    assert SignInLink.objects.count() == 1


def test_known_and_unknown_addresses_get_the_same_pages_whatever_was_spent(dana, organization):
    def pages(email: str) -> list[bytes]:
        found = []
        for address in STRANGERS[:8]:
            client = browser(address)
            answer = client.post(ASK, {"email": email})
            found.append((answer.status_code, answer.url, bare(client.get(CONFIRM)).replace(email.encode(), b"")))
        return found

    assert pages(dana.email) == pages("who@mail.example")


@pytest.mark.parametrize("url", [ASK, reverse("account_reset_password")])
def test_known_and_unknown_addresses_cost_the_same_writes(url, dana, organization):
    """Whatever the mailbox and the address have spent: within all limits, past each, and past that of the address."""

    def costs(email: str, address: str) -> list[int]:
        browser().post(url, {"email": email})  # The library writes a row of its own once.
        Throttle.objects.all().delete()
        found = []
        for n in range(40):
            client = browser(address or STRANGERS[n])
            with CaptureQueriesContext(connection) as queries:
                client.post(url, {"email": email})
            found.append(sum(not query["sql"].startswith("SELECT") for query in queries))
        return found

    assert costs(dana.email, "") == costs("who@mail.example", "")
    assert costs(dana.email, "198.51.100.9") == costs("who@mail.example", "198.51.100.9")


def test_mail_to_strangers_mailboxes_is_limited_by_address_and_their_pages_are_the_same(dana, organization):
    attacker = browser()
    for n in range(40):
        attacker.cookies.clear()
        attacker.post(ASK, {"email": f"who{n}@mail.example"})
    assert len(mail.outbox) == allowances.ADDRESS_STRANGERS[0]
    # Whoever has an account and sits at the same address still gets a mail.
    mine = browser()
    mine.post(ASK, {"email": dana.email})
    assert mine.post(CONFIRM, {"code": digits()}).status_code == 302


def test_a_newcomer_with_a_label_begins_where_an_attacker_spent_the_address(device, organization):
    profile = worlds.make_unit_profile(device.product)
    for n in range(40):
        attacker = browser()
        scan(attacker, "0" * 25 + "A")
        attacker.post(ASK, {"email": f"who{n}@mail.example"})
    assert User.objects.count() == allowances.ADDRESS_STRANGERS[0]
    mine = browser()
    scan(mine, printed(profile, device).link)
    mine.post(ASK, {"email": "miriam@osei.example"})
    assert mine.post(CONFIRM, {"code": digits()}).status_code == 302
    assert is_signed_in(mine)


# Guesses at codes


def test_six_digits_die_after_five_guesses_also_from_many_sessions(dana, organization):
    client = browser()
    client.post(ASK, {"email": dana.email})
    right, kept = digits(), client.session["account_login"]
    for _try in range(5):
        client.post(CONFIRM, {"code": "000000" if right != "000000" else "000001"})
        session = client.session
        session["account_login"] = kept
        session.save()
    assert "Too many wrong codes" in client.post(CONFIRM, {"code": right}).content.decode()
    assert not is_signed_in(client)


def test_spraying_codes_over_many_accounts_is_limited_by_address(customer, organization, monkeypatch):
    people = [factories.make_person(customer, f"p{n}@aalen.example").email for n in range(30)]
    compared = []
    monkeypatch.setattr("allauth.account.forms.compare_user_code", lambda *, actual, expected: compared.append(actual))
    for email in people:
        attacker = browser()
        attacker.post(ASK, {"email": email})
        for _try in range(2):
            attacker.post(CONFIRM, {"code": "123456"})
    assert len(compared) == allowances.ADDRESS_GUESSES[0]


def test_guesses_at_one_mailbox_are_limited_by_the_day_and_then_a_link_is_sent(dana, organization):
    for address in STRANGERS[:3]:
        attacker = browser(address)
        attacker.post(ASK, {"email": dana.email})
        for _try in range(5):
            attacker.post(CONFIRM, {"code": "123456"})
    mine = browser()
    mine.post(ASK, {"email": dana.email})
    assert open_link(mine, link()).status_code == 302


def test_where_a_link_was_mailed_no_six_digits_open(dana, organization):
    spend_codes(dana.email)
    client = browser()
    client.post(ASK, {"email": dana.email})
    code = client.session["account_login"]["state"]["stages"]["login_by_code"]["data"]["code"]
    assert len(code) == 43
    assert code not in "".join(message.body for message in mail.outbox)
    assert client.post(CONFIRM, {"code": code[:6]}).status_code == 200
    assert not is_signed_in(client)


# New passwords, invitations


def test_a_mailbox_gets_three_mails_an_hour_to_choose_a_password_with(bob):
    answers = [
        browser(address).post(reverse("account_reset_password"), {"email": bob.email}) for address in STRANGERS[:20]
    ]
    assert {(answer.status_code, answer.url) for answer in answers} == {(302, reverse("account_reset_password_done"))}
    assert len(mail.outbox) == allowances.MAILBOX_RESETS[0]
    # The newest that was sent still opens.
    path = re.search(r"http://localhost:8000(/account/password/reset/key/\S+)", mail.outbox[-1].body)[1]
    assert browser().get(path, follow=True).status_code == 200


def test_a_known_browser_gets_a_mail_to_choose_a_password_with_whatever_strangers_spent(bob):
    mine = browser()
    with_password(mine, bob.email)
    mine.post(reverse("account_logout"))
    for address in STRANGERS[:10]:
        browser(address).post(reverse("account_reset_password"), {"email": bob.email})
    before = len(mail.outbox)
    mine.post(reverse("account_reset_password"), {"email": bob.email})
    assert len(mail.outbox) == before + 1


def test_one_mailbox_gets_five_invitations_a_day(client_for):
    owner = client_for("owner")
    url, data = reverse("console:invitation_create"), {"email": "kim@northlake.example", "role": "viewer"}
    answers = [owner.post(url, data).status_code for _try in range(6)]
    assert answers == [303] * 5 + [422]
    assert owner.post(url, {**data, "email": "lee@northlake.example"}).status_code == 303
    assert len(mail.outbox) == 6


# At once


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_of_a_volley_of_passwords_no_more_are_looked_at_than_the_limit(monkeypatch):
    person = factories.make_member(factories.make_organization(), "viewer")

    def guess(index: int) -> int:
        seen = []
        monkeypatch.setattr(User, "check_password", lambda user, raw: seen.append(raw) and False)
        for n in range(4):
            with_password(browser(STRANGERS[index * 4 + n]), person.email, "guess")
        return len(seen)

    assert sum(processes.run(6, lambda index: index, guess)) == allowances.ACCOUNT_TRIES[0]


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_a_link_is_used_once_by_whoever_is_first():
    person = factories.make_member(factories.make_organization(), "viewer")
    sign_in_links.make(person.email, user=person)
    row = SignInLink.objects.get()
    assert sorted(processes.run(6, lambda index: index, lambda _index: sign_in_links.use(row))) == [False] * 5 + [True]
