"""One answer for one cause at every door.

A device that is archived, scrapped, in quarantine, packed or owned is refused with the same code wherever it is named.
"""

import pytest

from claims.models import ClaimCode, Return
from claims.redemption import offers
from claims.returns.actions import inspection as return_inspection
from claims.returns.actions import returns
from claims.returns.forms import SwapForm
from claims.shipments.actions import contents, shipments
from console import operations
from console.errors import Refused
from devices import ledger
from devices.actions import devices as device_actions
from devices.actions import ownership
from devices.models import Device
from tests import factories
from tests.claims import worlds

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_folder")]
CAUSES = ("archived", "scrapped", "in_quarantine", "reserved", "already_owned")


@pytest.fixture
def world(make_devices, product, customer, other_customer, by):
    """A device for each cause, each with a claim code of its own; the owned one is another customer's."""
    found = dict(zip(CAUSES, make_devices(len(CAUSES)), strict=True))
    worlds.make_unit_profile(product)
    ledger.set_status([found["scrapped"].pk], frm=["in_stock"], to="scrapped")
    returns.receive([found["in_quarantine"].pk], reason="Defective", by=by, anyway=[found["in_quarantine"].pk])
    shipment = shipments.create(customer=other_customer, lines={}, by=by)
    contents.pack(shipment, [found["reserved"]], by=by)
    ownership.assign([found["already_owned"].pk], customer=other_customer, by=by)
    device_actions.archive([found["archived"].pk], by=by)
    return {cause: Device.objects.get(pk=device.pk) for cause, device in found.items()}


def results(api, answer):
    assert answer.status_code == 202, answer.json()
    operation = answer.json()["operation"] if "stock" in answer.json() else answer.json()["id"]
    operations.run(operation)
    rows = api.get(f"/operations/{operation}/results").json()["results"]
    return {row["name"]: row["code"] for row in rows}


def named(world):
    return [device.serial_number for device in world.values()]


def codes(world, found):
    """By cause, the code that each door gave for it; what it let pass is not among them."""
    return {
        cause: found[device.serial_number]
        for cause, device in world.items()
        if found.get(device.serial_number, "ok") != "ok"
    }


def at_assign(api, world, customer, by):
    return results(api, api.post(f"/customers/{customer.pk}/devices:assign", {"devices": named(world)}))


def at_owner(api, world, customer, by):
    found = {d.serial_number: api.put(f"/devices/{d.pk}/owner", {"customer": customer.pk}) for d in world.values()}
    return {name: answer.json().get("code", "ok") for name, answer in found.items()}


def at_pack(api, world, customer, by):
    shipment = shipments.create(customer=customer, lines={}, by=by)
    answer = api.post(f"/shipments/{shipment.pk}/pack", {"scans": named(world)}).json()
    return {row["scan"]: row["code"] for row in answer["results"]}


def at_claim(api, world, customer, by):
    found = {}
    for device in world.values():
        offer = offers.of(offers.get(ClaimCode.objects.get(device=device).pk))
        try:
            offers.check(offer, host="localhost", customer=customer)
        except Refused as refusal:
            found[device.serial_number] = refusal.code
    return found


def at_swap(api, world, customer, by):
    old, found = factories.make_device(factories.make_product(by.organization, "Other")), {}
    ownership.assign([old.pk], customer=customer, by=by)
    for device in world.values():
        data = {"replacement": device.device_name, "reason": "Defective", "other_product": "on"}
        form = SwapForm(data, actor=by, device=old)
        form.is_valid()
        (error,) = form.errors.as_data().get("replacement", [None])
        found[device.serial_number] = error.code
    return found


@pytest.mark.parametrize("door", [at_assign, at_owner, at_pack, at_claim, at_swap])
def test_every_door_that_gives_a_device_away_names_the_cause_alike(door, api, world, customer, by):
    assert codes(world, door(api, world, customer, by)) == {cause: cause for cause in CAUSES}
    assert not Device.objects.filter(customer=customer).exclude(pk__gt=max(d.pk for d in world.values())).exists()


def test_the_doors_that_take_a_device_back_name_it_alike(api, world):
    body = {"devices": named(world), "reason": "E4"}
    free = dict.fromkeys(("scrapped", "in_quarantine", "reserved"), "not_owned")
    assert codes(world, results(api, api.post("/devices:unclaim", body))) == {"archived": "archived", **free}


def test_receiving_names_it_alike(api, world):
    body = {"devices": named(world), "reason": "Defective"}
    seen = codes(world, results(api, api.post("/returns/receive", body)))
    assert seen == {cause: cause for cause in ("archived", "scrapped", "in_quarantine", "reserved")}


def test_taking_out_of_a_shipment_names_it_alike(api, world, customer, by):
    shipment = shipments.create(customer=customer, lines={}, by=by)
    answer = api.post(f"/shipments/{shipment.pk}/unpack", {"devices": named(world)}).json()
    seen = codes(world, {row["name"]: row["code"] for row in answer["results"]})
    assert seen == dict.fromkeys(CAUSES, "not_packed") | {"archived": "archived"}


def test_the_queue_of_labels_and_their_sheets_name_it_alike(api, world):
    answer = api.post("/label-queue/done", {"devices": named(world)}).json()
    seen = codes(world, {row["name"]: row["code"] for row in answer["results"]})
    assert (seen["archived"], seen["scrapped"], answer["done"]) == ("archived", "scrapped", 1)
    names = ["NOSUCH", *named(world), named(world)[2]]
    answer = api.post("/label-sheets", {"devices": names, "form": "csv"})
    operation = answer.json()["operation"]
    operations.run(operation)
    rows = api.get(f"/operations/{operation}/results").json()["results"]
    assert [(row["name"], row["code"]) for row in rows] == list(
        zip(names, ["not_found", "archived", "scrapped", "ok", "ok", "ok", "duplicate"], strict=True)
    )


def test_inspecting_names_an_archived_device_alike(api, world, by):
    device = world["in_quarantine"]
    Device.objects.filter(pk=device.pk).update(archived_at="2026-11-01T00:00Z")
    outcome = return_inspection.inspect(
        [Return.objects.get(device=device).pk], return_inspection.Findings(grade="b"), by=by
    )
    assert [refused.code for refused in outcome.refused] == ["archived"]


def test_of_two_devices_with_one_serial_number_the_archived_one_is_not_meant(api, organization, customer, by):
    first, second = (
        factories.make_device(factories.make_product(organization, name), "TWIN-1") for name in ("One", "Two")
    )
    device_actions.archive([first.pk], by=by)
    results(api, api.post(f"/customers/{customer.pk}/devices:assign", {"devices": ["TWIN-1"]}))
    assert Device.objects.get(pk=second.pk).customer == customer
