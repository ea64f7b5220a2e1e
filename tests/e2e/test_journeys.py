"""The journeys of the design as the person walks them, from the factory manifest to a claimed device and back."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PHONE, Person, mailed_code, read_qr

DATA = Path(__file__).resolve().parent.parent / "data"
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def owner(person: Any, server: Any) -> Person:
    """The first run: the link that the server printed makes the organization and its owner."""
    alice = person()
    alice.go(server.setup)
    alice.fill(Organization="Northlake Sensors", Your_name="Alice Kemp", Your_email_address="alice@northlake.example")
    alice.page.get_by_label("Password", exact=True).fill(PASSWORD)
    alice.page.get_by_label(re.compile("two-factor")).uncheck()
    alice.press("Create organization")
    alice.sees("Overview")
    alice.check("home")
    return alice


@pytest.fixture(scope="module")
def imported(owner: Person) -> Person:
    """J1: make a product, drop the manifest, look at the preview, apply."""
    owner.go("/products/new/")
    owner.fill(Name="Aqua Meter", Description="Claim this meter to see its readings.")
    owner.press("Create product")
    owner.check("product")
    owner.follow("Import manifest")
    owner.check("import")
    owner.page.set_input_files("input[type=file]", DATA / "aqua-meter-lot-2611.csv")
    owner.page.get_by_role("button", name=re.compile("Check|Upload|Preview")).click()
    owner.sees("5,000")
    owner.check("preview")
    owner.page.get_by_role("button", name=re.compile("^Import (all|[0-9])")).first.click()
    expect(owner.page.get_by_role("heading", name=re.compile("^Applied by"))).to_be_visible(timeout=60_000)
    owner.check("applied")
    return owner


@pytest.fixture(scope="module")
def offer(imported: Person) -> Person:
    """J2: a claim profile whose every unit has a code."""
    imported.go("/claim-profiles/new/")
    imported.fill(Name="Aqua Meter owners")
    imported.page.get_by_label("One code per device").check()
    imported.page.locator("select[name=product]").select_option(label="Aqua Meter")
    imported.page.get_by_role("button", name=re.compile("Create claim profile")).click()
    imported.sees("Aqua Meter owners")
    imported.check("profile")
    return imported


def find(someone: Person, text: str) -> None:
    """What a scanner gun does: the keyboard's slash, the serial, Enter."""
    someone.page.goto("/")
    someone.page.keyboard.press("/")
    someone.page.keyboard.type(text)
    someone.page.keyboard.press("Enter")
    someone.page.wait_for_url(re.compile(r"/devices/\d+/"))


def claim(phone: Person, link: str, address: str, name: str = "") -> None:
    """J3: scan, sign in with the mailed code, review, claim."""
    phone.page.goto(link)
    expect(phone.page).to_have_url(re.compile(r"/c/$"))
    phone.check("landing")
    phone.page.get_by_label(re.compile("mail")).fill(address)
    phone.press("Continue")
    phone.check("code")
    phone.page.get_by_label(re.compile("code", re.IGNORECASE)).first.fill(mailed_code(phone, address))
    # Six digits send themselves.
    phone.page.wait_for_url(re.compile("/c/review/"))
    phone.check("review")
    phone.sees(address)
    if name:
        phone.page.get_by_label(re.compile("name", re.IGNORECASE)).first.fill(name)


@pytest.fixture(scope="module")
def claimed(offer: Person, person: Any, tmp_path_factory: Any) -> dict:
    """Miriam claims AQM26-100000 with her phone, from the picture of its code on the screen."""
    find(offer, "aqm26-100000")
    offer.check("device")
    pictures = tmp_path_factory.mktemp("pictures")
    link = read_qr(offer.page, pictures / "label.png")
    phone = person(PHONE, has_touch=True, is_mobile=True)
    claim(phone, link, "miriam@osei.example", "Miriam Osei")
    phone.press("Claim")
    phone.page.wait_for_url(re.compile("/c/done/"))
    phone.check("done")
    return {"phone": phone, "link": link}


def test_j1_a_manifest_becomes_devices_in_stock(imported):
    imported.go("/devices/")
    imported.sees("1–50 of 5,000")
    find(imported, "AQM26-100007")
    imported.sees("In stock")


