"""One code for a whole shipment: its devices stay reserved until the customer claims the box."""

import re
from datetime import timedelta
from io import BytesIO

import pypdfium2
import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from claims.models import Claim, ClaimProfile, Shipment
from claims.profiles.actions import codes as claim_codes
from claims.profiles.actions import profiles as claim_profiles
from claims.redemption import offers
from claims.redemption.actions import redemption as claims
from claims.returns.actions import returns
from claims.scanning import photos as reading
from claims.shipments import reconciliation
from claims.shipments.actions import contents, shipments, shipping
from claims.shipments.ledger_check import check
from console.errors import Refused
from console.models import Event
from devices.actions import ownership
from devices.models import Device, DeviceStatus, Ownership
from tests.claims import phone
from tests.claims.worlds import make_unit_profile

pytestmark = pytest.mark.django_db
HOST = "localhost"


@pytest.fixture
def box(customer, make_devices, by):
    """A shipment with three packed devices for the customer to claim."""
    shipment = shipments.create(customer=customer, lines={}, by=by, order_number="PO-7", is_claimed_by_code=True)
    contents.pack(shipment, make_devices(3), by=by)
    return shipment


@pytest.fixture
def sent(box, by):
    shipping.send(box, by=by)
    return box


@pytest.fixture
def redeem(customer, dana, actor):
    def act(box, *, customer=customer, by=dana):
        return claims.redeem(box.profile.codes.get(), customer=customer, by=actor(by), host=HOST)

    return act


def refused(act, *args, **more):
    """Return the code of a refusal that left devices, spans and shipments unchanged."""
    return refusal_of(act, *args, **more).code


def refusal_of(act, *args, **more):
    """Return a refusal that left devices, spans and shipments unchanged."""
    before = [list(model.objects.order_by("pk").values()) for model in (Device, Ownership, Claim, ClaimProfile)]
    with pytest.raises(Refused) as caught:
        act(*args, **more)
    assert [list(m.objects.order_by("pk").values()) for m in (Device, Ownership, Claim, ClaimProfile)] == before
    return caught.value


def states():
    return set(Device.objects.values_list("status", "customer__name"))


def test_a_sent_box_stays_reserved_until_it_is_claimed_as_a_whole(sent, redeem, customer):
    sent.refresh_from_db()
    assert (sent.state, states()) == ("sent", {("reserved", None)})
    assert check() == []
    claim = redeem(sent)
    sent.refresh_from_db()
    assert (sent.state, states()) == ("shipped", {("owned", customer.name)})
    spans = Ownership.objects.all()
    assert {(span.start_reason, span.start_evidence) for span in spans} == {("claim", f"claim:{claim.pk}")}
    assert {span.started_at for span in spans} == {claim.at}
    assert len(claim.given) == 3
    assert sent.units.filter(is_open=True).count() == 0
    assert Event.objects.filter(kind="shipment.claimed", subject_label=sent.code).count() == 1
    # Redeeming again returns the same claim.
    assert redeem(sent) == claim


def test_nobody_else_can_claim_the_box(sent, redeem, other_customer, erin):
    assert refused(redeem, sent, customer=other_customer, by=erin) == "not_your_shipment"


def test_a_box_cannot_be_claimed_before_it_left_or_after_it_was_cancelled(box, redeem, by):
    assert refused(redeem, box) == "shipment_open"
    shipping.send(box, by=by)
    assert shipments.cancel(box, by=by) == 3
    box.refresh_from_db()
    assert (box.state, box.shipped_at, states()) == ("cancelled", None, {("in_stock", None)})
    assert refused(redeem, box) == "shipment_cancelled"


def test_assigning_a_box_without_its_code_invalidates_the_code(sent, redeem, by, customer):
    assert shipping.ship(sent, by=by).state == "done"
    assert states() == {("owned", customer.name)}
    assert refused(redeem, sent) == "shipment_shipped"


def test_an_offer_read_before_the_box_was_assigned_grants_nothing(sent, dana, actor, customer, by):
    """The state of the shipment is checked in the UPDATE, not on what was read."""
    offer = offers.of(offers.get(sent.profile.codes.get().pk))
    shipping.ship(sent, by=by)
    before = Ownership.objects.count()
    with pytest.raises(Refused):
        claims.redeem(offer.code, customer=customer, by=actor(dana), host=HOST, offer=offer)
    assert (Claim.objects.count(), Ownership.objects.count()) == (0, before)


