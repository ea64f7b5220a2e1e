"""Many at once at the same row, in separate processes. Each race has its negative control: with the guard taken out
it must go wrong, or the test would be blind."""

from collections import Counter

import pytest
from django.db import connection, models
from django.test import Client

from claims.models import Claim, ClaimProfile
from claims.profiles.actions import codes as claim_codes
from claims.redemption.actions import redemption
from claims.redemption.actions import redemption as claims
from console.access import system
from customers.projects.actions import projects
from devices import ledger
from devices.acts import Act
from devices.models import Device, DeviceStatus, Ownership
from tests import factories, processes

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
POLITE = {303, 302, 409}


def make_profile(organization, **fields):
    profile = ClaimProfile(organization=organization, slug="race", name="Race", **fields)
    profile.set_keys()
    profile.save()
    return profile


def at_the_last_button(user, link, number):
    """A client, each on an address of its own, that has scanned the code and signed in."""
    client = Client(REMOTE_ADDR=f"192.0.2.{number}")
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(f"/c/{link}").status_code == 303
    return client, {"nonce": client.session["claim"]["nonce"]}


def press(prepared):
    client, form = prepared
    return client.post("/c/redeem/", form).status_code


@pytest.fixture
def claimants(organization):
    def make(number):
        return [
            factories.make_person(factories.make_customer(organization, f"Claimant {n}"), f"c{n}@claimant.example")
            for n in range(number)
        ]

    return make


def race_for(profile, people):
    link = claim_codes.printed(profile.codes.get()).link
    clients = [at_the_last_button(user, link, number) for number, user in enumerate(people)]
    return Counter(processes.run(len(people), lambda n: clients[n], press))


@pytest.mark.parametrize("limit", [10, *(pytest.param(each, marks=pytest.mark.thorough) for each in (1, 63, None))])
def test_sixty_four_claimants_of_one_profile_get_exactly_its_limit(limit, organization, claimants, product):
    device = factories.make_device(product)
    profile = make_profile(organization, grant="access", max_claims=limit)
    profile.resources.create(kind="device", device=device)
    claim_codes.make_for_profile(profile)
    answers = race_for(profile, claimants(64))
    profile.refresh_from_db()
    granted = min(64, limit or 64)
    assert set(answers) <= POLITE, answers
    assert answers[303] + answers[302] == granted
    assert (profile.claim_count, Claim.objects.count()) == (granted, granted)


def test_thirty_two_claimants_of_one_device_make_one_owner_and_thirty_one_polite_refusals(
    organization, claimants, product
):
    device = factories.make_device(product)
    profile = make_profile(organization, scope="unit", product=product)
    claim_codes.make_for_devices(profile, [device.pk])
    answers = race_for(profile, claimants(32))
    assert set(answers) <= POLITE, answers
    assert answers[303] + answers[302] == 1
    assert answers[409] == 31
    assert Ownership.objects.filter(ended_at=None).count() == 1
    profile.refresh_from_db()
    assert (profile.claim_count, Claim.objects.count()) == (1, 1)


def test_the_race_for_a_limit_is_lost_without_the_condition_in_the_update(organization, claimants, monkeypatch):
    """The negative control: read, compare, write instead of one guarded UPDATE, and no CHECK below it."""
    profile = make_profile(organization, grant="access", max_claims=5)
    profile.resources.create(kind="document", title="Manual", link="https://northlake.example/manual.pdf")
    claim_codes.make_for_profile(profile)

    meet = processes.meeting(16)

    def careless(offer, claim, *, host, at):
        seen = ClaimProfile.objects.get(pk=offer.profile.pk).claim_count
        meet()
        assert seen < 5
        ClaimProfile.objects.filter(pk=offer.profile.pk).update(claim_count=seen + 1)

    monkeypatch.setattr(claims, "_count", careless)
    if connection.vendor == "sqlite":
        # SQLite takes one writer at a time; without IMMEDIATE's lock around read and write it is as blind.
        monkeypatch.setattr(claims, "redeem", claims.redeem.__wrapped__)
        monkeypatch.setattr(redemption, "_join_and_redeem", redemption._join_and_redeem.__wrapped__)
    race_for(profile, claimants(16))
    assert Claim.objects.count() > 5
    ClaimProfile.objects.update(max_claims=None, claim_count=Claim.objects.count())


def test_thirty_two_who_assign_one_device_make_one_owner(organization, product, claimants):
    device = factories.make_device(product)
    customers = [factories.make_customer(organization, f"Customer {n}") for n in range(32)]
    by = system(organization)

    def assign(customer):
        return len(
            ledger.assign(
                [device.pk], Act(by), customer=customer, project=projects.default_of(customer), reason="assignment"
            ).done
        )

    assert Counter(processes.run(32, lambda n: customers[n], assign)) == {1: 1, 0: 31}
    assert Ownership.objects.filter(ended_at=None).count() == 1


def test_the_race_for_a_device_is_lost_without_the_condition_in_the_update(organization, product, monkeypatch):
    """The negative control: look first, then write. The constraint stops the second owner, but rudely."""
    device = factories.make_device(product)
    customers = [factories.make_customer(organization, f"Customer {n}") for n in range(8)]
    by = system(organization)

    meet = processes.meeting(8)

    def careless(ids, assignments, values, condition, parameters):
        free = list(Device.objects.filter(pk__in=ids, customer=None).values_list("pk", flat=True))
        meet()
        Device.objects.filter(pk__in=free).update(customer=values[0], status=DeviceStatus.OWNED)
        return free

    monkeypatch.setattr(ledger, "_guarded_update", careless)

    def assign(customer):
        return len(
            ledger.assign.__wrapped__(
                [device.pk], Act(by), customer=customer, project=projects.default_of(customer), reason="assignment"
            ).done
        )

    results = processes.run(8, lambda n: customers[n], assign)
    assert any(isinstance(result, str) and "IntegrityError" in result for result in results)
    repair(device)


def test_crossing_bulk_assignments_neither_deadlock_nor_share_a_device(organization, product):
    devices = [factories.make_device(product) for _n in range(200)]
    customers = [factories.make_customer(organization, f"Customer {n}") for n in range(8)]
    by = system(organization)

    def assign(n):
        ids = [d.pk for d in devices] if n % 2 else [d.pk for d in reversed(devices)]
        return len(
            ledger.assign(
                ids, Act(by), customer=customers[n], project=projects.default_of(customers[n]), reason="assignment"
            ).done
        )

    results = processes.run(8, lambda n: n, assign)
    assert all(isinstance(result, int) for result in results), results
    assert sum(results) == 200
    assert Ownership.objects.filter(ended_at=None).count() == 200


def repair(device):
    """Bring the copies in step again after a control that broke them."""
    owner = Ownership.objects.filter(device=device, ended_at=None).values_list("customer", flat=True).first()
    Device.objects.filter(pk=device.pk).update(
        customer=owner, status=models.Value("owned" if owner else "in_stock", output_field=models.CharField())
    )
