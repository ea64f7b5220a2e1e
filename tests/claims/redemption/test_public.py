"""From a scanned label to a claimed device, and everything that must not happen on the way."""

import contextlib
import gzip
import logging
import re
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection, connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from claims.models import Claim, ClaimCode, ClaimProfile, ClaimStep, Step
from claims.profiles.actions import codes as claim_codes
from claims.redemption import session
from claims.redemption.actions import redemption
from console import throttle
from console.models import Throttle, User
from customers.models import Customer, CustomerRole, CustomerUser, Project
from customers.people.actions import newcomers
from devices.actions import ownership
from devices.models import Device, Ownership, SharedAccess
from tests import factories
from tests.claims import worlds
from tests.claims.phone import ask_for_code, bare, confirm, mailed_code, nonce, printed, redeem, scan, sign_in
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db

MIRIAM = "miriam@osei.example"
NEW = {"kind": "person", "name": "Miriam Osei"}
UNKNOWN = "0" * 25 + "A"
UNKNOWN_TYPED = "7K3M9QXD2F8TC"


@pytest.fixture
def profile(device) -> ClaimProfile:
    return worlds.make_unit_profile(device.product)


@pytest.fixture
def code(profile, device) -> str:
    return printed(profile, device).link


@pytest.fixture
def miriam(client, code) -> Client:
    """A new visitor who scanned the label and signed in."""
    scan(client, code)
    sign_in(client, MIRIAM)
    return client


# The scan


def test_a_scan_redirects_to_an_address_without_the_code_that_is_not_cached(client, code):
    response = scan(client, code)
    assert (response.status_code, response["Location"]) == (303, "/c/")
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "same-origin"


def test_the_session_holds_the_id_but_never_the_text_of_the_code(client, code, device):
    scan(client, code)
    assert code not in str(dict(client.session))
    assert client.session["claim"]["code"] == str(ClaimCode.objects.get(device=device).pk)


@pytest.mark.parametrize("address", ["/c/{}", "/C/{}", "/c/{}/", "/C/{}/"])
@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_a_link_works_in_any_case_with_or_without_a_slash(client, code, address, case):
    client.get(address.format(case(code)))
    assert b"Aqua Meter" in client.get("/c/").content


def test_the_bare_address_works_in_any_case(client, db):
    assert [client.get(address).status_code for address in ("/c/", "/C/", "/C", "/c")] == [200] * 4


def test_a_head_request_for_a_link_looks_nothing_up(client, code):
    assert client.head(f"/c/{code}").status_code == 303
    assert "claim" not in client.session
    assert not Throttle.objects.exists()
    assert not ClaimStep.objects.exists()


def test_a_link_accepts_no_post(client, code):
    assert client.post(f"/c/{code}/").status_code == 405


def test_reading_pages_claims_nothing(miriam, device):
    for name in ("landing", "review", "redeem"):
        miriam.get(reverse(f"claim:{name}"))
        miriam.head(reverse(f"claim:{name}"))
    device.refresh_from_db()
    assert device.customer is None
    assert not Claim.objects.exists()
    assert not Customer.objects.exists()


def test_repeated_scans_by_one_phone_count_once(client, code):
    for _again in range(3):
        scan(client, code)
    assert ClaimStep.objects.filter(step=Step.SCAN).count() == 1


