"""The numbers in the sidebar are those of the moment the page is made."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console import navigation
from devices.models import Device
from tests import factories

pytestmark = pytest.mark.django_db


def numbers(client) -> dict[str, str]:
    """Each entry of the sidebar with its number."""
    page = client.get("/customers/").content.decode()
    found = re.findall(r'<span>([^<]+)</span>\s*<span class="count">\s*(.*?)\s*</span>', page, re.DOTALL)
    return {label: re.sub(r"<[^>]+>", "", number) for label, number in found}


def test_a_new_row_is_counted_on_the_next_page(client_for, alice, product, make_devices):
    client = client_for(alice)
    assert numbers(client)["Devices"] == "0"
    make_devices(2)
    assert numbers(client)["Devices"] == "2"
    factories.make_customer(product.organization)
    assert numbers(client)["Customers"] == "1"


def test_large_numbers_too_are_counted_with_each_page(client_for, alice, product):
    client = client_for(alice)
    Device.objects.bulk_create(
        Device(
            organization=product.organization,
            product=product,
            serial_number=f"L-{n}",
            device_name=f"large-{n:04}",
            serial_key=f"L-{n}",
            name_key=f"large-{n:04}",
        )
        for n in range(1_200)
    )
    assert numbers(client)["Devices"] == "1,200"
    factories.make_device(product)
    assert numbers(client)["Devices"] == "1,201"


def test_all_numbers_are_one_statement(actor, alice, product, django_assert_num_queries):
    by = actor(alice)
    with django_assert_num_queries(1):
        found = navigation.for_actor(by)
    assert {entry.url_name: n for entry, n in found if n is not None} == {
        "devices:device_list": 0,
        "customers:customer_list": 0,
        "claims:claim_profile_list": 0,
        "claims:shipment_list": 0,
        "claims:return_workbench": 0,
    }


def test_a_list_counts_its_rows_and_the_sidebar_in_one_statement(client_for, alice, make_devices):
    make_devices(2)
    client = client_for(alice)
    client.get("/devices/")
    with CaptureQueriesContext(connection) as queries:
        page = client.get("/devices/?q=aqm").content.decode()
    assert sum("claims_return" in query["sql"] for query in queries) == 1
    assert "1–2 of 2" in page


def tabs(client, page: str) -> list[str]:
    """The tabs of the settings on this page; the current one has a star."""
    nav = re.search(
        r'<nav class="tabs" aria-label="Settings">(.*?)</nav>', client.get(page).content.decode(), re.DOTALL
    )
    found = re.findall(r'<a href="[^"]+"( aria-current="page")?>([^<]+)</a>', nav[1])
    return [label + ("*" if is_current else "") for is_current, label in found]


def test_the_settings_have_the_tabs_of_all_apps_in_order(client_for):
    expected = ["Organization", "Members", "Roles", "Domains", "Returns*", "API keys", "Webhooks"]
    assert tabs(client_for("owner"), "/settings/returns/") == expected
    assert tabs(client_for("viewer"), "/settings/roles/") == ["Roles*"]


def test_pages_of_every_tab_mark_the_settings_in_the_sidebar(client_for):
    client = client_for("owner")
    for page in (
        "/settings/",
        "/settings/members/",
        "/settings/returns/",
        "/settings/api-keys/",
        "/settings/webhooks/",
    ):
        entries = client.get(page).context["sidebar"]()
        assert [str(each["entry"].label) for each in entries if each["current"]] == ["Settings"], page
