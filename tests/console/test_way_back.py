"""A list comes back as it was left: after an act on its rows, and from the pages that were opened from it."""

import re

import pytest
from django.urls import reverse

from console import way_back
from console.models import Operation
from devices.models import Device
from tests.forms import act, of_page, of_selection
from tests.html import tight

pytestmark = pytest.mark.django_db
DEVICES = "/devices/"


def crumb(response, path=DEVICES):
    """Where the breadcrumb of the list leads."""
    crumbs = re.search(r'<nav class="crumbs".*?</nav>', response.content.decode(), re.DOTALL)[0]
    return re.search(rf'href="({path}(?:\?[^"]*)?)"', crumbs)[1].replace("&amp;", "&")


def unclaim(client, devices, back):
    selected = {"ids": [device.pk for device in devices], "next": back}
    return act(client, reverse("devices:device_unclaim"), selected, reason="Lease over")


def test_a_list_passes_its_address_to_its_bulk_actions(staff_client, owned_devices):
    page = staff_client.get(f"{DEVICES}?status=owned&sort=-serial")
    assert '<input type="hidden" name="next" value="/devices/?status=owned&amp;sort=-serial">' in page.content.decode()


@pytest.mark.parametrize("number", [1, 2])
def test_after_an_unclaim_the_list_comes_back_with_its_filter(staff_client, owned_devices, number):
    back = f"{DEVICES}?status=owned&sort=-serial"
    response = unclaim(staff_client, owned_devices[:number], back)
    assert (response.status_code, response.url) == (302, back)
    assert Device.objects.filter(customer=None).count() == number
    assert Operation.objects.get().return_url == back


def test_cancel_leads_back_to_the_list_as_it_was(staff_client, owned_devices):
    back = f"{DEVICES}?status=owned"
    page = tight(staff_client.get(reverse("devices:device_unclaim"), {"ids": owned_devices[0].pk, "next": back}))
    assert f'<a class="button quiet" href="{back}">' in page


def test_work_in_the_background_leads_back_there_too(staff_client, owned_devices, monkeypatch):
    monkeypatch.setattr("console.operations.beginning.IN_REQUEST", 1)
    back = f"{DEVICES}?q={'a' * 400}"
    response = unclaim(staff_client, owned_devices, back)
    operation = Operation.objects.get()
    assert (response.url, operation.return_url) == (operation.get_absolute_url(), back)


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "///evil.example",
        "devices/",
        "/devices/?q=" + "a" * 2_000,
    ],
)
def test_the_way_back_is_a_path_of_this_server(staff_client, owned_devices, back):
    response = unclaim(staff_client, owned_devices[:2], back)
    assert response.url == DEVICES
    assert Operation.objects.get().return_url == DEVICES


def test_the_way_back_may_hold_what_no_database_or_header_takes(staff_client, owned_devices):
    url, selected = reverse("devices:device_unclaim"), {"ids": [device.pk for device in owned_devices[:2]]}
    form = of_selection(staff_client.get(url, selected)) | {"reason": "Lease over", "next": "/devices/?q=a\r\n\0ä"}
    response = staff_client.post(url, form)
    assert response.status_code < 500
    assert "\n" not in response.headers.get("Location", "")


def test_one_device_that_was_opened_by_itself_is_shown_after_the_act(staff_client, owned_devices):
    response = act(staff_client, reverse("devices:device_unclaim"), {"ids": owned_devices[0].pk}, reason="Lease over")
    assert response.url == owned_devices[0].get_absolute_url()


def test_the_breadcrumb_of_a_device_leads_to_the_list_as_it_was_last_seen(staff_client, device):
    staff_client.get(f"{DEVICES}?status=in_stock&sort=-serial")
    assert crumb(staff_client.get(device.get_absolute_url())) == f"{DEVICES}?status=in_stock&sort=-serial"
    assert (
        crumb(staff_client.get(reverse("devices:device_edit", args=[device.pk])))
        == f"{DEVICES}?status=in_stock&sort=-serial"
    )
    staff_client.get(DEVICES)
    assert crumb(staff_client.get(device.get_absolute_url())) == DEVICES