def test_a_scanned_code_expires_after_15_minutes(client, code, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    scan(client, code)
    time_machine.shift(timedelta(minutes=14, seconds=59))
    assert b"Aqua Meter" in client.get("/c/").content
    time_machine.shift(timedelta(seconds=1))
    assert b"Aqua Meter" not in client.get("/c/").content


def test_an_expired_scan_is_reported_with_the_brand_and_the_minutes(client, code, organization, time_machine):
    organization.brand_name = "Northlake Water"
    organization.save(update_fields=["brand_name"])
    factories.make_organization("Southridge")
    time_machine.move_to(timezone.now(), tick=False)
    scan(client, code)
    time_machine.shift(timedelta(minutes=16))
    page = client.get("/c/").content.decode()
    assert "You scanned this 16 minutes ago; scan it again." in page
    assert "Northlake Water" in page
    assert "Aqua Meter" not in page
    # After another scan the code is back, and a day later nothing is reported.
    scan(client, code)
    assert "Aqua Meter" in client.get("/c/").content.decode()
    time_machine.shift(timedelta(hours=3))
    assert "You scanned this more than an hour ago; scan it again." in client.get("/c/").content.decode()
    time_machine.shift(timedelta(hours=21))
    assert "You scanned this" not in client.get("/c/").content.decode()


def test_an_expired_scan_is_reported_in_german(client, code, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    scan(client, code)
    time_machine.shift(timedelta(minutes=16))
    page = client.get("/c/", headers={"accept-language": "de"}).content.decode()
    assert "Sie haben das vor 16 Minuten gescannt; scannen Sie es noch einmal." in page


def test_a_scan_that_expires_during_sign_in_is_reported_afterwards(client, code, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    scan(client, code)
    ask_for_code(client, MIRIAM)
    time_machine.shift(timedelta(minutes=8))
    scanned = client.session
    scanned["claim"] = {**scanned["claim"], "at": scanned["claim"]["at"] - 600}
    scanned.save()
    assert confirm(client, mailed_code()).url == "/c/review/"
    assert client.get("/c/review/")["Location"] == "/c/?gone"
    page = client.get("/c/?gone")
    assert "You scanned this 18 minutes ago; scan it again." in page.content.decode()


def test_an_expired_scan_looks_the_same_for_every_invalid_code(client, code, profile, time_machine):
    """Before sign-in, pages reveal nothing about a code that can't be claimed, not even whose it is."""
    factories.make_organization("Southridge")
    time_machine.move_to(timezone.now(), tick=False)
    other = Client()
    scan(client, code)
    scan(other, UNKNOWN)
    ClaimProfile.objects.filter(pk=profile.pk).update(is_enabled=False)
    time_machine.shift(timedelta(minutes=16))
    assert bare(client.get("/c/")) == bare(other.get("/c/"))
    assert b"16 minutes" in client.get("/c/").content


def test_a_claimed_code_is_not_reported_as_expired(client_for, dana, code, time_machine):
    client = client_for(dana)
    scan(client, code)
    assert redeem(client)["Location"].startswith("/c/done/")
    time_machine.move_to(timezone.now() + timedelta(minutes=20), tick=False)
    assert "You scanned this" not in client.get("/c/").content.decode()


def test_a_claim_without_its_session_says_what_happened_and_keeps_the_code(client, code, organization, device, dana):
    """As after cookies were deleted in another tab; the sign-in is gone too."""
    organization.brand_name = "Northlake Water"
    organization.save(update_fields=["brand_name"])
    factories.make_organization("Southridge")
    client = Client(enforce_csrf_checks=True, headers={"accept-language": "de"})
    scan(client, code)
    form = client.get("/c/").content.decode()
    sealed = re.search(r'name="scan" value="([^"]+)"', form)[1]
    assert code not in sealed
    client.cookies.clear()
    answer = client.post("/c/redeem/", {"nonce": "x", "scan": sealed})
    assert answer.status_code == 403
    page = answer.content.decode()
    for expected in ("Northlake Water", "Ihre Sitzung ist abgelaufen", "claim.css", 'lang="de"'):
        assert expected in page
    assert not Claim.objects.exists()
    assert "Aqua Meter" in client.get("/c/").content.decode()


def test_a_form_without_its_session_says_when_the_scan_expired(client, code, time_machine):
    client = Client(enforce_csrf_checks=True)
    time_machine.move_to(timezone.now(), tick=False)
    scan(client, code)
    sealed = re.search(r'name="scan" value="([^"]+)"', client.get("/c/").content.decode())[1]
    time_machine.shift(timedelta(minutes=16))
    client.cookies.clear()
    page = client.post("/c/redeem/", {"scan": sealed}).content.decode()
    assert "You scanned this 16 minutes ago; scan it again." in page


@pytest.mark.parametrize("sealed", ["", "x", "WzFd:x:y", "\udcff"])
def test_a_forged_scan_is_rejected(db, sealed):
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/c/redeem/", {"scan": sealed.encode("utf-8", "replace").decode()})
    assert answer.status_code == 403
    assert "claim" not in client.session
    assert b"Scan the label again" in answer.content


def test_an_old_form_does_not_replace_a_newer_scan(client, code, profile, product):
    client = Client(enforce_csrf_checks=True)
    scan(client, code)
    sealed = re.search(r'name="scan" value="([^"]+)"', client.get("/c/").content.decode())[1]
    other = factories.make_device(product, "AQM26-999999")
    claim_codes.make_for_devices(profile, [other.pk])
    scan(client, printed(profile, other).link)
    client.post("/c/redeem/", {"scan": sealed})
    assert client.session["claim"]["code"] == str(ClaimCode.objects.get(device=other).pk)


def test_a_claim_without_a_scan_asks_to_scan_again(client_for, dana):
    client = client_for(dana)
    assert client.get("/c/review/")["Location"] == "/c/?gone"
    assert "Scan the label again" in client.get("/c/?gone").content.decode()
    assert "Scan the label again" not in client.get("/c/").content.decode()


# The landing page


def test_the_landing_page_shows_only_brand_product_and_the_end_of_the_serial_number(client, code, organization, device):
    organization.brand_name, organization.support_phone = "Northlake Water", "+49 731 555 0100"
    organization.save(update_fields=["brand_name", "support_phone"])
    scan(client, code)
    page = client.get("/c/").content.decode()
    for expected in ("Northlake Water", "Aqua Meter", "0000</strong>", "+49 731 555 0100"):
        assert expected in page
    assert device.serial_number not in page
    assert device.device_name not in page


def test_the_landing_page_of_several_devices_shows_the_end_of_each_serial_number(client, organization, make_devices):
    devices = make_devices(7)
    profile = worlds.make_link_profile(organization, *devices, name="Starter kit")
    scan(client, printed(profile).link)
    page = client.get("/c/").content.decode()
    assert "Starter kit" in page
    assert page.count("serial ends in") == 5
    assert "and 2 more" in page


def test_the_landing_page_of_documents_shows_the_profile(client, organization):
    profile = worlds.make_link_profile(organization, documents=[("Manual", "https://example.com/m.pdf")])
    scan(client, printed(profile).link)
    page = client.get("/c/").content.decode()
    assert "North pilot" in page
    assert "switched on" not in page


def test_an_organizations_texts_are_escaped(client, device):
    profile = worlds.make_unit_profile(device.product, description="<script>alert(1)</script>")
    scan(client, printed(profile, device).link)
    page = client.get("/c/").content
    assert b"<script>alert" not in page
    assert b"&lt;script&gt;alert" in page


def test_a_signed_in_person_goes_straight_to_the_review(client_for, dana, code):
    client = client_for(dana)
    scan(client, code)
    assert client.get("/c/")["Location"] == "/c/review/"


def test_the_first_page_weighs_less_than_30_kb(client, code):
    scan(client, code)
    page = client.get("/c/").content
    linked = set(re.findall(rb'(?:href|src)="(/static/[^"#]+)', page))
    assert {Path(name.decode()).name for name in linked} == {
        "favicon.svg",
        "tokens.css",
        "claim.css",
        "claim.js",
        "icons.svg",
    }
    files = [settings.BASE_DIR / name.decode().lstrip("/") for name in linked]
    assert len(page) + sum(len(gzip.compress(file.read_bytes())) for file in files) <= 30_000


def test_claim_pages_load_nothing_from_elsewhere_and_no_htmx(client, code):
    scan(client, code)
    page = client.get("/c/").content
    assert not re.search(rb'(?:src|href|action)="(?:https?:)?//', page)
    assert b"hx-" not in page


# The typed code


def test_a_typed_code_may_differ_in_case_spacing_and_look_alikes(client, profile, device):
    typed = printed(profile, device).typed
    for text in (typed.lower(), " ".join(typed), typed.replace("0", "O").replace("1", "l")):
        assert client.post("/c/", {"code": text})["Location"] == "/c/"
        assert b"Aqua Meter" in client.get("/c/").content
        client.session.flush()


def test_a_whole_link_can_be_typed_too(client, code):
    client.post("/c/", {"code": f"https://claim.example/C/{code}"})
    assert b"Aqua Meter" in client.get("/c/").content


def test_a_single_mistyped_character_is_reported_without_a_lookup(client, profile, device, django_assert_num_queries):
    typed = printed(profile, device).typed
    wrong = ("1" if typed[0] != "1" else "2") + typed[1:]
    response = client.post("/c/", {"code": wrong})
    assert response.status_code == 422
    assert "One character is wrong" in response.content.decode()
    assert not Throttle.objects.exists()
    assert "claim" not in client.session


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Enter the code on the label."),
        ("7K3M", "A code has 13 characters; this has 4."),
        ("7", "A code has 13 characters; this has 1."),
        ("7" * 27, "A code has 13 characters; this has 27."),
        ("x" * 201, "at most 200 characters"),
        ("\u202e" * 13, "A code has 13 characters; this has 0."),
    ],
)
def test_text_that_cannot_be_a_code_is_reported_at_the_field(client, db, text, said):
    response = client.post("/c/", {"code": text})
    assert response.status_code == 422
    assert said in response.content.decode()


def test_another_code_can_be_typed_while_one_is_pending(client, code):
    scan(client, code)
    assert b"Aqua Meter" not in client.get("/c/?another").content


@pytest.mark.parametrize("field", ["serial_number", "device_name", "imei", "mac"])
def test_public_facts_about_a_device_claim_nothing(client, product, field):
    device = factories.make_device(
        product, "AQM26-100077X", device_name="e00fce68aabb1", imei="356938035643809", mac="AABBCCDDEEFF0"
    )
    worlds.make_unit_profile(product)
    scan(client, getattr(device, field))
    assert client.session["claim"]["code"] == ""


# Invalid codes


def _used_up(profile, device):
    ClaimProfile.objects.filter(pk=profile.pk).update(max_claims=1, claim_count=1)
    Claim.objects.create(
        organization=profile.organization,
        profile=profile,
        code=profile.codes.get(),
        code_version=9,
        is_unit=True,
        customer=factories.make_customer(profile.organization, "First"),
        user=User.objects.create_user("first@x.example"),
        project=Project.objects.get(name="First"),
    )


def _other(**values):
    return lambda profile, device: ClaimProfile.objects.filter(pk=profile.pk).update(**values)


def _wrong_domain(profile, device):
    domain = profile.organization.domains.create(host="claim.northlake.example")
    ClaimProfile.objects.filter(pk=profile.pk).update(domain=domain)


def _owned(profile, device):
    owner = factories.make_customer(profile.organization, "Somebody")
    ownership.assign([device.pk], customer=owner, by=_alice(profile))


def _scrapped(profile, device):
    from devices import ledger

    ledger.set_status([device.pk], frm=["in_stock"], to="scrapped")


def _archived(profile, device):
    type(device).objects.filter(pk=device.pk).update(archived_at=timezone.now())


def _reserved(profile, device):
    from devices import ledger

    ledger.set_status([device.pk], frm=["in_stock"], to="reserved")


def _returned(profile, device):
    """The device was owned and came back: codes printed before no longer work."""
    _owned(profile, device)
    ownership.unclaim([device.pk], reason="Returned", by=_alice(profile))


def _alice(profile):
    return factories.actor_of(factories.make_member(profile.organization, "owner"), profile.organization)


PAST, FUTURE = timezone.now() - timedelta(days=9), timezone.now() + timedelta(days=9)
BAD = {
    "used_up": _used_up,
    "disabled": _other(is_enabled=False),
    "expired": _other(valid_until=PAST),
    "not_yet_valid": _other(valid_from=FUTURE),
    "wrong_domain": _wrong_domain,
    "already_owned": _owned,
    "scrapped": _scrapped,
    "archived": _archived,
    "reserved": _reserved,
    "unknown": _returned,
}
NEXT = {
    "used_up": "Ask Northlake for a new code",
    "disabled": "Contact them for help",
    "expired": "Ask Northlake for a new code",
    "not_yet_valid": "Try again later",
    "wrong_domain": "claim.northlake.example only",
    "scrapped": "is out of service. Contact Northlake",
    "archived": "is out of service. Contact Northlake",
    "already_owned": "proof of purchase",
    "reserved": "on its way to somebody else",
    "unknown": "the old label no longer works",
}


@pytest.mark.parametrize("cause", BAD)
def test_before_sign_in_every_invalid_code_shows_the_same_page(client, cause, profile, device, code):
    scan(client, UNKNOWN)
    unknown = client.get("/c/")
    BAD[cause](profile, device)
    other = Client()
    scanned = scan(other, code)
    page = other.get("/c/")
    assert (scanned.status_code, scanned["Location"]) == (303, "/c/")
    assert bare(page) == bare(unknown)
    assert (page.status_code, dict(page.headers)) == (unknown.status_code, dict(unknown.headers))
    assert b"Aqua Meter" not in page.content


def test_an_existing_code_costs_only_one_extra_query_to_record_the_scan(
    client, code, profile, django_assert_num_queries
):
    def queries(text: str) -> list[str]:
        from django.test.utils import CaptureQueriesContext

        phone = Client()
        with CaptureQueriesContext(connection) as scanned:
            scan(phone, text)
        with CaptureQueriesContext(connection) as landed:
            phone.get("/c/")
        return [len([q for q in each if "SAVEPOINT" not in q["sql"]]) for each in (scanned, landed)]

    scan(client, UNKNOWN)
    ClaimProfile.objects.filter(pk=profile.pk).update(is_enabled=False)
    unknown, disabled = queries(UNKNOWN), queries(code)
    assert disabled[0] == unknown[0] + 1
    assert disabled[1] <= unknown[1] + 1


@pytest.mark.parametrize("cause", BAD)
def test_after_sign_in_the_page_says_what_is_wrong_and_what_to_do_next(client_for, dana, cause, profile, device, code):
    BAD[cause](profile, device)
    client = client_for(dana)
    scan(client, code)
    page = client.get("/c/review/").content.decode()
    assert NEXT[cause] in page
    assert 'action="/c/redeem/"' not in page


def test_a_visitor_with_an_invalid_code_can_sign_in_to_learn_more(client, profile, code):
    ClaimProfile.objects.filter(pk=profile.pk).update(is_enabled=False)
    scan(client, code)
    assert 'href="/account/login/code/?next=/c/review/"' in client.get("/c/").content.decode()
    assert sign_in(client, MIRIAM)["Location"] == "/c/review/"
    assert "switched this offer off" in client.get("/c/review/").content.decode()


def test_sign_in_pages_and_emails_do_not_name_what_an_invalid_code_offers(client, profile, code):
    ClaimProfile.objects.filter(pk=profile.pk).update(is_enabled=False)
    scan(client, code)
    assert b"Aqua Meter" not in client.get(reverse("account_request_login_code")).content
    ask_for_code(client, MIRIAM)
    assert b"Aqua Meter" not in client.get(reverse("account_confirm_login_code")).content
    assert "Aqua Meter" not in mail.outbox[-1].subject + mail.outbox[-1].body


def test_the_owner_of_the_device_is_sent_to_it(client_for, dana, customer, device, code, profile):
    ownership.assign([device.pk], customer=customer, by=_alice(profile))
    client = client_for(dana)
    scan(client, code)
    page = client.get("/c/review/").content.decode()
    assert "is already yours" in page
    assert reverse("portal:home") in page


# Throttles


def test_codes_are_counted_before_they_are_looked_up(client, code, monkeypatch):
    monkeypatch.setattr(session, "SCANS", 3)
    for _try in range(3):
        scan(client, UNKNOWN)
    monkeypatch.setattr("claims.redemption.offers.find", lambda text: pytest.fail("it was looked up"))
    response = scan(client, UNKNOWN_TYPED)
    assert response.status_code == 429
    assert b"Too many attempts" in response.content
    assert b"claim.css" in response.content


def test_guessing_codes_does_not_block_label_scans_from_the_same_address(client, code, profile, device, monkeypatch):
    """A link has 128 bits. A link that can't be claimed gets the same answer as one that was never printed."""
    monkeypatch.setattr(session, "SCANS", 1)
    assert [scan(Client(), UNKNOWN_TYPED).status_code for _try in range(3)] == [303, 429, 429]
    assert scan(client, UNKNOWN).status_code == 429
    assert scan(client, code).status_code == 303
    assert b"Aqua Meter" in client.get("/c/").content
    ClaimProfile.objects.filter(pk=profile.pk).update(is_enabled=False)
    ended, unknown = (scan(Client(), text) for text in (code, UNKNOWN))
    assert ended.status_code == 429
    assert bare(ended).replace(code.encode(), b"") == bare(unknown).replace(UNKNOWN.encode(), b"")


def test_a_browser_its_user_has_signed_in_with_is_not_counted_with_its_address(
    client, code, profile, device, monkeypatch
):
    sign_in(client, _newcomer(client, code))
    client.post("/account/logout/")
    monkeypatch.setattr(session, "SCANS", 1)
    Throttle.objects.all().delete()
    assert [scan(Client(), UNKNOWN_TYPED).status_code for _try in range(2)] == [303, 429]
    assert [scan(client, UNKNOWN_TYPED).status_code for _try in range(2)] == [303, 429]


def _newcomer(client, code) -> str:
    scan(client, code)
    return MIRIAM


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_concurrent_guesses_never_exceed_the_lookup_limit(monkeypatch):
    monkeypatch.setattr(session, "SCANS", 5)
    looked, answers = [], []
    monkeypatch.setattr("claims.redemption.offers.find", lambda text: looked.append(text))

    def guess() -> None:
        answers.extend(scan(Client(), UNKNOWN_TYPED).status_code for _try in range(3))
        connections.close_all()

    threads = [threading.Thread(target=guess) for _each in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked) == answers.count(303) == 5
    assert answers.count(429) == 19


def test_guessing_slows_down_only_the_guesser(client, code, monkeypatch):
    monkeypatch.setattr(session, "SCANS", 1)
    guesser = Client(REMOTE_ADDR="203.0.113.9")
    assert [scan(guesser, UNKNOWN).status_code for _try in range(2)] == [303, 429]
    assert scan(client, code).status_code == 303
    assert b"Aqua Meter" in client.get("/c/").content


def test_an_account_is_counted_across_addresses(client_for, dana, db, monkeypatch):
    monkeypatch.setattr(session, "SCANS", 2)
    client = client_for(dana)
    answers = [scan(client, UNKNOWN, REMOTE_ADDR=f"203.0.113.{n}").status_code for n in range(3)]
    assert answers == [303, 303, 429]


def test_typed_and_scanned_codes_share_one_limit(client, profile, device, monkeypatch):
    monkeypatch.setattr(session, "SCANS", 1)
    scan(client, UNKNOWN)
    response = client.post("/c/", {"code": printed(profile, device).typed})
    assert response.status_code == 429


def test_a_forged_forwarding_header_grants_no_further_attempts(client, db, monkeypatch):
    monkeypatch.setattr(session, "SCANS", 1)
    answers = [scan(client, UNKNOWN, HTTP_X_FORWARDED_FOR=f"198.51.100.{n}").status_code for n in range(2)]
    assert answers == [303, 429]


def test_behind_a_proxy_the_address_reported_by_the_proxy_counts(client, db, monkeypatch, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    monkeypatch.setattr(session, "SCANS", 1)
    forged = [scan(client, UNKNOWN, HTTP_X_FORWARDED_FOR=f"198.51.100.{n}, 203.0.113.5").status_code for n in range(2)]
    assert forged == [303, 429]
    assert scan(client, UNKNOWN, HTTP_X_FORWARDED_FOR="203.0.113.6").status_code == 303


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
    ],
)
def test_an_ipv6_prefix_counts_as_one_address(rf, address, line):
    assert throttle.address_of(rf.get("/", REMOTE_ADDR=address)) == line


