"""A restocked device goes to another customer by any route; each customer sees only their own time with it."""

import pytest

from claims.models import ClaimCode, Return
from claims.profiles import printed
from claims.redemption import offers
from claims.redemption.actions import redemption as claims
from claims.returns.actions import inspection as return_inspection
from claims.returns.actions import returns
from claims.returns.actions.inspection import Findings
from claims.shipments.actions import contents, shipments, shipping
from console.errors import Refused
from devices.actions import ownership
from devices.models import Device, Ownership
from tests import factories
from tests.claims.worlds import make_unit_profile

pytestmark = pytest.mark.django_db


@pytest.fixture
def old_label(device, product):
    make_unit_profile(product)
    return printed.label(ClaimCode.objects.get(device=device))


@pytest.fixture
def restocked(device, customer, dana, by, old_label):
    """A device that Dana's company claimed and sent back, inspected and in stock again."""
    claims.redeem(offers.find(old_label.typed), customer=customer, by=factories.actor_of(dana), host="")
    returns.begin_receive([device.pk], reason="Defective", by=by)
    return_inspection.inspect([Return.objects.get().pk], Findings("b"), decision="restocked", by=by)
    return device


def assign(device, customer, by, person):
    ownership.assign([device.pk], customer=customer, by=by)


def ship(device, customer, by, person):
    shipment = shipments.create(customer=customer, lines={}, by=by)
    contents.scan(shipment, [device.serial_number], by=by)
    shipping.ship(shipment, by=by)


def claim_box(device, customer, by, person):
    """Claim with the code on the packing list of the box that the device was packed in."""
    shipment = shipments.create(customer=customer, lines={}, by=by, is_claimed_by_code=True)
    contents.scan(shipment, [device.serial_number], by=by)
    shipping.send(shipment, by=by)
    claims.redeem(shipment.profile.codes.get(), customer=customer, by=person, host="")


def claim(device, customer, by, person):
    label = printed.label(ClaimCode.objects.get(device=device))
    claims.redeem(offers.find(label.typed), customer=customer, by=person, host="")


@pytest.mark.parametrize("way", [assign, ship, claim, claim_box])
def test_a_restocked_device_goes_to_the_next_customer_and_the_histories_stay_separate(
    way, restocked, customer, other_customer, dana, erin, by, client_for
):
    way(restocked, other_customer, by, factories.actor_of(erin))
    assert Device.objects.get(pk=restocked.pk).customer == other_customer
    past, now = Ownership.objects.filter(device=restocked).order_by("started_at")
    assert (past.customer, past.end_reason, now.customer, now.ended_at) == (customer, "return", other_customer, None)
    assert past.ended_at <= now.started_at

    former = client_for(dana)
    assert former.get(f"/portal/devices/{restocked.pk}/").status_code == 404
    assert restocked.serial_number in former.get("/portal/past/").content.decode()
    assert list(Ownership.objects.visible_to(factories.actor_of(dana))) == [past]
    assert "Hallberg" not in former.get("/portal/past/").content.decode()
    assert "R-00001" in former.get("/portal/returns/").content.decode()

    owner = client_for(erin)
    page = owner.get(f"/portal/devices/{restocked.pk}/")
    assert [span.pk for span in page.context["spans"]] == [now.pk]
    assert "Aalen" not in page.content.decode()
    assert restocked.serial_number not in owner.get("/portal/past/").content.decode()
    assert "R-00001" not in owner.get("/portal/returns/").content.decode()


def test_the_old_label_no_longer_works_but_the_new_one_does(restocked, old_label, other_customer, erin):
    assert offers.find(old_label.typed) is None
    claim(restocked, other_customer, None, factories.actor_of(erin))
    assert Ownership.objects.get(ended_at=None).customer == other_customer


def test_the_new_label_claims_nothing_while_the_device_is_in_quarantine(
    device, customer, other_customer, dana, erin, by, old_label
):
    claims.redeem(offers.find(old_label.typed), customer=customer, by=factories.actor_of(dana), host="")
    returns.begin_receive([device.pk], reason="Defective", by=by)
    with pytest.raises(Refused) as caught:
        claim(device, other_customer, None, factories.actor_of(erin))
    assert caught.value.code == "in_quarantine"
    assert Device.objects.get(pk=device.pk).customer is None
