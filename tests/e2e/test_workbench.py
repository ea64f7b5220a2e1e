"""No scan vanishes at a workbench, whatever has the focus and whatever happens to server, session and page."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import DESK, PHONE, Person
from tests.e2e.test_returns import ADDRESS, PASSWORD, support  # noqa: F401 - the first run, or the sign-in after it

UNITS = [f"GUN26-{number:04d}" for number in range(46)]
ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
TAB = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}


def gun(page: Page, text: str, ending: dict = ENTER) -> None:
    """What a scanner gun does: keys that are 5 ms apart, by their own clock, and one at the end."""
    keys = page.context.new_cdp_session(page)
    at = time.time()
    for press in [*({"key": sign, "text": sign, "unmodifiedText": sign} for sign in text), ending]:
        at += 0.005
        keys.send("Input.dispatchKeyEvent", {"type": "keyDown", "timestamp": at, **press})
        keys.send("Input.dispatchKeyEvent", {"type": "keyUp", "timestamp": at, "key": press["key"]})
    keys.detach()


def packed(page: Page, number: int) -> None:
    expect(page.locator("#counts-heading")).to_have_text(re.compile(rf"^\s*{number} devices? packed"))


def waiting(page: Page, text: str | None) -> None:
    place = page.locator("[data-waiting]")
    if text is None:
        expect(place).to_be_hidden()
    else:
        expect(place).to_contain_text(text)


@pytest.fixture(scope="module")
def clerk(support: Person, tmp_path_factory: Any) -> Person:  # noqa: F811
    """Who packs, with the units and a customer."""
    support.page.goto("/products/new/")
    support.fill(Name="Gun Probe")
    support.page.locator("main form button.primary").first.click()
    support.page.wait_for_url(re.compile(r"/products/\d+/$"))
    manifest: Path = tmp_path_factory.mktemp("gun") / "gun.csv"
    lines = [f"{serial},gunprobe{number:08d}" for number, serial in enumerate(UNITS)]
    manifest.write_text("\n".join(["serial_number,device_name", *lines]))
    support.follow("Import manifest")
    support.page.set_input_files("input[type=file]", manifest)
    support.page.locator("main form button.primary").first.click()
    support.page.get_by_role("button", name=re.compile("^Import (all|[0-9])")).first.click()
    expect(support.page.get_by_role("heading", name=re.compile("^Applied by|^Imported by"))).to_be_visible()
    support.page.goto("/customers/new/")
    support.fill(Name="Stadtwerke Gun")
    support.page.locator("main form button.primary").first.click()
    support.page.wait_for_url(re.compile(r"/customers/\d+/$"))
    return support


@pytest.fixture
def workbench(clerk: Person) -> Any:
    """A new shipment at the packing workbench; nothing of an older one is kept in the browser."""
    page = clerk.page
    page.goto("/shipments/new/")
    page.locator("#id_customer").fill("Stadtwerke Gun")
    page.locator("main form button.primary").first.click()
    page.wait_for_url(re.compile("/pack/"))
    yield page
    page.unroute_all()
    page.context.set_offline(False)
    # What a test made up is no complaint of the page.
    clerk.complaints.clear()


@pytest.fixture
def free() -> Any:
    """The next unit that no shipment holds."""
    return lambda: UNITS[next(NUMBERS)]


NUMBERS = iter(range(len(UNITS)))


def test_a_gun_is_heard_whatever_has_the_focus_and_presses_nothing(workbench, free):
    field, (one, two, three, four, five) = workbench.locator("#scan"), (free() for _each in range(5))
    # Add was clicked with the mouse, with a code that is unknown.
    field.fill("NOPE-77")
    workbench.get_by_role("button", name="Add", exact=True).click()
    expect(workbench.locator("[data-refused]")).to_contain_text("NOPE-77")
    expect(field).to_be_focused()
    gun(workbench, one)
    packed(workbench, 1)
    # A button, a link and the page itself have the focus.
    workbench.locator("#undo-mine").focus()
    gun(workbench, two)
    packed(workbench, 2)
    workbench.get_by_role("link", name="Pause").focus()
    gun(workbench, three, TAB)
    packed(workbench, 3)
    workbench.evaluate("document.activeElement.blur()")
    gun(workbench, four)
    packed(workbench, 4)
    # Another field has it, with something in it: that stays as it is.
    workbench.locator("#search").fill("abc")
    gun(workbench, five)
    packed(workbench, 5)
    expect(workbench.locator("#search")).to_have_value("abc")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    assert "/pack/" in workbench.url


def test_tab_ends_a_scan_of_a_gun_and_moves_on_for_a_person(workbench, free):
    field = workbench.locator("#scan")
    gun(workbench, free(), TAB)
    packed(workbench, 1)
    expect(field).to_be_focused()
    field.press_sequentially("abc", delay=80)
    workbench.keyboard.press("Tab")
    expect(workbench.get_by_role("button", name="Add", exact=True)).to_be_focused()
    expect(field).to_have_value("abc")


def test_scans_without_a_connection_are_shown_and_sent_by_themselves(workbench, free, clerk):
    first, second = free(), free()
    workbench.context.set_offline(True)
    gun(workbench, first)
    gun(workbench, second)
    waiting(workbench, "2 scans are waiting. There's no connection.")
    waiting(workbench, first)
    expect(workbench.locator("[data-workbench]")).to_have_attribute("data-sounded", "wait")
    clerk.check("packing, waiting")
    workbench.context.set_offline(False)
    packed(workbench, 2)
    waiting(workbench, None)
    # The order was kept.
    assert workbench.locator("#newest .workbench-head > a").all_inner_texts() == [second, first]


def test_a_lost_answer_packs_once_and_is_reported_like_the_first_time(workbench, free):
    unit = free()
    tries: list[int] = []

    def lose(route: Route) -> None:
        tries.append(1)
        if len(tries) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    workbench.route("**/pack/", lose)
    gun(workbench, unit)
    expect(workbench.locator("#workbench-content .answer.ok")).to_contain_text(f"{unit} added")
    packed(workbench, 1)
    assert len(tries) == 2
    expect(workbench.locator("[data-refused]")).to_be_hidden()


def test_a_server_that_fails_or_hangs_gets_the_scans_again(workbench, free, person):
    one, two = free(), free()
    answers = iter([500, None])

    def fail(route: Route) -> None:
        status = next(answers, 200)
        if status == 200:
            route.continue_()
        elif status is not None:
            route.fulfill(status=status, body="oh")

    # A browser of its own, because its clock is put forward.
    packer = person(DESK, storage_state=workbench.context.storage_state())
    page = packer.page
    page.clock.install()
    page.goto(workbench.url)
    page.route("**/pack/", fail)
    gun(page, one)
    waiting(page, "1 scan is waiting. The server couldn't answer.")
    page.clock.fast_forward(1_100)
    gun(page, two)
    # Now it does not answer at all, until the time of a try is over.
    page.clock.fast_forward(12_000)
    waiting(page, "2 scans are waiting. The server hasn't answered yet.")
    page.clock.fast_forward(60_000)
    packed(page, 2)
    waiting(page, None)
    page.close()
    packer.complaints.clear()


def test_waiting_scans_survive_a_reload_and_can_be_kept_from_being_sent(workbench, free):
    unit, other = free(), free()
    workbench.route("**/pack/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    gun(workbench, unit)
    waiting(workbench, unit)
    workbench.reload()
    waiting(workbench, "1 scan is waiting.")
    workbench.unroute_all()
    workbench.get_by_role("button", name="Send now").click()
    packed(workbench, 1)
    workbench.context.set_offline(True)
    gun(workbench, other)
    workbench.get_by_role("button", name="Don't send").click()
    expect(workbench.locator("[data-refused]")).to_contain_text("It was never sent.")
    workbench.context.set_offline(False)
    workbench.locator("[data-refused]").get_by_role("button", name="Try again").click()
    packed(workbench, 2)
    expect(workbench.locator("[data-refused]")).to_be_hidden()


def test_a_session_that_ended_asks_to_sign_in_and_sends_after_it(workbench, free):
    one, two = free(), free()
    workbench.context.clear_cookies()
    gun(workbench, one)
    waiting(workbench, "1 scan is waiting. You're signed out.")
    gun(workbench, two)
    workbench.get_by_role("link", name="Sign in to send 2 scans").click()
    workbench.get_by_label(re.compile("mail", re.IGNORECASE)).first.fill(ADDRESS)
    workbench.get_by_label("Password", exact=True).fill(PASSWORD)
    workbench.get_by_role("button", name="Sign in", exact=True).click()
    workbench.wait_for_url(re.compile("/pack/$"))
    packed(workbench, 2)
    waiting(workbench, None)


def test_what_an_earlier_version_stored_in_the_browser_is_still_found(workbench, free):
    queued, device = free(), free()
    shipment = re.search(r"/shipments/(\d+)/", workbench.url).group(1)
    workbench.evaluate(
        """([shipment, text]) => { const { person, name } = document.querySelector("[data-person]").dataset;
        const at = Date.now() - 20_000, refused = { text: "NOPE-8", sentence: "?", steps: [], at };
        const scan = { text, person, name, tab: "x", at };
        localStorage.setItem(`custody.scan.s${shipment}.0000000000abcdef`, JSON.stringify(scan));
        localStorage.setItem(`custody.refused.s${shipment}.0000000000abcdef`, JSON.stringify(refused)); }""",
        [shipment, queued],
    )
    workbench.reload()
    packed(workbench, 1)
    expect(workbench.locator("#newest .workbench-head > a")).to_have_text([queued])
    expect(workbench.locator("[data-refused] [data-text]")).to_have_text(["NOPE-8"])
    # The devices on the workbench for returns.
    workbench.goto(f"/devices/?q={device}")
    pk = re.search(r"/devices/(\d+)/", workbench.get_by_role("link", name=device).first.get_attribute("href")).group(1)
    workbench.goto("/returns/workbench/")
    workbench.evaluate(
        """pk => { const { person } = document.querySelector("[data-person]").dataset;
        const stored = JSON.stringify({ at: Date.now(), asked: false });
        localStorage.setItem(`custody.unit.returns.${person}.${pk}`, stored); }""",
        pk,
    )
    workbench.reload()
    expect(workbench.locator("#workbench-heading")).to_have_text("1 device on the workbench")
    workbench.get_by_role("button", name=f"Remove {device} from the workbench").click()
    expect(workbench.locator("#workbench-content")).not_to_contain_text(device)


def test_another_persons_scans_are_not_sent_unasked(workbench, free):
    unit = free()
    workbench.evaluate(
        """text => { const workbench = document.querySelector("[data-workbench]").dataset.workbench;
        localStorage.setItem(`custody.scan.${workbench}.0000000000abcdef`,
            JSON.stringify({ text, person: "1-999999", name: "Nina Roth", tab: "x", at: Date.now() })); }""",
        unit,
    )
    workbench.reload()
    expect(workbench.locator("[data-others]")).to_contain_text("1 scan by Nina Roth was never sent.")
    packed(workbench, 0)
    workbench.get_by_role("button", name="Send as mine").click()
    packed(workbench, 1)
    expect(workbench.locator("[data-others]")).to_be_hidden()


def test_what_is_pressed_while_a_scan_is_under_way_comes_after_it(workbench, free):
    one, two = free(), free()
    gun(workbench, one)
    packed(workbench, 1)
    under_way: list[Route] = []
    workbench.route("**/pack/", lambda route: under_way.append(route))
    with workbench.expect_request(re.compile("/pack/$")):
        gun(workbench, two)
    workbench.get_by_role("button", name="Undo my last scan").click()
    workbench.get_by_role("button", name=f"Remove {one}").click()
    packed(workbench, 1)
    under_way[0].continue_()
    packed(workbench, 0)
    expect(workbench.locator("#workbench-content .answer.warn")).to_contain_text("Removed")


def test_scans_stay_where_somebody_else_signed_in_elsewhere(workbench, free):
    unit = free()
    body = '{"code": "another_person", "title": "Somebody else is signed in now."}'
    workbench.route(
        "**/pack/", lambda route: route.fulfill(status=409, body=body, content_type="application/problem+json")
    )
    gun(workbench, unit)
    waiting(workbench, "1 scan is waiting. Somebody else is signed in now.")
    workbench.unroute_all()
    workbench.get_by_role("link", name="Reload").click()
    packed(workbench, 1)


def test_two_tabs_send_no_scan_twice_and_show_what_the_other_packed(workbench, free):
    unit, more = free(), free()
    workbench.route("**/pack/", lambda route: route.abort())
    gun(workbench, unit)
    waiting(workbench, unit)
    tab = workbench.context.new_page()
    tab.goto(workbench.url)
    tab.get_by_role("button", name="Send now").click()
    packed(tab, 1)
    workbench.unroute_all()
    waiting(workbench, None)
    gun(tab, more)
    # The first tab was told of both by the numbers that it fetches, and its list has them.
    packed(workbench, 2)
    expect(workbench.locator("#newest .workbench-head > a")).to_have_text([more, unit])
    tab.close()


def test_refused_scans_stay_in_a_list_with_the_next_step(workbench, free, clerk, person):
    mine, elsewhere = free(), free()
    other = workbench.url
    gun(workbench, elsewhere)
    packed(workbench, 1)
    workbench.goto("/shipments/new/")
    workbench.locator("#id_customer").fill("Stadtwerke Gun")
    workbench.locator("main form button.primary").first.click()
    workbench.wait_for_url(lambda url: "/pack/" in url and url != other)
    refused = workbench.locator("[data-refused]")
    for text in ("NOPE-1", elsewhere, "NOPE-2", mine):
        gun(workbench, text)
    packed(workbench, 1)
    expect(refused.get_by_role("heading")).to_have_text("Refused (3)")
    expect(refused.locator("[data-text]")).to_have_text(["NOPE-2", elsewhere, "NOPE-1"])
    workbench.reload()
    expect(refused.get_by_role("heading")).to_have_text("Refused (3)")
    workbench.context.set_offline(True)
    gun(workbench, "NOPE-3")
    waiting(workbench, "NOPE-3")
    clerk.check("packing, waiting and refused")
    workbench.context.set_offline(False)
    expect(refused.get_by_role("heading")).to_have_text("Refused (4)")
    refused.get_by_role("button", name=re.compile("^Remove from S-")).click()
    packed(workbench, 2)
    expect(refused.locator("[data-text]")).to_have_text(["NOPE-3", "NOPE-2", "NOPE-1"])
    expect(workbench.locator("#scan")).to_be_focused()
    refused.get_by_role("button", name="Remove from this list").first.click()
    expect(refused.get_by_role("heading")).to_have_text("Refused (2)")
    phone = person(PHONE, storage_state=workbench.context.storage_state())
    phone.page.goto(workbench.url)
    phone.check("packing with refused scans, phone")
    # The shipment's other pages tell of them too.
    workbench.goto(workbench.url.replace("pack/", "ship/"))
    expect(workbench.locator("[data-refused]")).to_contain_text("NOPE-1")
    clerk.check("ship with refused scans")


def test_a_pasted_list_has_a_wide_field_and_its_own_button(workbench, free):
    units = [free() for _each in range(2)]
    workbench.get_by_text("Paste a list").click()
    area = workbench.get_by_label("One device per line")
    expect(area).to_be_focused()
    field, wide = workbench.locator("#scan").bounding_box(), area.bounding_box()
    assert wide["width"] > field["width"]
    area.fill("\n".join([*units, "NOPE-9"]))
    workbench.get_by_role("button", name="Add list").click()
    packed(workbench, 2)
    expect(workbench.locator("[data-refused]")).to_contain_text("NOPE-9")
    expect(workbench.locator("#scan")).to_be_focused()


def test_the_returns_workbench_keeps_its_devices_and_its_refused_and_waiting_scans(clerk, free):
    page, (one, two, three) = clerk.page, (free() for _each in range(3))
    page.goto("/returns/workbench/")
    refused, units = page.locator("[data-refused]"), page.locator("#workbench-heading")
    gun(page, one)
    gun(page, "NOPE-5", TAB)
    expect(refused).to_contain_text("NOPE-5")
    expect(units).to_have_text("1 device on the workbench")
    page.get_by_label("Note").focus()
    gun(page, two)
    expect(units).to_have_text("2 devices on the workbench")
    expect(page.get_by_label("Note")).to_have_value("")
    page.get_by_label(f"Receive {one} anyway").check()
    expect(page.get_by_role("button", name="Receive 1 device")).to_be_visible()
    page.reload()
    expect(units).to_have_text("2 devices on the workbench")
    expect(page.get_by_label(f"Receive {one} anyway")).to_be_checked()
    expect(refused).to_contain_text("NOPE-5")
    # A second tab has the same workbench, and what it takes off is off in both.
    tab = page.context.new_page()
    tab.goto("/returns/workbench/")
    expect(tab.locator("#workbench-heading")).to_have_text("2 devices on the workbench")
    tab.get_by_role("button", name=f"Remove {two} from the workbench").click()
    expect(units).to_have_text("1 device on the workbench")
    gun(tab, two)
    expect(units).to_have_text("2 devices on the workbench")
    tab.close()
    page.context.set_offline(True)
    gun(page, three)
    waiting(page, "1 scan is waiting.")
    clerk.check("workbench, waiting and refused")
    page.context.set_offline(False)
    expect(units).to_have_text("3 devices on the workbench")
    for serial in (one, two, three):
        page.get_by_role("button", name=f"Remove {serial} from the workbench").click()
        expect(page.locator("#workbench-content")).not_to_contain_text(serial)
    page.get_by_role("button", name="Clear").click()
    page.reload()
    expect(page.get_by_role("heading", name="The workbench is empty")).to_be_visible()
    clerk.complaints.clear()
