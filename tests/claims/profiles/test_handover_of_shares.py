"""A change of owner ends all access that the new owner did not grant, whatever causes it and however close the race."""

import multiprocessing
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from claims.models import ClaimCode
from claims.redemption.actions import redemption as claims
from claims.returns.actions import returns, swaps
from claims.shipments.actions import contents, shipments, shipping
from console.access import CustomerScope, system
from console.errors import Refused
from console.models import Event
from customers.models import CustomerKind
from devices import ledger, ledger_check, spans
from devices.actions import ownership
from devices.acts import Act
from devices.models import Message, Ownership, Product, SharedAccess
from tests import factories, processes
from tests.api import Caller, customer_key
from tests.claims import worlds
from tests.claims.phone import bare, printed, redeem, scan
from tests.extent import extent
from tests.waiting import until

pytestmark = pytest.mark.django_db


@pytest.fixture
def offer(organization, device):
    """A link that grants access to the device."""
    return worlds.make_link_profile(organization, device, grant="access", name="Pilot", slug="pilot")


@pytest.fixture
def share(offer, other_customer, erin):
    """Erin's access, through the link, to a device in stock."""
    claims.redeem(code_of(offer), customer=other_customer, by=factories.actor_of(erin), host="localhost")
    return SharedAccess.objects.get()


def code_of(profile, device=None):
    return ClaimCode.objects.get(profile=profile, device=device)


def act_assign(device, customer, person, by):
    ownership.assign([device.pk], customer=customer, by=by)


def act_claim(device, customer, person, by):
    profile = worlds.make_unit_profile(None, device, organization=device.organization)
    person = factories.actor_of(person)
    claims.redeem(code_of(profile, device), customer=customer, by=person, host="localhost")


def act_ship(device, customer, person, by):
    shipment = shipments.create(customer=customer, lines={}, by=by)
    contents.pack(shipment, [device], by=by)
    shipping.ship(shipment, by=by)


def act_claim_of_a_box(device, customer, person, by):
    shipment = shipments.create(customer=customer, lines={}, by=by, is_claimed_by_code=True)
    contents.pack(shipment, [device], by=by)
    shipping.send(shipment, by=by)
    person = factories.actor_of(person)
    claims.redeem(shipment.profile.codes.get(), customer=customer, by=person, host="localhost")


def act_take(device, customer, person, by):
    Product.objects.update(customers_may_take=True)
    Caller(customer_key(person, customer, CustomerScope.TAKE)).post(
        "/device-ownerships", {"serial_number": device.serial_number, "device_name": device.device_name}
    )


def act_swap(device, customer, person, by):
    old = factories.make_device(device.product)
    ownership.assign([old.pk], customer=customer, by=by)
    swaps.swap(old, device, reason="Defective", by=by)


def act_assign_to_an_internal_customer(device, customer, person, by):
    type(customer).objects.filter(pk=customer.pk).update(kind=CustomerKind.INTERNAL)
    ownership.assign([device.pk], customer=customer, by=by)


ACTS = [act_assign, act_claim, act_ship, act_claim_of_a_box, act_take, act_swap, act_assign_to_an_internal_customer]


@pytest.mark.parametrize("act", ACTS)
def test_customers_with_earlier_access_see_nothing_of_the_new_owners_time(
    act, share, device, customer, dana, erin, by, client_for
):
    client = client_for(erin)
    assert client.get(f"/portal/devices/{device.pk}/").status_code == 200
    act(device, customer, dana, by)
    span = Ownership.objects.open().get(device=device)
    share.refresh_from_db()
    assert (span.customer, share.end_reason) == (customer, "handover")
    assert share.ended_at <= span.started_at
    Message.objects.create(
        organization=device.organization,
        device=device,
        project=span.project,
        name="canary",
        data=1,
        at=max(span.started_at, timezone.now()),
    )
    assert client.get(f"/portal/devices/{device.pk}/").status_code == 404
    assert b"canary" not in client.get(f"/portal/devices/{device.pk}/messages/").content
    assert not Message.objects.visible_to(factories.actor_of(erin)).exists()
    assert not Message.objects.visible_to(factories.actor_of(erin), device=device).exists()
    event = Event.objects.get(kind="device.access_ended")
    assert (event.subject_id, event.object_id) == (device.pk, share.customer_id)


