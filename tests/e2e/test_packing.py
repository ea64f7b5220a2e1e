"""J4: a shipment is packed with a scanner gun and a photo, shipped, and stands in the customer's name at once."""

import re
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PHONE, Person
from tests.e2e.test_returns import support  # noqa: F401 - the first run, or the sign-in after it

SERIALS = [f"FLW26-{number:04d}" for number in range(4)]


@pytest.fixture
def packer(support: Person, tmp_path: Path) -> Person:  # noqa: F811
    """Four flow probes with a code each, from a manifest, and a customer."""
    support.go("/products/new/")
    support.fill(Name="Flow Probe")
    support.press("Create product")
    manifest = tmp_path / "flow.csv"
    lines = [f"{serial},flowprobe{number:08d}" for number, serial in enumerate(SERIALS)]
    manifest.write_text("\n".join(["serial_number,device_name", *lines]))
    support.follow("Import manifest")
    support.page.set_input_files("input[type=file]", manifest)
    support.press("Check the file")
    support.page.get_by_role("button", name=re.compile("^Import (all|[0-9])")).first.click()
    expect(support.page.get_by_role("heading", name=re.compile("^Applied by"))).to_be_visible()
    support.go("/claim-profiles/new/")
    support.fill(Name="Flow Probe labels")
    support.page.get_by_label("One code per device").check()
    support.page.locator("select[name=product]").select_option(label="Flow Probe")
    support.page.get_by_role("button", name=re.compile("Create claim profile")).click()
    support.go("/customers/new/")
    support.fill(Name="Wasserwerk Nord")
    support.press("Create customer")
    return support


def unit_id(someone: Person, serial: str) -> str:
    """The id in the address of a unit's page, which the search opens."""
    someone.page.goto(f"/search/?q={serial}")
    return someone.page.url.rstrip("/").rsplit("/", 1)[1]


def scan(person, text):
    """What a scanner gun sends: the text and Enter, into the field that has the focus."""
    expect(person.page.locator("#scan")).to_be_focused()
    person.page.keyboard.type(text)
    person.page.keyboard.press("Enter")


def test_j4_a_shipment_is_packed_by_beeps_and_shipped(packer: Person, person: Any, tmp_path: Path) -> None:
    gun, two, *photographed = SERIALS
    packer.go("/shipments/")
    packer.page.get_by_role("link", name=re.compile("New shipment")).first.click()
    packer.check("new shipment")
    packer.page.locator("#id_customer").fill("Wasserwerk Nord")
    packer.fill(Order_number="PO-2611")
    packer.page.get_by_label("Flow Probe", exact=True).fill("4")
    packer.press("Create and pack")
    packer.page.wait_for_url(re.compile("/pack/"))
    pack = packer.page.url

    scan(packer, gun)
    packer.sees(f"{gun} added, Flow Probe.")
    scan(packer, gun)
    packer.sees(f"{gun} is already in this shipment.")
    scan(packer, "NOBODY-1")
    packer.sees("No device matches NOBODY-1.")
    scan(packer, two)
    packer.sees(f"{two} added, Flow Probe.")
    packer.check("packing")
    packer.press("Undo my last scan")
    packer.sees(f"Removed {two}.")
    scan(packer, two)
    packer.sees("2 / 4")

    # The labels of two more units, printed and photographed.
    ids = ",".join(unit_id(packer, serial) for serial in photographed)
    packer.page.goto(f"/labels/new/?ids={ids}")
    with packer.page.expect_download() as download:
        packer.press("Generate labels")
    sheet = pypdfium2.PdfDocument(download.value.path())[0]
    picture = tmp_path / "sheet.jpg"
    photo = sheet.render(scale=200 / 72).to_pil().convert("RGB")
    photo.rotate(4, expand=True, fillcolor="white").save(picture, quality=70)
    packer.page.goto(pack)
    packer.page.locator("input[type=file]").set_input_files(picture)
    packer.press("Read and add")
    packer.sees("2 devices added.")
    packer.sees("4 / 4")

    packer.page.goto(pack.replace("pack/", "ship/"))
    packer.check("ship")
    packer.press("Ship 4 devices")
    packer.sees("4 devices shipped to Wasserwerk Nord.")
    packer.check("shipped")
    phone = person(PHONE, storage_state=packer.context.storage_state())
    for address in ("/shipments/", "/shipments/new/", packer.page.url.replace(packer.server.url, "")):
        phone.go(address)