def test_nobody_else_can_claim_a_packed_device_through_its_own_label(sent, redeem, other_customer, erin, actor):
    unit = sent.units.first().device
    code = make_unit_profile(unit.product).codes.get(device=unit)
    assert refused(claims.redeem, code, customer=other_customer, by=actor(erin), host=HOST) == "reserved"


def test_a_box_is_reconciled_while_it_waits_and_afterwards(sent, redeem, by):
    (line,) = reconciliation.balance(sent)
    assert (line.shipped, line.owned, line.waiting, line.missing) == (3, 0, 3, 0)
    redeem(sent)
    unit = sent.units.first().device
    returns.begin_receive([unit.pk], reason="Defective", by=by)
    (line,) = reconciliation.balance(sent)
    assert (line.owned, line.returned, line.waiting, line.missing) == (2, 1, 0, 0)


def test_empty_and_overfull_boxes_cannot_be_sent(customer, make_devices, by, monkeypatch):
    box = shipments.create(customer=customer, lines={}, by=by, is_claimed_by_code=True)
    assert refused(shipping.send, box, by=by) == "empty"
    monkeypatch.setattr(shipping, "MOST_CLAIMED", 2)
    contents.pack(box, make_devices(3), by=by)
    assert refused(shipping.send, box, by=by) == "too_many"


def test_a_shipment_without_a_code_is_shipped_rather_than_sent(customer, make_devices, by):
    shipment = shipments.create(customer=customer, lines={}, by=by)
    contents.pack(shipment, make_devices(1), by=by)
    assert refused(shipping.send, shipment, by=by) == "not_open"
    assert shipment.profile is None


def test_the_choice_of_a_box_code_can_be_changed_while_packing(customer, make_devices, by):
    shipment = shipments.create(customer=customer, lines={}, by=by)
    for wanted in (True, False, True):
        shipments.edit(shipment, lines={}, by=by, is_claimed_by_code=wanted)
    assert ClaimProfile.objects.get() == shipment.profile
    assert (shipment.profile.max_claims, shipment.profile.slug) == (1, "shipment-s-00001")


def test_the_profile_of_a_shipment_is_only_edited_through_the_shipment(box, by):
    profile = box.profile
    assert refused(claim_profiles.edit, profile, version=profile.version, by=by, name="Mine") == "of_shipment"


def test_replacing_the_code_of_a_shipments_profile_invalidates_the_printed_one(sent, by):
    old = claim_codes.printed(sent.profile.codes.get()).typed
    claim_codes.replace(sent.profile, reason="The list was lost", by=by)
    assert offers.find(old) is None
    assert offers.find(claim_codes.printed(sent.profile.codes.get()).typed) is not None


def test_the_packing_list_has_the_code_for_people_who_may_see_codes(sent, client_for):
    address = reverse("claims:shipment_packing_list", args=[sent.pk])
    link = offers.find(phone.printed(sent.profile).typed)
    page = pypdfium2.PdfDocument(client_for("fulfilment").get(address).content)[0]
    assert "Scan to claim the whole box" in page.get_textpage().get_text_range()
    (text,) = codes_in(page)
    assert offers.find(re.sub(r".*/C/", "", text)) == link
    page = pypdfium2.PdfDocument(client_for("viewer").get(address).content)[0]
    assert "Scan to claim" not in page.get_textpage().get_text_range()
    assert codes_in(page) == []


def codes_in(page):
    """Return the texts of the QR codes on a page, rendered at 200 dpi."""
    file = BytesIO()
    page.render(scale=200 / 72).to_pil().save(file, "PNG")
    return reading.read(file.getvalue())