def test_a_transfer_and_a_return_end_access_granted_during_the_ownership(
    device, customer, other_customer, by, organization
):
    third = factories.make_customer(organization, "Nord").projects.get()
    for number, act in enumerate(
        [
            lambda: ledger.transfer(
                [device.pk], Act(by), source=customer, customer=other_customer, project=other_customer.projects.get()
            ),
            lambda: returns.receive([device.pk], by=by, reason="Defective"),
        ]
    ):
        if number == 0:
            ownership.assign([device.pk], customer=customer, by=by)
        ledger.share([device.pk], Act(by), customer=third.customer, project=third, reason="claim")
        act()
        assert not SharedAccess.objects.open().exists()
        assert Event.objects.filter(kind="device.access_ended").count() == number + 1


def test_access_granted_by_the_owners_own_claim_remains(device, customer, dana, organization):
    fleet = factories.make_customer(organization, "Fleet", kind=CustomerKind.INTERNAL)
    profile = worlds.make_unit_profile(None, device, organization=organization, additional_project=fleet.projects.get())
    claims.redeem(code_of(profile, device), customer=customer, by=factories.actor_of(dana), host="localhost")
    assert SharedAccess.objects.get().ended_at is None
    assert Event.objects.get(kind="device.access_given").object_id == fleet.pk
    assert ledger_check.check() == []


# The old link


def test_before_sign_in_the_old_link_looks_like_any_invalid_code(client, offer, device, customer, by):
    ownership.assign([device.pk], customer=customer, by=by)
    scan(client, printed(offer).link)
    refused = client.get("/c/")
    scan(client, "0" * 25 + "A")
    assert bare(refused) == bare(client.get("/c/"))
    assert refused.status_code == 200


def test_after_sign_in_the_page_says_whom_to_ask_and_grants_nothing(client_for, offer, device, customer, erin, by):
    client = client_for(erin)
    scan(client, printed(offer).link)
    ownership.assign([device.pk], customer=customer, by=by)
    text = client.get("/c/review/").content.decode()
    assert "now belongs to a customer, so Northlake can no longer grant access to it" in text
    assert redeem(client).status_code == 409
    assert not SharedAccess.objects.exists()


def test_the_owner_learns_that_the_device_is_already_theirs(client_for, offer, device, customer, dana, by):
    ownership.assign([device.pk], customer=customer, by=by)
    client = client_for(dana)
    scan(client, printed(offer).link)
    assert "is already yours" in client.get("/c/review/").content.decode()


def test_the_profile_page_lists_devices_that_currently_cannot_be_claimed(
    client_for, offer, device, customer, by, make_devices
):
    page = lambda: client_for("viewer").get(f"/claim-profiles/{offer.pk}/").content.decode()  # noqa: E731
    assert "can’t be claimed now" not in page()
    ownership.assign([device.pk], customer=customer, by=by)
    assert "It can’t be claimed now" in page()


def test_the_page_of_a_profile_with_device_codes_counts_them(
    client_for, organization, device, make_devices, customer, by
):
    other = make_devices(1)[0]
    profile = worlds.make_unit_profile(None, device, other, organization=organization, grant="access")
    ownership.assign([device.pk], customer=customer, by=by)
    text = client_for("viewer").get(f"/claim-profiles/{profile.pk}/").content.decode()
    assert "1 of its devices can’t be claimed now" in text


# Existing rows, and the ledger check