# Sign-in by code


def test_a_new_visitor_signs_in_with_six_digits_and_reaches_the_review(client, code):
    scan(client, code)
    assert ask_for_code(client, MIRIAM)["Location"].startswith("/account/login/code/confirm/")
    page = client.get(reverse("account_confirm_login_code")).content.decode()
    for expected in (
        "Aqua Meter",
        "0000</strong>",
        MIRIAM,
        'autocomplete="one-time-code"',
        'inputmode="numeric"',
        'maxlength="6"',
        "not you?",
    ):
        assert expected in page
    assert confirm(client, mailed_code())["Location"] == "/c/review/"
    assert MIRIAM in client.get("/c/review/").content.decode()


def test_the_email_contains_the_code_the_product_and_the_brand_as_plain_text(client, code):
    scan(client, code)
    ask_for_code(client, MIRIAM)
    message = mail.outbox[-1]
    assert message.to == [MIRIAM]
    assert message.subject == f"{mailed_code()} is your code to claim your Aqua Meter from Northlake"
    assert "10 minutes" in message.body
    assert "If you didn’t request it" in message.body
    assert "serial ends in 0000" in message.body
    assert not message.alternatives
    assert "http" not in message.body
    assert code not in message.body


def test_the_email_subject_shows_the_brand_name_unescaped(client, device, organization):
    organization.brand_name = "Nörth & <b>Lake</b>"
    organization.save(update_fields=["brand_name"])
    profile = worlds.make_unit_profile(device.product)
    scan(client, printed(profile, device).link)
    ask_for_code(client, MIRIAM)
    assert mail.outbox[-1].subject.endswith("from Nörth & <b>Lake</b>")


