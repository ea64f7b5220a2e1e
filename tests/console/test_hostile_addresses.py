"""What a stranger or a broken browser may send in addresses and cookies is answered, never with an error of ours."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("zone", ["a/" * 3000, "../../etc/passwd", "Europe", "\u00fc", "Europe/Berlin", "", "." * 300])
@pytest.mark.parametrize("address", ["/", "/healthz", "/account/login/", "/c/AAAA", "/portal/"])
def test_whatever_a_browser_says_of_its_time_zone_a_page_is_answered(organization, zone, address):
    visitor = Client()
    visitor.cookies["custody_tz"] = zone
    assert visitor.get(address).status_code in {200, 302, 303, 404}


def test_a_time_zone_that_is_one_is_used(client_for, alice):
    visitor = client_for(alice)
    alice.time_zone = ""
    alice.save(update_fields=["time_zone"])
    visitor.cookies["custody_tz"] = "Asia/Tokyo"
    assert visitor.get("/activity/").status_code == 200


@pytest.mark.parametrize("number", [2**63, 2**64, 10**30])
def test_an_id_that_no_database_can_hold_is_a_page_that_is_not_there(client_for, alice, customer, device, number):
    visitor = client_for(alice)
    for address in (
        f"/devices/{number}/",
        f"/customers/{number}/",
        f"/customers/{customer.pk}/people/{number}/role/",
        f"/customers/{customer.pk}/people/{number}/remove/",
        f"/claim-profiles/{number}/qr.svg",
        f"/portal/devices/{number}/",
        f"/operations/{number}/",
        f"/api/v1/devices/{number}",
        f"/device/v1/calls/{number}",
    ):
        assert visitor.get(address).status_code in {401, 404, 405}, address
        assert visitor.post(address).status_code in {401, 404, 405}, address
