"""The ledger check finds every inconsistency in the data of claims."""

import pytest

from claims import codes
from claims.models import Claim, ClaimCode, ClaimProfile
from claims.redemption.ledger_check import check
from tests import factories
from tests.claims import worlds

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def mend(ledger_is_true):
    """Remove what a test has broken before the check that follows every test."""
    yield
    Claim.objects.all().purge()
    ClaimCode.objects.all().purge()
    ClaimProfile.objects.all().purge()


def test_a_consistent_database_has_no_problems(organization, product, device):
    worlds.make_link_profile(organization)
    worlds.make_unit_profile(product)
    assert check() == []


def test_a_wrong_counter_is_found(organization):
    profile = worlds.make_link_profile(organization)
    ClaimProfile.objects.update(claim_count=3)
    assert check() == [f"Claim profile {profile.pk} (North pilot) counts 3 claims, but there are 0."]


def test_a_profile_without_its_code_is_found(organization):
    profile = worlds.make_link_profile(organization)
    ClaimCode.objects.all().purge()
    assert check() == [f"Claim profile {profile.pk} (North pilot) has no code."]


def test_a_device_without_its_code_is_found(product, make_devices):
    first, _second = make_devices(2)
    profile = worlds.make_unit_profile(product)
    profile.codes.filter(device=first).purge()
    assert check() == [f"Device {first.pk} ({first}) has no code of claim profile {profile.pk} (Units)."]


@pytest.mark.parametrize("field", ["link_sha256", "typed_sha256"])
def test_a_hash_of_another_code_is_found(organization, field):
    code = worlds.make_link_profile(organization).codes.get()
    ClaimCode.objects.update(**{field: codes.sha256("something else")})
    assert check() == [f"Claim code {code.pk} has hashes that do not match its label."]


def test_a_version_raised_without_new_hashes_is_found(organization):
    worlds.make_link_profile(organization)
    ClaimCode.objects.update(version=2)
    assert len(check()) == 1


def test_codes_of_a_missing_key_are_counted(organization):
    worlds.make_link_profile(organization)
    ClaimCode.objects.update(key_id="gone")
    assert check() == ["Key gone is not configured. Claim codes that can't be reprinted: 1."]


def test_a_claim_of_another_profiles_code_is_found(organization, customer, dana):
    profile, other = (worlds.make_link_profile(organization), worlds.make_link_profile(organization, slug="other"))
    claim = _claim(profile, other, customer, dana, customer.projects.get())
    assert check() == [f"Claim {claim.pk} refers to a code, project or customer that does not match it."]


def test_a_claim_in_a_foreign_project_is_found(organization, customer, dana):
    profile = worlds.make_link_profile(organization)
    foreign = factories.make_customer(organization, "Second").projects.get()
    claim = _claim(profile, profile, customer, dana, foreign)
    assert check() == [f"Claim {claim.pk} refers to a code, project or customer that does not match it."]


def test_at_most_twenty_problems_of_a_kind_are_listed(product):
    worlds.make_many_devices(product, 30)
    profile = worlds.make_unit_profile(product)
    profile.codes.all().purge()
    assert len(check()) == 20


def _claim(profile, of, customer, user, project) -> Claim:
    ClaimProfile.objects.filter(pk=profile.pk).update(claim_count=1)
    return Claim.objects.create(
        organization=profile.organization,
        profile=profile,
        code=of.codes.get(),
        code_version=1,
        is_unit=False,
        customer=customer,
        user=user,
        project=project,
    )
