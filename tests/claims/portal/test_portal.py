"""The portal: people see what their customer owns now, and nothing that belongs to anybody else."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from console import words
from console.models import User
from customers.models import Customer, CustomerUser, Project
from customers.projects.actions import projects
from devices import ledger
from devices.actions import ownership
from devices.acts import Act
from devices.models import Device, Ownership
from tests import factories
from tests.claims import worlds
from tests.claims.phone import printed, redeem, scan

pytestmark = pytest.mark.django_db

HOME, PAST = "/portal/", "/portal/past/"


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def detail(device: Device) -> str:
    return reverse("portal:device_detail", args=[device.pk])


# Who sees what


def test_people_see_the_devices_that_their_customer_owns_now_and_no_others(
    client_for, dana, owned, make_devices, erin, by, other_customer
):
    in_stock, foreign = make_devices(2)
    ownership.assign([foreign.pk], customer=other_customer, by=by)
    html = page(client_for(dana), HOME)
    assert owned.serial_number in html
    assert "Aqua Meter" in html
    assert in_stock.serial_number not in html
    assert foreign.serial_number not in html
    assert "Hallberg" not in html


def test_the_device_page_shows_the_start_date_and_a_contact(client_for, dana, owned, organization):
    organization.support_phone, organization.support_email = "+49 731 555 0100", "help@northlake.example"
    organization.save(update_fields=["support_phone", "support_email"])
    html = page(client_for(dana), detail(owned))
    for expected in (
        owned.serial_number,
        owned.device_name,
        "Yours since",
        "Stadtwerke Aalen",
        "+49 731 555 0100",
        "help@northlake.example",
    ):
        assert expected in html


@pytest.mark.parametrize("who", ["erin", "alice", "charlie"])
def test_a_device_of_another_customer_is_not_found(request, client_for, owned, who):
    client = client_for(request.getfixturevalue(who))
    assert client.get(detail(owned)).status_code == 404
    project = Ownership.objects.get(device=owned).project
    assert client.get(reverse("portal:project_detail", args=[project.pk])).status_code == 404


def test_an_unowned_or_unknown_device_is_not_found(client_for, dana, device):
    client = client_for(dana)
    assert client.get(detail(device)).status_code == 404
    assert client.get("/portal/devices/999999/").status_code == 404


def test_a_transferred_device_disappears_but_the_past_span_remains(client_for, dana, erin, owned, by, other_customer):
    ownership.unclaim([owned.pk], reason="Sold", by=by)
    ownership.assign([owned.pk], customer=other_customer, by=by, note="second hand")
    client = client_for(dana)
    assert client.get(detail(owned)).status_code == 404
    assert owned.serial_number not in page(client, HOME)
    past = page(client, PAST)
    assert owned.serial_number in past
    assert "Hallberg" not in past
    assert f'"{detail(owned)}"' not in past
    # Messages from before the handover can still be read.
    assert f"/portal/devices/{owned.pk}/messages/" in past
    assert client.get(f"/portal/devices/{owned.pk}/messages/").status_code == 200
    mine = page(client_for(erin), detail(owned))
    assert "Stadtwerke" not in mine
    assert "Sold" not in mine
    assert mine.count("<time") == 2


def test_a_customer_that_gets_a_device_back_sees_both_spans(client_for, dana, owned, customer, other_customer, by):
    ownership.unclaim([owned.pk], reason="Sold", by=by)
    ownership.assign([owned.pk], customer=other_customer, by=by)
    ownership.unclaim([owned.pk], reason="Back", by=by)
    ownership.assign([owned.pk], customer=customer, by=by)
    html = page(client_for(dana), detail(owned))
    assert html.count("circle-check") == 1
    assert html.count("#history") == 2  # the menu's own, and the past span's
    assert "Hallberg" not in html


def test_a_shared_device_is_marked_for_the_recipient_but_not_for_its_owner(
    client_for, dana, erin, owned, other_customer, by
):
    ledger.share(
        [owned.pk], Act(by), customer=other_customer, project=projects.default_of(other_customer), reason="claim"
    )
    client = client_for(erin)
    assert "Shared" in page(client, HOME)
    assert "Shared with you since" in page(client, detail(owned))
    assert "Shared" not in page(client_for(dana), HOME)


def test_ended_access_takes_effect_with_the_next_request(client_for, erin, owned, other_customer, by):
    ledger.share(
        [owned.pk], Act(by), customer=other_customer, project=projects.default_of(other_customer), reason="claim"
    )
    client = client_for(erin)
    assert client.get(detail(owned)).status_code == 200
    ownership.unclaim([owned.pk], reason="Returned", by=by)
    assert client.get(detail(owned)).status_code == 404
    assert owned.serial_number not in page(client, HOME)


def test_an_additional_member_sees_the_project_but_nothing_else(client_for, bob, owned, customer, by, product):
    other = factories.make_device(product)
    second = projects.make(customer, name="Basement", by=by)
    ownership.assign([other.pk], customer=customer, by=by, project=second)
    factories.let_in(projects.default_of(customer), bob)
    client = client_for(bob)
    html = page(client, HOME)
    assert owned.serial_number in html
    assert other.serial_number not in html
    assert client.get(detail(other)).status_code == 404
    assert client.get(second.get_absolute_url()).status_code == 404


def test_an_additional_member_of_the_only_project_sees_its_devices(client_for, bob, owned, customer):
    project = projects.default_of(customer)
    factories.let_in(project, bob)
    client = client_for(bob)
    for address in (HOME, project.get_absolute_url(), detail(owned)):
        assert owned.serial_number in page(client, address)


def test_devices_of_projects_beyond_the_listed_ones_can_still_be_found(
    client_for, dana, owned, customer, by, product, monkeypatch
):
    monkeypatch.setattr("claims.redemption.portal_queries.MOST_PROJECTS", 1)
    far = factories.make_device(product, "AQM26-777777")
    ownership.assign([far.pk], customer=customer, by=by, project=projects.make(customer, name="Zoo", by=by))
    client = client_for(dana)
    html = page(client, HOME)
    assert "Only the first 100 projects" in html
    assert far.serial_number in html
    assert owned.serial_number in html


def test_removed_people_and_people_of_an_archived_customer_see_nothing(client_for, dana, owned, customer):
    client = client_for(dana)
    CustomerUser.objects.filter(user=dana).update(removed_at=timezone.now())
    assert client.get(detail(owned)).status_code == 404
    CustomerUser.objects.filter(user=dana).update(removed_at=None)
    assert client.get(detail(owned)).status_code == 200
    Customer.objects.filter(pk=customer.pk).update(archived_at=timezone.now())
    assert client.get(detail(owned)).status_code == 404
    assert owned.serial_number not in page(client, HOME)


# Documents


def test_documents_of_a_claim_are_shown_by_the_device_while_its_owner_has_it(
    client_for, dana, erin, device, organization, other_customer, by
):
    profile = worlds.make_link_profile(organization, device, documents=[("Manual", "https://example.com/m.pdf")])
    client = client_for(dana)
    scan(client, printed(profile).link)
    redeem(client)
    assert 'href="https://example.com/m.pdf"' in page(client, detail(device))
    ownership.unclaim([device.pk], reason="Returned", by=by)
    ownership.assign([device.pk], customer=other_customer, by=by)
    assert "example.com" not in page(client_for(erin), detail(device))


# Several projects


def test_several_projects_are_listed_with_their_device_counts(client_for, dana, owned, customer, by, make_devices):
    basement = projects.make(customer, name="Basement", by=by)
    ownership.assign([d.pk for d in make_devices(2)], customer=customer, by=by, project=basement)
    client = client_for(dana)
    html = page(client, HOME)
    assert basement.get_absolute_url() in html
    assert "2 devices" in html
    assert "1 device<" in html.replace("\n", "")
    inside = page(client, basement.get_absolute_url())
    assert inside.count("/portal/devices/") == 2
    assert owned.serial_number not in inside


def test_the_brand_is_shown_unless_there_are_several(client_for, dana, owned, other_organization):
    client = client_for(dana)
    assert "<span>Northlake</span>" in page(client, HOME)
    elsewhere = factories.make_customer(other_organization, "Elsewhere")
    CustomerUser.objects.create(organization=other_organization, customer=elsewhere, user=dana)
    assert "<span>Custody</span>" in page(client, HOME)
    assert "<span>Northlake</span>" in page(client, detail(owned))


# Nobody


def test_a_customer_without_devices_is_asked_to_scan_a_code(client_for, dana):
    html = page(client_for(dana), HOME)
    assert "Scan the code on your device" in html
    assert 'href="/c/?another"' in html


def test_a_member_who_belongs_to_no_customer_gets_a_friendly_page(client_for, alice):
    html = page(client_for(alice), HOME)
    assert "You aren&#x27;t a customer yet" in html.replace("'", "&#x27;")
    assert 'href="/"' in html
    assert "No past devices" in page(client_for(alice), PAST)


def test_a_person_who_belongs_to_nothing_gets_a_page_too(client_for, db):
    html = page(client_for(User.objects.create_user("new@x.example")), HOME)
    assert "Scan the code on your device" in html
    assert 'href="/"' not in html


def test_a_customer_who_opens_the_console_is_redirected_to_the_portal(client_for, dana):
    client = client_for(dana)
    assert client.get("/")["Location"] == "/portal/"
    assert client.get("/devices/").status_code == 403


@pytest.mark.parametrize("address", [HOME, PAST, "/portal/devices/1/", "/portal/projects/1/"])
def test_signed_out_visitors_sign_in_by_emailed_code_and_return(client, organization, address):
    assert client.get(address)["Location"] == f"/account/login/code/?next={address}"


def test_a_customer_signs_in_by_code_and_reaches_the_portal(client, dana, owned):
    from tests.claims.phone import ask_for_code, confirm, mailed_code

    ask_for_code(client, dana.email, next=detail(owned))
    assert confirm(client, mailed_code(), next=detail(owned))["Location"] == detail(owned)
    assert owned.serial_number in page(client, detail(owned))


# Search, pages, cost


def test_search_finds_any_part_of_a_serial_number_among_ones_own_devices(
    client_for, dana, customer, other_customer, product, by
):
    mine = [factories.make_device(product, f"AQM26-20{n:04d}") for n in range(25)]
    theirs = factories.make_device(product, "AQM26-990007")
    ownership.assign([d.pk for d in mine], customer=customer, by=by)
    ownership.assign([theirs.pk], customer=other_customer, by=by)
    client = client_for(dana)
    assert 'name="q"' in page(client, HOME)
    html = page(client, f"{HOME}?q=0007")
    assert html.count("/portal/devices/") == 1
    assert "AQM26-200007" in html
    assert "Nothing found" in page(client, f"{HOME}?q=990007")
    for odd in ("%25", "%5C", "%27%3B", "%E2%80%AE", "x" * 500):
        assert client.get(f"{HOME}?q={odd}").status_code == 200


def test_up_to_twenty_devices_have_no_search_field(client_for, dana, customer, by, make_devices):
    ownership.assign([d.pk for d in make_devices(20)], customer=customer, by=by)
    assert 'name="q"' not in page(client_for(dana), HOME)


def test_paging_goes_through_all_devices_and_back(client_for, dana, customer, by, product):
    ids = worlds.make_many_devices(product, 130)
    ownership.assign(ids, customer=customer, by=by)
    client, address, seen = client_for(dana), HOME, []
    for _page in range(6):
        html = page(client, address)
        seen += re.findall(r"BULK-\d{6}", html)
        following = re.search(r'rel="next" href="([^"]+)"', html)
        address = HOME + following[1].replace("&amp;", "&") if following else ""
    assert seen == sorted(seen)
    assert len(seen) == len(set(seen)) == 130
    assert not address
    before = re.search(r'rel="prev" href="([^"]+)"', html)
    assert "BULK-000100" in page(client, HOME + before[1].replace("&amp;", "&"))


@pytest.mark.parametrize("cursor", ["x", "%00", "W10", "bnVsbA", "eyJhIjoxfQ"])
def test_an_invalid_cursor_shows_the_first_page(client_for, dana, owned, cursor):
    if cursor != "%00":
        assert owned.serial_number in page(client_for(dana), f"{HOME}?cursor={cursor}")
    else:
        assert client_for(dana).get(f"{HOME}?cursor={cursor}").status_code == 400


@pytest.mark.parametrize("place", ["home", "project"])
def test_a_page_takes_the_same_few_queries_however_many_devices_it_shows(
    client_for, dana, customer, by, product, place
):
    address = HOME if place == "home" else projects.default_of(customer).get_absolute_url()
    counts = []
    for more in (3, 60):
        ids = [factories.make_device(product).pk for _each in range(more)]
        ownership.assign(ids, customer=customer, by=by)
        client = client_for(dana)
        with CaptureQueriesContext(__import__("django.db").db.connection) as queries:
            page(client, address)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8


def test_past_devices_are_paged_newest_first(client_for, dana, customer, by, product):
    ids = worlds.make_many_devices(product, 60)
    at = timezone.now() - timedelta(days=30)
    ownership.assign(ids, customer=customer, by=by, at=at)
    for number, pk in enumerate(ids):
        ledger.release([pk], Act(by, at=at + timedelta(hours=number + 1)), reason="unclaim")
    client = client_for(dana)
    html = page(client, PAST)
    assert re.findall(r"BULK-\d{6}", html)[0] == "BULK-000059"
    assert html.count("BULK-") == 25
    following = re.search(r'rel="next" href="([^"]+)"', html)[1].replace("&amp;", "&")
    assert page(client, PAST + following).count("BULK-") == 25


# The frame


def test_times_are_in_the_persons_time_zone(client_for, dana, device, customer, by):
    ownership.assign([device.pk], customer=customer, by=by, at=datetime(2026, 11, 20, 23, 30, tzinfo=UTC))
    client = client_for(dana)
    assert "20 Nov 2026" in page(client, detail(device))
    client.cookies["custody_tz"] = "Asia/Tokyo"
    assert "21 Nov 2026" in page(client, detail(device))
    User.objects.filter(pk=dana.pk).update(time_zone="America/New_York")
    assert "20 Nov 2026" in page(client, detail(device))


def test_pages_are_not_cached_and_do_not_use_htmx(client_for, dana, owned):
    client = client_for(dana)
    for address in (HOME, PAST, detail(owned), Project.objects.get().get_absolute_url()):
        response = client.get(address)
        assert "no-store" in response["Cache-Control"]
        assert b"hx-" not in response.content
        assert b"console.css" not in response.content


def test_signing_out_leads_to_the_sign_in_by_code(client_for, dana, owned):
    client = client_for(dana)
    response = client.post(reverse("account_logout"), {"next": reverse("account_request_login_code")})
    assert response["Location"] == "/account/login/code/"
    assert client.get(HOME).status_code == 302


def test_the_chosen_language_is_kept(client_for, dana, owned):
    client = client_for(dana)
    assert 'lang="en"' in page(client, HOME)
    assert client.post(reverse("console:language"), {"language": "de", "next": HOME})["Location"] == HOME
    html = page(client, HOME)
    assert '<html lang="de">' in html
    assert "Abmelden" in html


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_choosing_a_language_does_not_redirect_to_other_sites(client, db, target):
    response = client.post(reverse("console:language"), {"language": "de", "next": target})
    assert response["Location"] == "/"


def test_names_are_shown_as_text(client_for, dana, owned, customer, product):
    type(product).objects.filter(pk=product.pk).update(name="<img src=x onerror=alert(1)>")
    words.write("product", {product.pk: "<img src=x onerror=alert(1)>"})
    Project.objects.filter(customer=customer).update(name="<b>bold</b>")
    for address in (HOME, detail(owned)):
        html = page(client_for(dana), address)
        assert "<img src=x" not in html
        assert "<b>bold" not in html
