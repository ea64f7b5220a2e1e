"""J5 as support walks it: a customer asks for a return, the unit is scanned, received, undone, inspected, restocked;
another one is swapped."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import DESK, PHONE, Person, mailed_code

PASSWORD = "correct horse battery staple"
ADDRESS = "alice@northlake.example"


@pytest.fixture(scope="module")
def support(person: Any, server: Any) -> Person:
    """Whoever runs the organization: the first run makes it, or she signs in where another journey made it."""
    alice = person(DESK)
    alice.page.goto(server.setup)
    if alice.page.get_by_label("Organization").count():
        alice.fill(Organization="Northlake Sensors", Your_name="Alice Kemp", Your_email_address=ADDRESS)
        alice.page.get_by_label("Password", exact=True).fill(PASSWORD)
        alice.page.get_by_label(re.compile("two-factor")).uncheck()
        alice.press("Create organization")
    else:
        alice.page.goto("/account/login/")
        alice.page.get_by_label(re.compile("mail", re.IGNORECASE)).first.fill(ADDRESS)
        alice.page.get_by_label("Password", exact=True).fill(PASSWORD)
        alice.press("Sign in")
    alice.sees("Overview")
    return alice


@pytest.fixture(scope="module")
def world(support: Person) -> dict:
    """A product with a code for each unit, three units, and a customer with a person who owns two of them."""
    support.go("/products/new/")
    support.fill(Name="Pressure Probe", Description="Measures pressure.")
    support.press("Create product")
    support.page.wait_for_url(re.compile(r"/products/\d+/$"))
    support.go("/claim-profiles/new/")
    support.fill(Name="Pressure Probe owners")
    support.page.get_by_label("One code per device").check()
    support.page.locator("select[name=product]").select_option(label="Pressure Probe")
    support.page.get_by_role("button", name=re.compile("Create claim profile")).click()
    support.sees("Pressure Probe owners")
    pages = []
    for number in range(3):
        support.page.goto("/devices/new/")
        support.page.locator("select[name=product]").select_option(label="Pressure Probe")
        support.fill(Serial=f"PRB-{number}", Device_name=f"probe-{number:06d}")
        support.page.get_by_role("button", name=re.compile("Register")).click()
        support.page.wait_for_url(re.compile(r"/devices/\d+/$"))
        pages.append(support.page.url)
    support.page.goto("/customers/new/")
    support.fill(Name="Waterworks Ulm")
    support.press("Create customer")
    support.page.wait_for_url(re.compile(r"/customers/\d+/$"))
    support.page.goto(f"{support.page.url}people/invite/")
    support.page.get_by_label(re.compile("mail")).fill("ute@ulm.example")
    support.press("Send invitation")
    ids = [re.search(r"/devices/(\d+)/", url)[1] for url in pages]
    for pk in ids[:2]:
        support.page.goto(f"/devices/assign/?ids={pk}")
        support.page.get_by_label("Customer").fill("Waterworks")
        support.press("Assign 1 device")
        support.sees("1 device assigned to Waterworks Ulm.")
    return {"ids": ids, "pages": pages}


@pytest.fixture(scope="module")
def asked(world: dict, person: Any) -> str:
    """Ute asks in the portal to send PRB-0 back, and gets a number and a slip."""
    ute = person(PHONE, has_touch=True, is_mobile=True)
    ute.page.goto("/account/login/code/")
    ute.page.get_by_label(re.compile("mail")).fill("ute@ulm.example")
    ute.press("Continue")
    ute.page.get_by_label(re.compile("code", re.IGNORECASE)).first.fill(mailed_code(ute, "ute@ulm.example"))
    # Six digits send themselves.
    ute.page.wait_for_url(re.compile("/portal/"))
    ute.page.goto(f"/portal/devices/{world['ids'][0]}/")
    ute.follow("Return this device")
    ute.check("send back")
    ute.page.get_by_label("Defective").check()
    ute.fill(Note="shows E4")
    ute.press("Get the return slip")
    ute.page.wait_for_url(re.compile(r"/portal/returns/\d+/"))
    ute.check("portal return")
    with ute.page.expect_download() as download:
        ute.page.get_by_role("link", name=re.compile("Return slip")).click()
    assert re.fullmatch(r"R-\d{5}\.pdf", download.value.suggested_filename)
    ute.go("/portal/returns/")
    return download.value.suggested_filename.removesuffix(".pdf")


def scan(support: Person, *texts: str) -> None:
    """What a scanner gun does: the text and Enter, without waiting for an answer."""
    for text in texts:
        support.page.keyboard.type(text)
        support.page.keyboard.press("Enter")


def test_support_scans_receives_undoes_inspects_and_restocks(support, world, asked):
    support.go("/returns/")
    support.page.goto("/returns/workbench/")
    expect(support.page.get_by_label("Scan or type a returned device")).to_be_focused()
    scan(support, asked, "nothing", "prb-1")
    support.sees("PRB-1 can be received.")
    support.sees("2 devices on the workbench")
    support.sees("shows E4")
    expect(support.page.get_by_label("Scan or type a returned device")).to_be_focused()
    expect(support.page.get_by_label("Scan or type a returned device")).to_have_value("")
    support.check("workbench")
    support.page.get_by_role("button", name="Remove PRB-1 from the workbench").click()
    support.sees("1 device on the workbench")
    support.press("Receive 1 device")
    support.sees("1 device received into quarantine.")
    support.check("received")
    support.follow("Undo")
    support.check("undo")
    support.press("Return 1 device to its owner")
    support.sees("1 device is as it was before.")

    support.page.goto("/returns/workbench/")
    scan(support, asked)
    support.sees("PRB-0 can be received.")
    support.page.get_by_label("Reason").select_option(label="Defective")
    support.press("Receive 1 device")
    support.sees("1 device received into quarantine.")
    support.follow("Inspect now")
    support.check("inspect")
    for group in support.page.get_by_role("group").all():
        if group.get_by_label("In order", exact=True).count():
            group.get_by_label("In order", exact=True).check()
    support.page.get_by_label("Grade").select_option(label="B: used, works")
    support.page.get_by_label(re.compile("Restock:")).check()
    support.press("Save for 1 device")
    support.sees("Back in stock.")
    support.check("return")
    support.go("/returns/labels/")
    support.sees("PRB-0")
    support.page.goto(world["pages"][0])
    support.sees("In stock")


def test_support_gives_a_customer_another_device(support, world, asked):
    support.page.goto(f"{world['pages'][1]}swap/")
    support.check("swap")
    support.fill(Replacement="PRB-2")
    support.press("Swap the devices")
    support.sees("PRB-2 has replaced PRB-1 for Waterworks Ulm")
    support.sees("Owned")
    support.check("swapped in")


def test_reasons_and_the_checklist_are_set_up(support, world):
    support.go("/settings/returns/")
    support.fill(Return_address="Dock 3, 73430 Aalen")
    support.press("Save slip")
    support.sees("Saved.")
    support.page.get_by_role("group", name="New, line 8").get_by_label("Text").fill("Water inside")
    support.press("Save reasons")
    support.sees("Saved.")
    support.page.goto("/returns/workbench/")
    expect(support.page.get_by_label("Reason")).to_contain_text("Water inside")


# The journeys check the pages that they come to on a desk.
@pytest.mark.parametrize("width", [pytest.param(1280, marks=pytest.mark.thorough), 360])
def test_axe_finds_nothing_on_the_pages_of_returns(support, world, asked, person, width):
    visitor = person({"width": width, "height": 800}, storage_state=support.context.storage_state())
    for address in (
        "/returns/",
        "/returns/?state=restocked",
        "/returns/workbench/",
        "/returns/labels/",
        f"/returns/workbench/?ids={','.join(world['ids'])}",
        "/returns/1/",
        "/returns/inspect/?ids=1",
        f"/devices/{world['ids'][2]}/swap/",
        "/settings/returns/",
        world["pages"][0],
    ):
        visitor.go(address)