def test_the_check_reports_access_that_outlived_a_change_of_owner_and_the_migration_ends_it(
    share, device, customer, by
):
    ownership.assign([device.pk], customer=customer, by=by)
    SharedAccess.objects.update(ended_at=None, end_reason=None, end_evidence="")
    (said,) = ledger_check.check()
    assert said.startswith(f"Share {share.pk} of device {device.pk} is older than the ownership")
    migration = import_module("devices.migrations.0045_shares_end_with_a_change_of_hands")
    migration.end_what_outlived_a_change_of_hands(apps, None)
    share.refresh_from_db()
    assert (share.end_reason, share.ended_at) == ("handover", Ownership.objects.get().started_at)
    assert ledger_check.check() == []


# Concurrent changes

EACH = 6


def race_of_sharing_and_assigning(organization, product) -> list[str]:
    """Claim each device through its access link in one process while another assigns it. Return the violations.

    In the end all devices have owners and none of these granted access, so no share is open, whenever it started:
    the ledger starts a share that comes too late with the ownership, where the ledger check can't tell it from a grant.
    """
    by, made = system(organization), []
    for n in range(EACH):
        unit = factories.make_device(product)
        profile = worlds.make_link_profile(organization, unit, grant="access", slug=f"pilot-{n}", name=f"Pilot {n}")
        owner, sharer = (factories.make_customer(organization, f"{who} {n}") for who in ("Owner", "Sharer"))
        person = factories.actor_of(factories.make_person(sharer, f"person-{sharer.pk}@example.com"))
        made.append((unit, code_of(profile), owner, sharer, person))

    def act(number: int) -> str:
        unit, code, owner, sharer, person = made[number // 2]
        try:
            if number % 2:
                outcome = ownership.assign([unit.pk], customer=owner, by=by)
                return "assigned" if outcome.done else outcome.refused[0].code
            claims.redeem(code, customer=sharer, by=person, host="localhost")
        except Refused as refusal:
            return refusal.code
        return "shared"

    answers = processes.run(2 * EACH, lambda number: number, act)
    assert answers.count("assigned") == EACH, answers
    assert set(answers) <= {"assigned", "shared", "not_kept"}, answers
    left = SharedAccess.objects.open().filter(device__in=[unit.pk for unit, *_rest in made])
    return [*ledger_check.check(), *(f"{share.customer} still sees {share.device}." for share in left)]


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_no_access_outlives_an_assignment_however_close_the_race(organization, product):
    for slug in extent(("first",), ("first", "second", "third")):
        other = factories.make_organization(slug)
        assert race_of_sharing_and_assigning(other, factories.make_product(other)) == []


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_access_can_outlive_an_assignment(organization, product, monkeypatch):
    """The negative control: devices are read without a lock, and change owner before they are shared."""
    looked, assign, opened = multiprocessing.get_context("fork").Value("i"), ownership.assign, spans.open_each

    def slow(model, ids, *terms, **more):
        if model is SharedAccess:
            with looked:
                looked.value += 1
            until(Ownership.objects.filter(device__in=ids).exists)
        opened(model, ids, *terms, **more)

    def late(ids, **terms):
        # All claims read before the first device changes owner, so none is refused and all lose.
        until(lambda: looked.value == EACH)
        return assign(ids, **terms)

    from django.db import connection

    if connection.vendor == "sqlite":
        # SQLite has one writer at a time; unless the lock is taken at the start, it is just as blind.
        monkeypatch.setattr(claims, "redeem", claims.redeem.__wrapped__)
        monkeypatch.setattr(ledger, "share", ledger.share.__wrapped__)
    monkeypatch.setattr(ledger, "lock", lambda ids: None)
    monkeypatch.setattr(spans, "open_each", slow)
    monkeypatch.setattr(ownership, "assign", late)
    assert len(race_of_sharing_and_assigning(organization, product)) == EACH
    # Clean up after the control, for the check that follows every test.
    SharedAccess.objects.open().update(ended_at=timezone.now() + timedelta(hours=1), end_reason="handover")