def test_without_a_pending_code_an_unknown_address_gets_no_account_but_the_same_answer(dana, organization):
    known, unknown = Client(), Client()
    answers = [ask_for_code(known, dana.email), ask_for_code(unknown, MIRIAM)]
    assert answers[0].status_code == answers[1].status_code == 302
    assert answers[0]["Location"] == answers[1]["Location"]
    pages = [bare(c.get(reverse("account_confirm_login_code"))) for c in (known, unknown)]
    assert pages[0].replace(dana.email.encode(), b"") == pages[1].replace(MIRIAM.encode(), b"")
    assert not User.objects.filter(email=MIRIAM).exists()
    assert not re.search(r"\d{6}", mail.outbox[-1].body)
    assert "http" not in mail.outbox[-1].body


def test_with_a_pending_code_an_unknown_address_gets_an_account_without_permissions(client, code):
    scan(client, code)
    ask_for_code(client, "Miriam@Osei.example")
    user = User.objects.get(email=MIRIAM)
    assert not user.has_usable_password()
    assert not CustomerUser.objects.exists()
    assert client.get("/c/review/")["Location"].startswith("/account/login/code/")


@pytest.mark.parametrize(
    "address", ["victim@stra\u00dfe.example", "victim@\uff53trasse.example", "victim@\u017ftrasse.example"]
)
def test_a_look_alike_address_gets_no_code_for_the_original(client, code, address):
    User.objects.create_user("victim@strasse.example")
    scan(client, code)
    ask_for_code(client, address)
    assert User.objects.filter(email__startswith="victim").count() == 1
    assert all(message.to == ["victim@strasse.example"] for message in mail.outbox if re.search(r"\d{6}", message.body))


