"""No scan vanishes at a bench: whatever has the focus, and whatever becomes of the server, the session and the page."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import DESK, PHONE, Person
from tests.e2e.test_returns import ADDRESS, PASSWORD, support  # noqa: F401 - the first run, or the sign-in after it

UNITS = [f"GUN26-{number:04d}" for number in range(44)]
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
    expect(page.locator("#counts-heading")).to_have_text(re.compile(rf"^\s*{number} units? packed"))


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
    support.page.get_by_role("button", name=re.compile("Apply|Import")).first.click()
    expect(support.page.get_by_role("heading", name=re.compile("^Applied by|^Imported by"))).to_be_visible()
    support.page.goto("/customers/new/")
    support.fill(Name="Stadtwerke Gun")
    support.page.locator("main form button.primary").first.click()
    support.page.wait_for_url(re.compile(r"/customers/\d+/$"))
    return support


@pytest.fixture
def bench(clerk: Person) -> Any:
    """A new shipment at the packing bench; nothing of an older one is kept in the browser."""
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


def test_a_gun_is_heard_whatever_has_the_focus_and_presses_nothing(bench, free):
    field, (one, two, three, four, five) = bench.locator("#scan"), (free() for _each in range(5))
    # Add was clicked with the mouse, with a code that is unknown.
    field.fill("NOPE-77")
    bench.get_by_role("button", name="Add", exact=True).click()
    expect(bench.locator("[data-refused]")).to_contain_text("NOPE-77")
    expect(field).to_be_focused()
    gun(bench, one)
    packed(bench, 1)
    # A button, a link and the page itself have the focus.
    bench.locator("#undo-mine").focus()
    gun(bench, two)
    packed(bench, 2)
    bench.get_by_role("link", name="Pause").focus()
    gun(bench, three, TAB)
    packed(bench, 3)
    bench.evaluate("document.activeElement.blur()")
    gun(bench, four)
    packed(bench, 4)
    # Another field has it, with something in it: that stays as it is.
    bench.locator("#search").fill("abc")
    gun(bench, five)
    packed(bench, 5)
    expect(bench.locator("#search")).to_have_value("abc")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    assert "/pack/" in bench.url


def test_tab_ends_a_scan_of_a_gun_and_moves_on_for_a_person(bench, free):
    field = bench.locator("#scan")
    gun(bench, free(), TAB)
    packed(bench, 1)
    expect(field).to_be_focused()
    field.press_sequentially("abc", delay=80)
    bench.keyboard.press("Tab")
    expect(bench.get_by_role("button", name="Add", exact=True)).to_be_focused()
    expect(field).to_have_value("abc")


def test_scans_without_a_connection_are_shown_and_sent_by_themselves(bench, free, clerk):
    first, second = free(), free()
    bench.context.set_offline(True)
    gun(bench, first)
    gun(bench, second)
    waiting(bench, "2 scans are waiting. There's no connection.")
    waiting(bench, first)
    expect(bench.locator("[data-bench]")).to_have_attribute("data-sounded", "wait")
    clerk.check("packing, waiting")
    bench.context.set_offline(False)
    packed(bench, 2)
    waiting(bench, None)
    # The order was kept.
    assert bench.locator("#newest .bench-head > a").all_inner_texts() == [second, first]


def test_a_lost_answer_packs_once_and_is_told_as_the_first_time(bench, free):
    unit = free()
    tries: list[int] = []

    def lose(route: Route) -> None:
        tries.append(1)
        if len(tries) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    bench.route("**/pack/", lose)
    gun(bench, unit)
    expect(bench.locator("#bench .answer.ok")).to_contain_text(f"{unit} added")
    packed(bench, 1)
    assert len(tries) == 2
    expect(bench.locator("[data-refused]")).to_be_hidden()


def test_a_server_that_fails_or_hangs_gets_the_scans_again(bench, free, person):
    one, two = free(), free()
    answers = iter([500, None])

    def fail(route: Route) -> None:
        status = next(answers, 200)
        if status == 200:
            route.continue_()
        elif status is not None:
            route.fulfill(status=status, body="oh")

    # A browser of its own, because its clock is put forward.
    packer = person(DESK, storage_state=bench.context.storage_state())
    page = packer.page
    page.clock.install()
    page.goto(bench.url)
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


def test_waiting_scans_survive_a_reload_and_can_be_kept_from_being_sent(bench, free):
    unit, other = free(), free()
    bench.route("**/pack/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    gun(bench, unit)
    waiting(bench, unit)
    bench.reload()
    waiting(bench, "1 scan is waiting.")
    bench.unroute_all()
    bench.get_by_role("button", name="Send now").click()
    packed(bench, 1)
    bench.context.set_offline(True)
    gun(bench, other)
    bench.get_by_role("button", name="Don't send").click()
    expect(bench.locator("[data-refused]")).to_contain_text("It was never sent.")
    bench.context.set_offline(False)
    bench.locator("[data-refused]").get_by_role("button", name="Try again").click()
    packed(bench, 2)
    expect(bench.locator("[data-refused]")).to_be_hidden()


def test_a_session_that_ended_asks_to_sign_in_and_sends_after_it(bench, free):
    one, two = free(), free()
    bench.context.clear_cookies()
    gun(bench, one)
    waiting(bench, "1 scan is waiting. You're signed out.")
    gun(bench, two)
    bench.get_by_role("link", name="Sign in to send 2 scans").click()
    bench.get_by_label(re.compile("mail", re.IGNORECASE)).first.fill(ADDRESS)
    bench.get_by_label("Password", exact=True).fill(PASSWORD)
    bench.get_by_role("button", name="Sign in", exact=True).click()
    bench.wait_for_url(re.compile("/pack/$"))
    packed(bench, 2)
    waiting(bench, None)


def test_another_persons_scans_are_not_sent_unasked(bench, free):
    unit = free()
    bench.evaluate(
        """text => { const bench = document.querySelector("[data-bench]").dataset.bench;
        localStorage.setItem(`custody.scan.${bench}.0000000000abcdef`,
            JSON.stringify({ text, person: "1-999999", name: "Nina Roth", tab: "x", at: Date.now() })); }""",
        unit,
    )
    bench.reload()
    expect(bench.locator("[data-others]")).to_contain_text("1 scan by Nina Roth was never sent.")
    packed(bench, 0)
    bench.get_by_role("button", name="Send as mine").click()
    packed(bench, 1)
    expect(bench.locator("[data-others]")).to_be_hidden()


def test_what_is_pressed_while_a_scan_is_under_way_comes_after_it(bench, free):
    one, two = free(), free()
    gun(bench, one)
    packed(bench, 1)
    under_way: list[Route] = []
    bench.route("**/pack/", lambda route: under_way.append(route))
    with bench.expect_request(re.compile("/pack/$")):
        gun(bench, two)
    bench.get_by_role("button", name="Undo my last scan").click()
    bench.get_by_role("button", name=f"Take {one} out").click()
    packed(bench, 1)
    under_way[0].continue_()
    packed(bench, 0)
    expect(bench.locator("#bench .answer.warn")).to_contain_text("Removed")


def test_scans_stay_where_somebody_else_signed_in_elsewhere(bench, free):
    unit = free()
    body = '{"code": "another_person", "title": "Somebody else is signed in now."}'
    bench.route("**/pack/", lambda route: route.fulfill(status=409, body=body, content_type="application/problem+json"))
    gun(bench, unit)
    waiting(bench, "1 scan is waiting. Somebody else is signed in now.")
    bench.unroute_all()
    bench.get_by_role("link", name="Reload").click()
    packed(bench, 1)


def test_two_tabs_send_no_scan_twice_and_show_what_the_other_packed(bench, free):
    unit, more = free(), free()
    bench.route("**/pack/", lambda route: route.abort())
    gun(bench, unit)
    waiting(bench, unit)
    tab = bench.context.new_page()
    tab.goto(bench.url)
    tab.get_by_role("button", name="Send now").click()
    packed(tab, 1)
    bench.unroute_all()
    waiting(bench, None)
    gun(tab, more)
    # The first tab was told of both by the numbers that it fetches, and its list has them.
    packed(bench, 2)
    expect(bench.locator("#newest .bench-head > a")).to_have_text([more, unit])
    tab.close()


def test_refused_scans_stay_in_a_list_with_the_next_step(bench, free, clerk, person):
    mine, elsewhere = free(), free()
    other = bench.url
    gun(bench, elsewhere)
    packed(bench, 1)
    bench.goto("/shipments/new/")
    bench.locator("#id_customer").fill("Stadtwerke Gun")
    bench.locator("main form button.primary").first.click()
    bench.wait_for_url(lambda url: "/pack/" in url and url != other)
    refused = bench.locator("[data-refused]")
    for text in ("NOPE-1", elsewhere, "NOPE-2", mine):
        gun(bench, text)
    packed(bench, 1)
    expect(refused.get_by_role("heading")).to_have_text("Refused (3)")
    expect(refused.locator("[data-text]")).to_have_text(["NOPE-2", elsewhere, "NOPE-1"])
    bench.reload()
    expect(refused.get_by_role("heading")).to_have_text("Refused (3)")
    bench.context.set_offline(True)
    gun(bench, "NOPE-3")
    waiting(bench, "NOPE-3")
    clerk.check("packing, waiting and refused")
    bench.context.set_offline(False)
    expect(refused.get_by_role("heading")).to_have_text("Refused (4)")
    refused.get_by_role("button", name=re.compile("^Take out of S-")).click()
    packed(bench, 2)
    expect(refused.locator("[data-text]")).to_have_text(["NOPE-3", "NOPE-2", "NOPE-1"])
    expect(bench.locator("#scan")).to_be_focused()
    refused.get_by_role("button", name="Remove from this list").first.click()
    expect(refused.get_by_role("heading")).to_have_text("Refused (2)")
    phone = person(PHONE, storage_state=bench.context.storage_state())
    phone.page.goto(bench.url)
    phone.check("packing with refused scans, phone")
    # The shipment's other pages tell of them too.
    bench.goto(bench.url.replace("pack/", "ship/"))
    expect(bench.locator("[data-refused]")).to_contain_text("NOPE-1")
    clerk.check("ship with refused scans")


def test_a_pasted_list_has_a_wide_field_and_its_own_button(bench, free):
    units = [free() for _each in range(2)]
    bench.get_by_text("Paste a list").click()
    area = bench.get_by_label("One unit a line")
    expect(area).to_be_focused()
    field, wide = bench.locator("#scan").bounding_box(), area.bounding_box()
    assert wide["width"] > field["width"]
    area.fill("\n".join([*units, "NOPE-9"]))
    bench.get_by_role("button", name="Add list").click()
    packed(bench, 2)
    expect(bench.locator("[data-refused]")).to_contain_text("NOPE-9")
    expect(bench.locator("#scan")).to_be_focused()


def test_the_bench_for_returns_keeps_its_units_its_refused_and_its_waiting_scans(clerk, free):
    page, (one, two, three) = clerk.page, (free() for _each in range(3))
    page.goto("/returns/workbench/")
    refused, units = page.locator("[data-refused]"), page.locator("#bench-heading")
    gun(page, one)
    gun(page, "NOPE-5", TAB)
    expect(refused).to_contain_text("NOPE-5")
    expect(units).to_have_text("1 unit on the bench")
    page.get_by_label("Note").focus()
    gun(page, two)
    expect(units).to_have_text("2 units on the bench")
    expect(page.get_by_label("Note")).to_have_value("")
    page.get_by_label(f"Receive {one} anyway").check()
    expect(page.get_by_role("button", name="Receive 1 unit")).to_be_visible()
    page.reload()
    expect(units).to_have_text("2 units on the bench")
    expect(page.get_by_label(f"Receive {one} anyway")).to_be_checked()
    expect(refused).to_contain_text("NOPE-5")
    # A second tab has the same bench, and what it takes off is off in both.
    tab = page.context.new_page()
    tab.goto("/returns/workbench/")
    expect(tab.locator("#bench-heading")).to_have_text("2 units on the bench")
    tab.get_by_role("button", name=f"Take {two} off the bench").click()
    expect(units).to_have_text("1 unit on the bench")
    gun(tab, two)
    expect(units).to_have_text("2 units on the bench")
    tab.close()
    page.context.set_offline(True)
    gun(page, three)
    waiting(page, "1 scan is waiting.")
    clerk.check("workbench, waiting and refused")
    page.context.set_offline(False)
    expect(units).to_have_text("3 units on the bench")
    for serial in (one, two, three):
        page.get_by_role("button", name=f"Take {serial} off the bench").click()
        expect(page.locator("#bench")).not_to_contain_text(serial)
    page.get_by_role("button", name="Clear").click()
    page.reload()
    expect(page.get_by_role("heading", name="The bench is empty")).to_be_visible()
    clerk.complaints.clear()
