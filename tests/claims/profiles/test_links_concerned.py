"""Before a device is taken from its owner, the page lists the links that stop working for all their devices, and offers
to remove the device from their profiles instead."""

import pytest
from django.urls import reverse

from claims.models import ClaimProfile
from claims.profiles import links
from claims.redemption import offers
from console.models import Event, Operation
from devices.actions import ownership
from devices.models import Device
from tests.api import Caller, key_of
from tests.claims import worlds
from tests.claims.phone import printed

pytestmark = pytest.mark.django_db
SENTENCE = "The printed code of “North pilot” stops working; it lists 3 devices."


@pytest.fixture
def profile(organization, make_devices, customer, by):
    """A link that lists three devices, the first of which is owned."""
    devices = make_devices(3)
    made = worlds.make_link_profile(organization, *devices)
    ownership.assign([devices[0].pk], customer=customer, by=by)
    return made


@pytest.fixture
def taken(profile):
    return Device.objects.get(customer__isnull=False)


def works(profile, link):
    return offers.find(link) is not None


def test_the_unclaim_page_warns_with_the_number_of_devices(client_for, alice, profile, taken):
    address = reverse("devices:device_unclaim") + f"?ids={taken.pk}"
    html = client_for(alice).get(address).content.decode()
    assert f'<a href="{profile.get_absolute_url()}">North pilot</a> stops working. It lists 3 devices.' in html
    assert 'name="leaves_profiles"' in html


def test_a_device_in_no_link_causes_no_warning(client_for, alice, device, customer, by):
    ownership.assign([device.pk], customer=customer, by=by)
    html = client_for(alice).get(reverse("devices:device_unclaim") + f"?ids={device.pk}").content.decode()
    assert "leaves_profiles" not in html


def test_with_the_option_the_device_leaves_the_profile_and_the_code_keeps_working(client_for, alice, profile, taken):
    link = printed(profile).link
    data = {"ids": taken.pk, "reason": "E4", "leaves_profiles": "on"}
    client_for(alice).post(reverse("devices:device_unclaim"), data)
    taken.refresh_from_db()
    assert (taken.customer, works(profile, link)) == (None, True)
    assert taken.pk not in profile.resources.values_list("device", flat=True)
    assert profile.resources.count() == 2
    (told,) = Event.objects.filter(kind="claim_profile.edited")
    before, after = told.data["devices"]
    assert taken.serial_number in before and taken.serial_number not in after
    assert ClaimProfile.objects.get().version == profile.version + 1


def test_without_the_option_the_code_stops_working_as_announced(client_for, alice, profile, taken):
    link = printed(profile).link
    client_for(alice).post(reverse("devices:device_unclaim"), {"ids": taken.pk, "reason": "E4"})
    assert works(profile, link) is False
    assert profile.resources.count() == 3


def test_the_api_warns_in_a_dry_run_and_takes_the_option_in_the_body(alice, profile, taken):
    api, link = Caller(key_of(alice)), printed(profile).link
    body = {"devices": [taken.serial_number], "reason": "E4"}

    def run(body, **query):
        pk = api.post("/devices:unclaim", body, **query).json()["id"]
        from console import operations

        operations.run(pk)
        return Operation.objects.get(pk=pk).sentence

    assert run(body, dry_run="true") == f"1 device unclaimed. This was a dry run: nothing was changed. {SENTENCE}"
    assert works(profile, link)
    assert run(body | {"leaves_profiles": True}) == "1 device unclaimed."
    assert works(profile, link)
    assert profile.resources.count() == 2


def test_the_api_removes_one_device_from_its_profiles_on_request(alice, profile, taken):
    link = printed(profile).link
    Caller(key_of(alice)).delete(f"/devices/{taken.pk}/owner", reason="E4", leaves_profiles="true")
    assert (Device.objects.get(pk=taken.pk).customer, works(profile, link)) == (None, True)


def test_receiving_at_the_workbench_warns_and_takes_the_option(client_for, alice, profile, taken):
    client, link = client_for(alice), printed(profile).link
    html = client.get(reverse("claims:return_workbench") + f"?ids={taken.pk}").content.decode()
    assert "stops working. It lists 3 devices." in html
    data = {"ids": taken.pk, "reason": "Defective", "leaves_profiles": "on"}
    client.post(reverse("claims:return_receive"), data)
    assert (Device.objects.get(pk=taken.pk).status, works(profile, link)) == ("returned", True)


def test_receiving_over_the_api_takes_the_option(alice, profile, taken):
    link = printed(profile).link
    body = {"devices": [taken.serial_number], "reason": "Defective", "leaves_profiles": True}
    assert Caller(key_of(alice)).post("/returns/receive", body).status_code == 202
    assert (Device.objects.get(pk=taken.pk).status, works(profile, link)) == ("returned", True)


def test_a_refused_device_stays_in_its_profiles(make_devices, organization, by, profile):
    free = profile.resources.last().device
    ownership.unclaim([free.pk], reason="E4", by=by, leaves_profiles=True)
    assert profile.resources.count() == 3


def test_only_profiles_of_ones_own_organization_are_listed(charlie, actor, profile, taken):
    assert links.concerned(Device.objects.filter(pk=taken.pk), by=actor(charlie)) == []


def test_a_swap_warns_and_takes_the_option(client_for, alice, profile, taken, product):
    from tests import factories

    client, link, new = client_for(alice), printed(profile).link, factories.make_device(product)
    address = reverse("claims:device_swap", args=[taken.pk])
    assert "stops working. It lists 3 devices." in client.get(address).content.decode()
    data = {"replacement": new.serial_number, "reason": "Defective", "is_here": "on", "leaves_profiles": "on"}
    assert client.post(address, data).status_code == 302
    assert (Device.objects.get(pk=taken.pk).status, works(profile, link)) == ("returned", True)


def test_shipping_and_swaps_warn_that_they_cannot_be_undone(client_for, alice, taken, customer, by):
    from claims.shipments.actions import contents, shipments

    client = client_for(alice)
    free = Device.objects.filter(customer=None).first()
    shipment = shipments.create(customer=customer, lines={}, by=by)
    contents.pack(shipment, [free], by=by)
    assert "can&#x27;t be undone" in _html(client, reverse("claims:shipment_ship", args=[shipment.pk]))
    assert "can&#x27;t be undone" in _html(client, reverse("claims:device_swap", args=[taken.pk]))


def _html(client, address):
    return client.get(address).content.decode().replace("can't", "can&#x27;t")


def test_an_edited_export_warns_before_it_is_applied(client_for, alice, profile, taken, settings, tmp_path):
    from tests.devices import roundtrips

    settings.DATA_DIR = tmp_path
    client = client_for(alice)

    def unclaim(rows):
        for row in rows:
            row["owner"] = ""

    row = roundtrips.checked(alice, roundtrips.edited_csv(client, unclaim))
    html = client.get(reverse("devices:device_changes_apply", args=[row.pk])).content.decode()
    assert "stops working. It lists 3 devices." in html
    assert "leaves_profiles" not in html
