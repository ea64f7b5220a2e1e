"""A packed device's own code: only its customer may claim it, and the shipment continues with the rest."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from claims.models import Claim, ClaimCode, Return, Shipment, ShipmentUnit
from claims.redemption import offers
from claims.redemption.actions import redemption
from claims.redemption.actions import redemption as claims
from claims.redemption.actions.redemption import Claimant
from claims.returns.actions import returns
from claims.shipments import reconciliation
from claims.shipments.actions import contents, shipments, shipping
from claims.shipments.ledger_check import check
from console.errors import Refused
from console.models import Event
from customers.models import Customer
from devices.actions import ownership
from devices.models import Device, Ownership
from tests import factories, processes
from tests.api import Caller, customer_key, key_of
from tests.claims import phone, worlds

HOST = "localhost"
# The signed scan in the forms, which names the code.
SCAN = re.compile(rb'name="scan" value="[^"]+"')


@pytest.fixture
def profile(product, make_devices):
    make_devices(3)
    return worlds.make_unit_profile(product)


@pytest.fixture
def devices(profile):
    return list(Device.objects.order_by("pk"))


@pytest.fixture
def shipment(customer, devices, by_system):
    """Three devices packed for Stadtwerke Aalen, Dana's company."""
    made = shipments.create(customer=customer, lines={devices[0].product: 3}, by=by_system, order_number="PO-7")
    contents.pack(made, devices, by=by_system)
    return made


@pytest.fixture
def redeem(customer, dana, actor):
    def act(device, *, customer=customer, by=dana):
        return claims.redeem(ClaimCode.objects.get(device=device), customer=customer, by=actor(by), host=HOST)

    return act


def states(shipment):
    """Return, for each device in packing order: whether it is still packed, its status, whether a claim took it."""
    rows = ShipmentUnit.objects.filter(shipment=shipment).order_by("device")
    return [(row.is_open, row.device.status, row.claim_id is not None) for row in rows.select_related("device")]


CLAIMED, PACKED = (False, "owned", True), (True, "reserved", False)
simple = pytest.mark.django_db


@simple
def test_the_customer_claims_a_packed_device_and_the_shipment_shows_it(
    redeem, shipment, devices, customer, client_for, alice
):
    claim = redeem(devices[0])
    span = Ownership.objects.get()
    assert (span.device, span.customer, span.start_reason, span.start_evidence) == (
        devices[0],
        customer,
        "claim",
        f"claim:{claim.pk}",
    )
    assert states(shipment) == [CLAIMED, PACKED, PACKED]
    shipment.refresh_from_db()
    assert (shipment.state, shipment.unit_count) == ("open", 3)
    (row,) = reconciliation.balance(shipment)
    assert (row.expected, row.shipped, row.short, row.owned, row.claimed) == (3, 3, 0, 1, 1)
    html = client_for(alice).get(shipment.get_absolute_url()).content.decode()
    assert html.count("claimed ") >= 1 and ">Claimed</th>" in html
    assert "Claimed" in client_for(alice).get(reverse("claims:shipment_pack", args=[shipment.pk])).content.decode()
    answer = Caller(key_of(alice)).get(f"/shipments/{shipment.pk}/units").json()["results"]
    assert [(unit["claim"], unit["fate"]) for unit in answer] == [(claim.pk, "owned"), (None, None), (None, None)]
    assert check() == []


@simple
def test_redeeming_it_again_returns_the_same_claim(redeem, shipment, devices):
    assert redeem(devices[0]) == redeem(devices[0])
    assert Claim.objects.count() == 1


@simple
def test_anybody_else_is_refused_and_nothing_happens(
    redeem, shipment, devices, other_customer, erin, actor, organization
):
    with pytest.raises(Refused) as refusal:
        redeem(devices[0], customer=other_customer, by=erin)
    assert refusal.value.code == "reserved"
    newcomer = factories.make_person(factories.make_customer(organization, "Late"), "late@late.example")
    before = Customer.objects.count()
    code = offers.get(ClaimCode.objects.get(device=devices[0]).pk)
    with pytest.raises(Refused) as refusal:
        redemption.redeem_as(code, claimant=Claimant(kind="person", name="New"), by=actor(newcomer), host=HOST)
    assert refusal.value.code == "reserved"
    assert Customer.objects.count() == before
    assert (Claim.objects.count(), Ownership.objects.count()) == (0, 0)
    assert states(shipment) == [PACKED] * 3