def test_the_pending_code_survives_the_sign_in_but_the_session_id_changes(client, code):
    scan(client, code)
    before = client.session.session_key
    sign_in(client, MIRIAM)
    after = client.session.session_key
    assert after != before
    assert "claim" in client.session
    fixed = Client()
    fixed.cookies[settings.SESSION_COOKIE_NAME] = before
    assert fixed.get("/c/review/").status_code == 302
    assert "claim" not in fixed.session


def test_five_wrong_codes_end_the_sign_in(client, code):
    scan(client, code)
    ask_for_code(client, MIRIAM)
    right = mailed_code()
    wrong = "000000" if right != "000000" else "000001"
    for _try in range(4):
        assert "That code isn’t right" in confirm(client, wrong).content.decode()
    assert confirm(client, wrong)["Location"] == "/account/login/code/"
    assert confirm(client, right)["Location"] == "/account/login/code/"
    assert client.get("/c/review/").status_code == 302
    assert sign_in(client, MIRIAM)["Location"] == "/c/review/"


def test_a_volley_of_guesses_from_one_session_is_counted_in_the_database(client, code):
    scan(client, code)
    ask_for_code(client, MIRIAM)
    right, kept = mailed_code(), client.session["account_login"]
    wrong = "000000" if right != "000000" else "000001"
    for _try in range(5):
        confirm(client, wrong)
        session = client.session
        session["account_login"] = kept
        session.save()
    assert "Too many wrong codes" in confirm(client, right).content.decode()
    assert client.get("/c/review/").status_code == 302