def test_the_list_of_another_tab_does_not_disturb_the_page_that_is_opened_from_this_one(staff_client, device):
    staff_client.get(f"{DEVICES}?status=in_stock")
    staff_client.get(f"{DEVICES}?status=owned")
    here = f"http://testserver{DEVICES}?status=in_stock"
    assert crumb(staff_client.get(device.get_absolute_url(), headers={"referer": here})) == f"{DEVICES}?status=in_stock"


@pytest.mark.parametrize(
    "referrer", ["https://evil.example/devices/?status=owned", "http://testserver/customers/?q=a", "http://[bad"]
)
def test_an_address_elsewhere_says_nothing_of_the_list(staff_client, device, referrer):
    assert crumb(staff_client.get(device.get_absolute_url(), headers={"referer": referrer})) == DEVICES


def test_each_list_is_kept_by_itself(staff_client, device, customer):
    staff_client.get(f"{DEVICES}?status=in_stock")
    staff_client.get("/customers/?q=Aal")
    assert crumb(staff_client.get(device.get_absolute_url())) == f"{DEVICES}?status=in_stock"
    assert crumb(staff_client.get(customer.get_absolute_url()), "/customers/") == "/customers/?q=Aal"


def test_what_one_person_looked_for_is_not_shown_to_the_next_in_this_browser(staff_client, client_for, bob, device):
    staff_client.get(f"{DEVICES}?q=secret")
    other = client_for(bob)
    other.cookies[way_back.COOKIE] = staff_client.cookies[way_back.COOKIE].value
    assert crumb(other.get(device.get_absolute_url())) == DEVICES


@pytest.mark.parametrize("value", ["x", "bnVsbA", "WzEsMl0=", "W1siYSJdXQ==", "é", "[" * 4_000])
def test_a_cookie_that_makes_no_sense_is_ignored(staff_client, device, value):
    staff_client.cookies[way_back.COOKIE] = value
    assert crumb(staff_client.get(device.get_absolute_url())) == DEVICES
    assert staff_client.get(f"{DEVICES}?status=owned").status_code == 200


def test_the_cookie_is_for_the_server_alone_and_stays_small(staff_client, product):
    for path in ("devices", "customers", "products", "claim-profiles", "shipments", "returns"):
        staff_client.get(f"/{path}/?q={'a' * 490}")
    cookie = staff_client.cookies[way_back.COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert len(cookie.value) < 4_000


def test_a_list_that_is_seen_as_before_sets_no_cookie(staff_client, product):
    assert way_back.COOKIE not in staff_client.get(DEVICES).cookies
    assert way_back.COOKIE in staff_client.get(f"{DEVICES}?status=owned").cookies
    assert way_back.COOKIE not in staff_client.get(f"{DEVICES}?status=owned").cookies


def test_a_filter_that_is_set_can_be_changed_and_removed(staff_client, device):
    page = staff_client.get(f"{DEVICES}?status=owned&product={device.product_id}&sort=-serial")
    form = next(form for form in of_page(page) if "status" in form and "next" not in form and "q" not in form)
    assert form == {"product": [str(device.product_id)], "sort": ["-serial"], "status": ["owned"]}
    text = tight(page)
    assert text.count('<span class="chip-pair">') == 2
    assert (
        f'href="?product={device.product_id}&amp;sort=-serial" title="Remove this filter" '
        'aria-label="Remove the filter Status"' in text
    )


def test_every_list_lets_its_filters_be_changed(staff_client, customer):
    for path in (
        "/customers/?q=a&kind=company",
        "/returns/?state=received",
        "/shipments/?state=open",
        "/activity/?kind=device.assigned",
    ):
        page = staff_client.get(path).content.decode()
        assert page.count('<span class="chip-pair">') == 1, path


def test_a_person_of_a_customer_gets_no_such_cookie(client_for, dana):
    assert way_back.COOKIE not in client_for(dana).get("/portal/").cookies


def test_after_an_assignment_the_list_comes_back_with_its_filter(staff_client, make_devices, customer):
    selected = {"ids": [device.pk for device in make_devices(2)], "next": f"{DEVICES}?q=AQM"}
    response = act(staff_client, reverse("devices:device_assign"), selected, customer=f"{customer} ({customer.pk})")
    assert response.url == f"{DEVICES}?q=AQM"
    assert Device.objects.filter(customer=customer).count() == 2