@simple
def test_before_sign_in_the_page_reveals_nothing_and_afterwards_strangers_are_refused(
    shipment, devices, profile, client_for, dana, erin, product
):
    free = factories.make_device(product, f"X{devices[0].serial_number}")
    worlds.claim_codes.make_for_devices(profile, [free.pk])
    seen = []
    for device in (devices[0], free):
        visitor = Client()
        phone.scan(visitor, phone.printed(profile, device).link)
        seen.append(SCAN.sub(b"", phone.bare(visitor.get("/c/"))))
    assert seen[0] == seen[1]
    pages = {}
    for person in (erin, dana):
        signed_in = client_for(person)
        phone.scan(signed_in, phone.printed(profile, devices[0]).link)
        pages[person] = signed_in.get(reverse("claim:review")).content.decode()
        answer = phone.redeem(signed_in)
        assert answer.status_code == (303 if person == dana else 422)
    assert "is on its way to somebody else" in pages[erin]
    assert "somebody else" not in pages[dana]
    assert Device.objects.get(pk=devices[0].pk).customer.name == "Stadtwerke Aalen"


@simple
def test_a_key_of_the_customer_redeems_it_and_a_key_of_another_does_not(
    shipment, devices, profile, dana, erin, customer, other_customer
):
    code = {"code": phone.printed(profile, devices[0]).typed}
    refused = Caller(customer_key(erin, other_customer)).post("/claims/redeem", code)
    assert (refused.status_code, refused.json()["code"]) == (409, "reserved")
    assert Caller(customer_key(dana, customer)).post("/claims/redeem", code).status_code == 201


@simple
def test_shipping_assigns_the_rest_and_leaves_the_claimed_device_alone(redeem, shipment, devices, by_system, customer):
    redeem(devices[0])
    operation = shipping.ship(shipment, by=by_system)
    assert (operation.state, operation.succeeded, operation.refused) == ("done", 2, 0)
    assert operation.sentence == "3 devices shipped to Stadtwerke Aalen."
    assert Ownership.objects.filter(customer=customer, ended_at=None).count() == 3
    assert sorted(Ownership.objects.values_list("start_reason", flat=True)) == ["claim", "shipment", "shipment"]
    (row,) = reconciliation.balance(shipment)
    assert (row.shipped, row.owned, row.missing) == (3, 3, 0)
    assert Event.objects.get(kind="shipment.shipped").data == {"units": 3}


@simple
def test_a_shipment_whose_devices_were_all_claimed_can_still_be_shipped(redeem, shipment, devices, by_system):
    for device in devices:
        redeem(device)
    operation = shipping.ship(shipment, by=by_system)
    shipment.refresh_from_db()
    assert (operation.state, shipment.state, shipment.shipped_at is None) == ("done", "shipped", False)
    assert Ownership.objects.count() == 3


@simple
def test_a_claimed_device_cannot_be_taken_out_and_keeps_its_owner_when_the_shipment_is_cancelled(
    redeem, shipment, devices, by_system
):
    redeem(devices[0])
    assert contents.unpack(shipment, [devices[0].pk], by=by_system) == []
    assert shipments.cancel(shipment, by=by_system) == 2
    assert sorted(Device.objects.values_list("status", flat=True)) == ["in_stock", "in_stock", "owned"]
    assert states(shipment)[0] == CLAIMED


@simple
def test_a_sent_box_is_complete_once_its_last_device_is_claimed_individually(redeem, customer, devices, by_system):
    box = shipments.create(customer=customer, lines={}, by=by_system, is_claimed_by_code=True)
    contents.pack(box, devices, by=by_system)
    shipping.send(box, by=by_system)
    for device in devices[:2]:
        redeem(device)
    box.refresh_from_db()
    assert box.state == "sent"
    redeem(devices[2])
    box.refresh_from_db()
    assert box.state == "shipped"
    assert Event.objects.filter(kind="shipment.claimed").count() == 1


@simple
def test_the_code_of_the_box_grants_what_is_left_of_it(redeem, customer, devices, by_system, dana, actor):
    box = shipments.create(customer=customer, lines={}, by=by_system, is_claimed_by_code=True)
    contents.pack(box, devices, by=by_system)
    shipping.send(box, by=by_system)
    redeem(devices[1])
    claim = claims.redeem(box.profile.codes.get(), customer=customer, by=actor(dana), host=HOST)
    assert [thing["id"] for thing in claim.given] == [devices[0].pk, devices[2].pk]
    assert Ownership.objects.filter(ended_at=None, customer=customer).count() == 3


@simple
def test_a_device_that_was_claimed_and_returned_can_be_packed_again_in_its_place(redeem, shipment, devices, by_system):
    redeem(devices[0])
    ownership.unclaim([devices[0].pk], reason="mistake", by=by_system)
    (answer,) = contents.pack(shipment, [devices[0]], by=by_system)
    assert answer.code == "added"
    assert states(shipment) == [PACKED] * 3
    shipment.refresh_from_db()
    assert (shipment.unit_count, shipment.units.count()) == (3, 3)