def test_requesting_a_new_code_invalidates_the_old_one(client, code):
    scan(client, code)
    ask_for_code(client, MIRIAM)
    old = mailed_code()
    page = client.get(reverse("account_confirm_login_code")).content.decode()
    assert f'name="email" value="{MIRIAM}"' in page
    client.post(reverse("console:code_again"), {"email": MIRIAM, "next": reverse("claim:review")})
    assert len(mail.outbox) == 2
    assert mailed_code() != old
    assert confirm(client, old).status_code == 200
    assert confirm(client, mailed_code())["Location"] == "/c/review/"


HOSTILE = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "http:evil.example",
    "https:///evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "http:\\\\evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "ftp://evil.example",
    "https://localhost@evil.example",
    "https://evil.example/localhost",
    "//evil.example:8000",
    "http://localhost.evil.example",
    "http://testserver.evil.example",
    "http://evil.example#testserver",
    "\thttps://evil.example",
    "https://evil.example\t",
    " //evil.example",
    "/\t/evil.example",
    "//\tevil.example",
    "https:/\\evil.example",
    "////evil.example",
    "https://[::1",
    "http://evil.example\\@testserver",
    "//testserver@evil.example",
]


@pytest.mark.parametrize("target", HOSTILE)
def test_a_hostile_next_parameter_never_redirects_away(client, code, target):
    scan(client, code)
    asked = ask_for_code(client, MIRIAM, next=target)
    assert asked["Location"].startswith("/account/login/code/confirm/")
    assert "evil" not in asked["Location"]
    assert confirm(client, mailed_code(), next=target)["Location"] == "/c/review/"


def test_a_member_with_a_second_factor_is_asked_for_it_before_the_review(client, alice, code):
    from allauth.mfa.totp.internal.auth import TOTP

    TOTP.activate(alice, "A" * 32)
    scan(client, code)
    assert sign_in(client, alice.email)["Location"] == reverse("mfa_authenticate")
    assert client.get("/c/review/").status_code == 302


def test_an_unknown_host_is_refused(client, code):
    assert client.get("/c/", HTTP_HOST="evil.example").status_code == 400


def test_a_code_of_a_claim_domain_works_on_that_domain(client, profile, device, code, settings):
    _wrong_domain(profile, device)
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "claim.northlake.example"]
    for host in ("claim.northlake.example", "CLAIM.northlake.example:8443"):
        phone = Client(headers={"host": host})
        scan(phone, code)
        assert b"Aqua Meter" in phone.get("/c/").content


# The review


def test_the_review_names_the_account_and_what_will_be_granted(miriam, device):
    page = miriam.get("/c/review/").content.decode()
    for expected in ("Northlake", "Aqua Meter", device.serial_number, MIRIAM, "not you?", "You’ll be its owner."):
        assert expected in page


def test_the_sign_in_is_recorded_once(miriam):
    miriam.get("/c/review/")
    miriam.get("/c/review/")
    assert ClaimStep.objects.filter(step=Step.SIGN_IN).count() == 1


def test_not_you_signs_out_and_keeps_the_code(miriam):
    before = nonce(miriam)
    assert miriam.post(reverse("claim:switch"))["Location"] == "/c/"
    assert "_auth_user_id" not in miriam.session
    assert nonce(miriam) != before
    assert b"Aqua Meter" in miriam.get("/c/").content
    assert sign_in(miriam, "kofi@osei.example")["Location"] == "/c/review/"
    assert "kofi@osei.example" in miriam.get("/c/review/").content.decode()


def test_not_you_lets_the_address_be_corrected_while_waiting_for_the_email(client, code):
    scan(client, code)
    ask_for_code(client, "typo@osei.example")
    client.post(reverse("claim:switch"))
    assert sign_in(client, MIRIAM)["Location"] == "/c/review/"


def test_a_review_without_a_code_asks_to_scan_one(client_for, dana):
    client = client_for(dana)
    assert client.get("/c/review/")["Location"] == "/c/?gone"
    assert client.post("/c/redeem/")["Location"] == "/c/?gone"


def test_a_pending_claim_survives_a_sign_in_that_lost_its_next_page(client, code):
    scan(client, code)
    client.post(reverse("account_request_login_code"), {"email": MIRIAM})
    assert client.post(reverse("account_confirm_login_code"), {"code": mailed_code()})["Location"] == "/c/review/"


# The claim


def test_a_new_visitor_claims_and_becomes_a_customer_with_a_project(miriam, device):
    miriam.get("/c/review/")
    response = redeem(miriam, **NEW)
    claim = Claim.objects.get()
    assert (response.status_code, response["Location"]) == (303, f"/c/done/{claim.pk}/")
    customer = Customer.objects.get()
    device.refresh_from_db()
    assert (device.customer, device.status) == (customer, "owned")
    assert (customer.kind, customer.name, customer.email) == ("person", "Miriam Osei", MIRIAM)
    person = CustomerUser.objects.get()
    assert (person.role, person.user.email, person.user.name) == (CustomerRole.ADMIN, MIRIAM, "Miriam Osei")
    assert Ownership.objects.get(device=device).project == Project.objects.get(customer=customer, is_default=True)
    steps = ClaimStep.objects.order_by("pk").values_list("step", flat=True)
    assert list(steps) == ["scan", "sign_in", "claim"]


def test_a_new_visitor_can_claim_for_a_company(miriam):
    redeem(miriam, kind="company", name="Osei & Daughters")
    assert Customer.objects.get().kind == "company"
    assert User.objects.get(email=MIRIAM).name == ""