def test_j2_a_claim_profile_gives_every_device_its_code(offer):
    offer.go("/claim-profiles/")
    offer.follow("Aqua Meter owners")
    offer.sees("5,000")


def test_j3_a_customer_claims_a_device_by_phone_and_sees_it_in_the_portal(claimed, offer):
    assert re.fullmatch(r"HTTP://LOCALHOST:\d+/C/[0-9A-HJKMNP-TV-Z]{26}", claimed["link"])
    phone = claimed["phone"]
    phone.go("/portal/")
    phone.sees("AQM26-100000")
    phone.page.get_by_role("link", name=re.compile("AQM26-100000")).first.click()
    phone.sees("Aqua Meter")
    phone.check("portal device")
    find(offer, "AQM26-100000")
    offer.sees("Miriam Osei")
    offer.check("owned device")


def test_j5_support_takes_a_device_back_and_another_customer_claims_it(claimed, offer, person, tmp_path):
    find(offer, "AQM26-100000")
    offer.follow("Unclaim…")
    offer.check("unclaim")
    offer.fill(Reason="meter shows E4")
    offer.press("Unclaim 1 device")
    offer.sees("1 device unclaimed")
    offer.sees("In stock")
    offer.check("device that came back")
    new_link = read_qr(offer.page, tmp_path / "label.png")
    assert new_link != claimed["link"]

    former = claimed["phone"]
    former.page.goto("/portal/")
    expect(former.page.get_by_role("link", name=re.compile("AQM26-100000"))).to_have_count(0)

    thief = person(PHONE)
    thief.page.goto(claimed["link"])
    expect(thief.page.get_by_text("Aqua Meter")).to_have_count(0)
    thief.check("landing of a dead code")

    erin = person(PHONE)
    claim(erin, new_link, "erin@hallberg.example", "Erin Hall")
    erin.press("Claim")
    erin.page.wait_for_url(re.compile("/c/done/"))
    erin.go("/portal/")
    erin.sees("AQM26-100000")
    find(offer, "AQM26-100000")
    offer.sees("Erin Hall")
    offer.sees("meter shows E4")


def test_a_device_is_assigned_before_it_is_shipped(offer):
    offer.go("/customers/new/")
    offer.fill(Name="Stadtwerke Aalen")
    offer.press("Create customer")
    find(offer, "AQM26-100014")
    offer.follow("Assign…")
    offer.check("assign")
    offer.page.get_by_label("Customer").fill("Stadtwerke")
    offer.press("Assign 1 device")
    offer.sees("1 device assigned to Stadtwerke Aalen.")


# The journeys check the pages that they come to on a desk.
@pytest.mark.parametrize("width", [pytest.param(1280, marks=pytest.mark.thorough), 360])
def test_axe_finds_nothing_on_any_page(offer, claimed, person, width, server):
    """Every page of the console that is reached by a link, in both themes and both widths."""
    visitor = person({"width": width, "height": 800}, storage_state=offer.context.storage_state())
    pages = [
        "/",
        "/devices/",
        "/devices/?status=owned",
        "/devices/?q=nothing",
        "/devices/1/",
        "/devices/1/edit/",
        "/devices/new/",
        "/devices/import/",
        "/devices/assign/?ids=2",
        "/devices/unclaim/?ids=1",
        "/products/",
        "/products/1/",
        "/products/1/edit/",
        "/customers/",
        "/customers/1/",
        "/customers/1/edit/",
        "/customers/1/people/invite/",
        "/customers/import/",
        "/claim-profiles/",
        "/claim-profiles/1/",
        "/claim-profiles/1/edit/",
        "/claim-profiles/1/units/",
        "/claim-profiles/1/claims/",
        "/claim-profiles/new/",
        "/activity/",
        "/search/?q=aqm",
        "/settings/",
        "/settings/members/",
        "/settings/members/invite/",
        "/settings/roles/",
        "/settings/domains/",
        "/account/",
        "/account/security/",
        "/nowhere/",
    ]
    for address in pages:
        visitor.go(address)
    signed_out = person({"width": width, "height": 800})
    for address in ("/account/login/", "/account/login/code/", "/account/password/reset/", "/c/", server.mailbox):
        signed_out.go(address)
    customer = person({"width": width, "height": 800}, storage_state=claimed["phone"].context.storage_state())
    for address in ("/portal/",):
        customer.go(address)