@simple
def test_a_return_belongs_to_the_shipment_the_device_was_packed_in(redeem, shipment, devices, by_system):
    redeem(devices[0])
    shipping.ship(shipment, by=by_system)
    returns.receive([devices[0].pk], reason="Defective", by=by_system)
    assert Return.objects.get().shipment_id == shipment.pk
    (row,) = reconciliation.balance(shipment)
    assert (row.owned, row.returned, row.missing) == (2, 1, 0)


# Races. In each of them, the claim and the other change take turns at the shipment.


@pytest.fixture
def hers(dana, actor):
    return actor(dana)


def claim_or_refusal(device, customer, by):
    try:
        claims.redeem(ClaimCode.objects.get(device=device), customer=customer, by=by, host=HOST)
    except Refused as refusal:
        return refusal.code
    return "claimed"


def against(act, shipment, devices, customer, by):
    """Claim all devices while another process does `act` to their shipment; return the results of the claims."""

    def do(n):
        if n:
            return [claim_or_refusal(device, customer, by) for device in devices]
        try:
            act(Shipment.objects.get(pk=shipment.pk))
        except Refused as refusal:
            return refusal.code
        return "done"

    found = processes.run(2, lambda n: n, do)
    return next(each for each in found if isinstance(each, list)), next(e for e in found if isinstance(e, str))


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_claims_during_shipping_give_each_device_to_the_customer_once(shipment, devices, customer, by_system, hers):
    claimed, shipped = against(lambda s: shipping.ship(s, by=by_system), shipment, devices, customer, hers)
    assert shipped == "done"
    assert set(claimed) <= {"claimed", "already_yours"}
    assert Ownership.objects.filter(customer=customer, ended_at=None).count() == 3 == Ownership.objects.count()
    shipment.refresh_from_db()
    assert (shipment.state, shipment.units.filter(is_open=True).count()) == ("shipped", 0)
    assert shipment.units.filter(claim__isnull=False).count() == claimed.count("claimed")


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["cancel", "unpack"])
def test_claims_while_devices_are_given_up_leave_each_with_the_customer_or_in_stock(
    act, shipment, devices, customer, by_system, hers
):
    other = {
        "cancel": lambda s: shipments.cancel(s, by=by_system),
        "unpack": lambda s: contents.unpack(s, [u.pk for u in devices], by=by_system),
    }[act]
    claimed, done = against(other, shipment, devices, customer, hers)
    assert done == "done"
    # Anybody can claim what is in stock again, so the claims succeed either way.
    assert set(claimed) <= {"claimed", "changed", "reserved"}
    assert check() == []
    owned = Device.objects.filter(customer=customer).count()
    assert owned == claimed.count("claimed") == Ownership.objects.count()
    assert Device.objects.filter(status="in_stock").count() == 3 - owned


@pytest.mark.django_db(transaction=True)
def test_without_the_condition_in_the_update_the_race_is_lost(
    shipment, devices, customer, by_system, hers, monkeypatch
):
    """The negative control: a device read as packed a moment ago counts as packed although it was taken out since."""
    offer = offers.of(offers.get(ClaimCode.objects.get(device=devices[0]).pk))
    contents.unpack(shipment, [devices[0].pk], by=by_system)
    terms = {"customer": customer, "by": hers, "host": HOST, "offer": offer}
    with pytest.raises(Refused) as refusal:
        claims.redeem(offer.code, **terms)
    assert refusal.value.code == "changed"
    assert not Claim.objects.exists()

    def careless(ids, *, claim, by):
        ShipmentUnit.objects.filter(device__in=ids).update(is_open=False)

    monkeypatch.setattr(shipping, "take_claimed", careless)
    contents.pack(shipment, [devices[0]], by=by_system)
    stale = offers.of(offers.get(ClaimCode.objects.get(device=devices[0]).pk))
    shipments.cancel(shipment, by=by_system)
    other = shipments.create(customer=factories.make_customer(customer.organization, "Other"), lines={}, by=by_system)
    contents.pack(other, [devices[0]], by=by_system)
    claims.redeem(stale.code, customer=customer, by=hers, host=HOST, offer=stale)
    assert Device.objects.get(pk=devices[0].pk).customer == customer, "it was somebody else's shipment"


@pytest.mark.django_db(transaction=True)
def test_a_device_moved_to_another_customers_shipment_is_not_granted(shipment, devices, customer, by_system, hers):
    stale = offers.of(offers.get(ClaimCode.objects.get(device=devices[0]).pk))
    shipments.cancel(shipment, by=by_system)
    other = shipments.create(customer=factories.make_customer(customer.organization, "Other"), lines={}, by=by_system)
    contents.pack(other, [devices[0]], by=by_system)
    with pytest.raises(Refused) as refusal:
        claims.redeem(stale.code, customer=customer, by=hers, host=HOST, offer=stale)
    assert refusal.value.code == "reserved"
    assert (Claim.objects.count(), Ownership.objects.count()) == (0, 0)
    assert states(other) == [PACKED]