def test_a_box_goes_from_the_form_to_the_customers_phone(customer, make_devices, client_for, dana, client):
    fulfilment = client_for("fulfilment")
    answer = fulfilment.post(
        reverse("claims:shipment_create"),
        {"customer": customer.name, "is_claimed_by_code": "on", "tells_customer": "on", "order_number": "PO-9"},
    )
    assert answer.status_code == 302
    shipment = Shipment.objects.get()
    scan = {"list": "\n".join(device.serial_number for device in make_devices(2))}
    fulfilment.post(reverse("claims:shipment_pack", args=[shipment.pk]), scan)
    page = fulfilment.get(reverse("claims:shipment_ship", args=[shipment.pk])).content.decode()
    assert "stay reserved until" in page
    assert "Nobody can claim" not in page
    page = fulfilment.post(reverse("claims:shipment_ship", args=[shipment.pk]), follow=True).content.decode()
    assert "Sent 2 devices." in page
    typed = phone.printed(shipment.profile)
    assert typed.typed_in_groups in page
    assert "scan the code on the packing list" in mail.outbox[-1].body
    assert typed.typed not in mail.outbox[-1].body

    phone.scan(client, typed.link)
    assert "serial ends in" in client.get(reverse("claim:landing")).content.decode()
    phone.sign_in(client, dana.email)
    assert "You’ll be the owner of these 2 devices." in client.get(reverse("claim:review")).content.decode()
    assert phone.redeem(client).status_code == 303
    assert states() == {("owned", customer.name)}


def test_a_stranger_with_the_packing_list_is_told_what_to_do_and_gets_nothing(sent, client, erin):
    phone.scan(client, phone.printed(sent.profile).link)
    phone.sign_in(client, "stranger@example.com")
    page = client.get(reverse("claim:review")).content.decode()
    assert "This shipment is for a customer that you can&#x27;t claim for" in page
    assert sent.customer.name not in page
    phone.redeem(client, kind="company", name="Mallory Ltd")
    assert states() == {("reserved", None)}
    assert not Claim.objects.exists()


def test_a_customer_nobody_can_claim_for_is_pointed_out_before_the_box_leaves(
    other_customer, make_devices, by, client_for
):
    box = shipments.create(customer=other_customer, lines={}, by=by, is_claimed_by_code=True)
    contents.pack(box, make_devices(1), by=by)
    page = client_for("fulfilment").get(reverse("claims:shipment_ship", args=[box.pk])).content.decode()
    assert "Nobody can claim for" in page


def test_sent_boxes_can_be_filtered_in_the_list(sent, client_for):
    page = client_for("viewer").get(reverse("claims:shipment_list"), {"state": "sent"})
    assert sent.code in page.content.decode()
    assert "Awaiting claim" in page.content.decode()


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"archived_at": timezone.now()}, "archived"),
        ({"status": DeviceStatus.SCRAPPED}, "scrapped"),
        ({"archived_at": timezone.now(), "status": DeviceStatus.SCRAPPED}, "archived"),
    ],
)
def test_claiming_a_box_with_an_archived_or_scrapped_device_grants_nothing(sent, redeem, fields, cause):
    """Programs and staff learn which it is; for the customer, who can do nothing about it, it is out of service."""
    unit = Device.objects.get(pk=sent.units.first().device_id)
    before = {name: getattr(unit, name) for name in fields}
    Device.objects.filter(pk=unit.pk).update(**fields)
    refusal = refusal_of(redeem, sent)
    # Clean up what the ledger would not write, for the check that follows every test.
    Device.objects.filter(pk=unit.pk).update(**before)
    assert refusal.code == cause
    assert refusal.sentence == f"Device …{unit.serial_tail} is out of service. Contact Northlake."


def test_ownership_starts_with_the_claim_rather_than_the_departure(box, by, dana, actor, customer):
    left = timezone.now() - timedelta(days=9)
    shipping.send(box, by=by, at=left)
    claims.redeem(box.profile.codes.get(), customer=customer, by=actor(dana), host=HOST)
    box.refresh_from_db()
    assert box.shipped_at == left
    assert Ownership.objects.filter(started_at__gt=left + timedelta(days=8)).count() == 3


def test_reserved_devices_cannot_be_assigned_any_other_way(sent, by, other_customer):
    outcome = ownership.assign(sent.units.values_list("device", flat=True), customer=other_customer, by=by)
    assert (outcome.done, {each.code for each in outcome.refused}) == ([], {"reserved"})