def test_a_device_can_be_claimed_while_it_is_switched_off(miriam, device):
    """Nothing on the way asks the device for anything."""
    assert redeem(miriam, **NEW).status_code == 303
    assert Device.objects.get(pk=device.pk).status == "owned"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"kind": "person", "name": " "},
        {"kind": "internal", "name": "X"},
        {"kind": "person", "name": "x" * 121},
        {"kind": "person", "name": "a\u202eb"},
    ],
)
def test_a_new_visitor_needs_a_valid_name_to_claim(miriam, fields):
    response = redeem(miriam, **fields)
    assert response.status_code == 422
    assert b"aria-invalid" in response.content
    assert not Customer.objects.exists()
    assert not Claim.objects.exists()


def test_a_customers_person_claims_for_their_customer_without_being_asked(client_for, dana, customer, device, code):
    client = client_for(dana)
    scan(client, code)
    assert "Stadtwerke Aalen" in client.get("/c/review/").content.decode()
    redeem(client)
    assert Device.objects.get(pk=device.pk).customer == customer


def test_a_person_of_several_customers_chooses_one(
    client_for, dana, customer, other_customer, organization, device, code
):
    CustomerUser.objects.create(organization=organization, customer=other_customer, user=dana, role="operator")
    client = client_for(dana)
    scan(client, code)
    assert redeem(client).status_code == 422
    assert redeem(client, customer=other_customer.pk).status_code == 303
    assert Device.objects.get(pk=device.pk).customer == other_customer


def test_nobody_can_claim_for_other_peoples_customers(
    client_for, dana, customer, other_customer, organization, device, code
):
    third = factories.make_customer(organization, "Third")
    CustomerUser.objects.create(organization=organization, customer=third, user=dana, role="admin")
    client = client_for(dana)
    scan(client, code)
    assert redeem(client, customer=other_customer.pk).status_code == 422
    assert not Claim.objects.exists()


def test_a_viewer_does_not_claim_for_the_customer(client_for, customer, device, code):
    viewer = factories.make_person(customer, "viewer@aalen.example", "viewer")
    client = client_for(viewer)
    scan(client, code)
    assert "Stadtwerke Aalen" not in client.get("/c/review/").content.decode()
    redeem(client, kind="person", name="Vera")
    assert Device.objects.get(pk=device.pk).customer.name == "Vera"


def test_a_customer_of_another_organization_is_new_here(client_for, other_organization, code, device):
    elsewhere = factories.make_customer(other_organization, "Elsewhere")
    client = client_for(factories.make_person(elsewhere, "e@else.example"))
    scan(client, code)
    redeem(client, kind="company", name="Here")
    assert Device.objects.get(pk=device.pk).customer.name == "Here"


def test_answers_to_the_profiles_questions_are_required_and_saved(client_for, dana, device):
    asked = [
        {"name": "site", "label": "Site name", "required": True},
        {"name": "note", "label": "Note", "required": False},
    ]
    profile = worlds.make_unit_profile(device.product, form=asked)
    client = client_for(dana)
    scan(client, printed(profile, device).link)
    missing = redeem(client)
    assert missing.status_code == 422
    assert not Claim.objects.exists()
    redeem(client, answer_site="Pump house")
    assert Claim.objects.get().answers == {"site": "Pump house", "note": ""}


def test_shared_access_does_not_change_the_owner(client_for, dana, customer, device, organization):
    profile = worlds.make_link_profile(organization, device, grant="access")
    client = client_for(dana)
    scan(client, printed(profile).link)
    assert "its owner stays the same" in client.get("/c/review/").content.decode()
    redeem(client)
    assert SharedAccess.objects.get().customer == customer
    assert Device.objects.get(pk=device.pk).customer is None


def test_only_a_post_with_a_csrf_token_claims(code, dana, device):
    client = Client(enforce_csrf_checks=True)
    client.force_login(dana, "allauth.account.auth_backends.AuthenticationBackend")
    scan(client, code)
    assert redeem(client).status_code == 403
    assert Device.objects.get(pk=device.pk).customer is None


@pytest.mark.parametrize(
    "name",
    ["claim:landing", "claim:switch", "claim:redeem", "account_request_login_code", "account_confirm_login_code"],
)
def test_every_post_on_the_way_needs_a_csrf_token(db, name):
    assert Client(enforce_csrf_checks=True).post(reverse(name), {}).status_code == 403


def test_the_page_of_another_code_claims_nothing(client_for, dana, product, profile, code):
    second = factories.make_device(product)
    claim_codes.make_for_devices(profile, [second.pk])
    client = client_for(dana)
    scan(client, code)
    old = nonce(client)
    scan(client, printed(profile, second).link)
    response = client.post("/c/redeem/", {"nonce": old})
    assert response.status_code == 409
    assert b"Another code has been scanned" in response.content
    assert not Claim.objects.exists()


def test_a_second_tap_and_going_back_lead_to_the_same_claim(miriam, profile):
    first = redeem(miriam, **NEW)
    second = redeem(miriam, **NEW)
    assert second["Location"] == first["Location"]
    assert miriam.get("/c/review/")["Location"] == first["Location"]
    assert Claim.objects.count() == Customer.objects.count() == 1
    assert ClaimProfile.objects.get(pk=profile.pk).claim_count == 1
    assert ClaimStep.objects.filter(step=Step.CLAIM).count() == 1


def test_scanning_ones_own_label_later_leads_to_the_claim(client_for, dana, code):
    client = client_for(dana)
    scan(client, code)
    done = redeem(client)["Location"]
    later = client_for(dana)
    scan(later, code)
    assert later.get("/c/review/")["Location"] == done


@pytest.mark.parametrize("cause", [cause for cause in BAD if cause != "unknown"])
def test_a_change_since_the_review_is_refused_and_creates_no_customer(miriam, cause, profile, device):
    before = Device.objects.get(pk=device.pk).customer
    BAD[cause](profile, device)
    customers = Customer.objects.count()
    response = redeem(miriam, **NEW)
    assert response.status_code == 409
    assert NEXT[cause] in response.content.decode()
    assert b"claim.css" in response.content
    assert Customer.objects.count() == customers
    assert not CustomerUser.objects.filter(user__email=MIRIAM).exists()
    assert before is None
    assert not Claim.objects.filter(user__email=MIRIAM).exists()
    assert ClaimStep.objects.filter(step=Step.REFUSAL, cause=cause).exists()


def test_a_label_replaced_after_its_scan_no_longer_works(miriam, profile, device):
    _returned(profile, device)
    page = miriam.get("/c/review/").content.decode()
    assert "This label was replaced" in page
    response = redeem(miriam, **NEW)
    assert response.status_code == 409
    assert b"This label was replaced" in response.content
    assert Device.objects.get(pk=device.pk).customer is None


def test_a_refusal_on_the_review_is_recorded_once(client_for, dana, profile, code):
    ClaimProfile.objects.filter(pk=profile.pk).update(is_enabled=False)
    client = client_for(dana)
    scan(client, code)
    for _again in range(2):
        client.get("/c/review/")
    assert list(ClaimStep.objects.filter(step=Step.REFUSAL).values_list("cause", flat=True)) == ["disabled"]


def join_at_once(monkeypatch, number: int, moment: float = 0.5) -> set[int]:
    """Let one new visitor join in several threads that meet after each has looked; return the ids created.

    If the others can't arrive because they wait their turn, nobody waits for them for longer than a `moment`.
    """
    organization, user = factories.make_organization(), User.objects.create_user(MIRIAM)
    meeting, made, looked = threading.Barrier(number), [], newcomers.claiming_customers

    def look(*args):
        found = list(looked(*args))
        with contextlib.suppress(threading.BrokenBarrierError):
            meeting.wait(moment)
        return _Found(found)

    def join() -> None:
        by = factories.actor_of(user)
        made.append(newcomers.join(organization, user=user, kind="person", name="Miriam", by=by).pk)
        connections.close_all()

    monkeypatch.setattr(newcomers, "claiming_customers", look)
    threads = [threading.Thread(target=join) for _each in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == number
    return set(made)


class _Found(list):
    def first(self):
        return self[0] if self else None


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_concurrent_posts_by_one_new_visitor_create_one_customer(monkeypatch):
    assert len(join_at_once(monkeypatch, 6)) == 1
    assert Customer.objects.count() == CustomerUser.objects.count() == 1


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_same_posts_create_several_customers(monkeypatch):
    """SQLite always has one writer at a time; PostgreSQL shows what the lock is for."""
    monkeypatch.setattr(throttle, "take_turn", lambda scope, who: None)
    if connection.vendor == "postgresql":
        assert len(join_at_once(monkeypatch, 3, PATIENCE)) == 3
    else:
        assert len(join_at_once(monkeypatch, 3)) == 1


def test_a_refused_claim_rolls_back_the_new_customer(db, device, profile, monkeypatch):
    from console.errors import Refused

    user = User.objects.create_user(MIRIAM)

    def refuse(*args, **kwargs):
        raise Refused("used_up", "All gone.")

    monkeypatch.setattr("claims.redemption.actions.redemption.redeem", refuse)
    with pytest.raises(Refused):
        redemption.redeem_as(
            ClaimCode.objects.select_related("profile__organization").get(device=device),
            claimant=redemption.Claimant(kind="person", name="M"),
            by=factories.actor_of(user),
            host="x",
        )
    assert not Customer.objects.exists()
    assert ClaimStep.objects.get().cause == "used_up"


# After the claim


def test_the_last_page_links_to_the_device_and_the_documents(client_for, dana, device, organization):
    profile = worlds.make_link_profile(organization, device, documents=[("Manual", "https://example.com/m.pdf")])
    client = client_for(dana)
    scan(client, printed(profile).link)
    page = client.get(redeem(client)["Location"]).content.decode()
    assert "It is yours" in page
    assert reverse("portal:device_detail", args=[device.pk]) in page
    assert 'href="https://example.com/m.pdf" rel="noopener noreferrer"' in page


def test_the_last_page_is_only_shown_to_its_customer(client_for, dana, erin, code):
    client = client_for(dana)
    scan(client, code)
    done = redeem(client)["Location"]
    assert client_for(erin).get(done).status_code == 404
    assert Client().get(done).status_code == 302


def test_the_last_page_does_not_link_to_a_device_that_was_given_back(client_for, dana, device, code, profile):
    client = client_for(dana)
    scan(client, code)
    done = redeem(client)["Location"]
    ownership.unclaim([device.pk], reason="Returned", by=_alice(profile))
    page = client.get(done).content.decode()
    assert "no longer yours" in page
    assert reverse("portal:device_detail", args=[device.pk]) not in page


# What must not leak


def test_codes_are_stored_nowhere_in_the_database(miriam, code, profile, device):
    redeem(miriam, **NEW)
    typed = printed(profile, device).typed
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            dump = str(cursor.fetchall())
            assert code not in dump, table
            assert typed not in dump, table


def test_codes_are_hidden_in_log_lines(code):
    from console.logs import HideCodes

    for text in (
        f"GET /c/{code} HTTP/1.1",
        f"GET /C/{code}/ 429",
        f"Not Found: /c/{code}?x=1",
        f"https://x.example/C/{code}",
    ):
        record = logging.LogRecord("django.request", logging.WARNING, "", 0, "%s", (text,), None)
        HideCodes().filter(record)
        assert code not in record.getMessage()
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["codes"]


@pytest.mark.parametrize("path", ["/c/", "/c/review/", "/c/?another"])
def test_pages_on_the_way_are_not_cached(miriam, path):
    assert "no-store" in miriam.get(path)["Cache-Control"]
