"""Shares of a device, its secret, and the picture of its code over REST."""

import pytest

from claims.models import ClaimCode
from claims.redemption.actions import redemption as claims
from console.models import Event
from devices.actions import devices as device_actions
from devices.actions.secrets import sha256
from devices.models import Device, SharedAccess
from tests import factories
from tests.api import Caller, customer_key, key_of
from tests.claims import worlds

pytestmark = pytest.mark.django_db


@pytest.fixture
def share(organization, device, customer, dana):
    """The customer's access to a device that it does not own."""
    profile = worlds.make_link_profile(organization, device, grant="access")
    code = ClaimCode.objects.select_related("profile").get(profile=profile)
    claims.redeem(code, customer=customer, by=factories.actor_of(dana), host="localhost")
    return SharedAccess.objects.get()


def test_a_device_s_shares_are_listed_and_ended(api, share, device, customer, dana):
    theirs = Caller(customer_key(dana, customer))
    assert theirs.get(f"/devices/{device.pk}").status_code == 200
    (said,) = api.get(f"/devices/{device.pk}/shares").json()["results"]
    assert (said["id"], said["customer"]["id"], said["project"]["id"], said["ended_at"]) == (
        share.pk,
        customer.pk,
        share.project_id,
        None,
    )
    path = f"/devices/{device.pk}/shares/{share.pk}/end"
    assert api.post(path, {}).status_code == 400
    assert api.post(path, {"reason": " "}).status_code in {400, 422}
    answer = api.post(path, {"reason": "The pilot is over"})
    assert (answer.status_code, answer.json()["end_note"]) == (200, "The pilot is over")
    assert answer.json()["ended_by"] == "Alice Kemp (Line 3)"
    assert theirs.get(f"/devices/{device.pk}").status_code == 404
    assert Event.objects.filter(kind="device.access_ended").count() == 1
    again = api.post(path, {"reason": "Once more"})
    assert (again.status_code, again.json()["code"]) == (409, "not_shared")
    assert Event.objects.filter(kind="device.access_ended").count() == 1
    for current, found in (("true", []), ("false", [share.pk])):
        rows = api.get(f"/devices/{device.pk}/shares", current=current).json()["results"]
        assert [row["id"] for row in rows] == found


def test_a_share_is_ended_at_its_own_device_and_organization_only(api, share, device, product, charlie):
    other = factories.make_device(product)
    stranger = Caller(key_of(charlie))
    for answer in (
        api.post(f"/devices/{other.pk}/shares/{share.pk}/end", {"reason": "x"}),
        stranger.post(f"/devices/{device.pk}/shares/{share.pk}/end", {"reason": "x"}),
        stranger.get(f"/devices/{device.pk}/shares"),
    ):
        assert answer.status_code == 404
    assert SharedAccess.objects.get().ended_at is None


def test_a_new_secret_is_answered_once_and_kept_as_its_hash(api, device):
    answer = api.post(f"/devices/{device.pk}/secret")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert Device.objects.get().secret_sha256 == sha256(answer.json()["secret"])
    assert Event.objects.get(kind="device.secret_renewed").subject_id == device.pk
    repeated = api.post(f"/devices/{device.pk}/secret", headers={"Idempotency-Key": "one"})
    assert (repeated.status_code, repeated.json()["code"]) == (422, "not_repeatable")
    assert Device.objects.get().secret_sha256 == sha256(answer.json()["secret"])


def test_an_archived_device_gets_no_secret(api, device, alice):
    device_actions.archive([device.pk], by=factories.actor_of(alice))
    assert api.post(f"/devices/{device.pk}/secret").status_code == 404
    assert not Event.objects.filter(kind="device.secret_renewed").exists()


def test_the_code_of_a_device_is_drawn_as_the_console_draws_it(api, device, organization, client_for, alice):
    for slug in ("first", "second"):
        worlds.make_unit_profile(None, device, organization=organization, slug=slug, name=slug)
    client, path = client_for(alice), f"/devices/{device.pk}/claim-codes"
    codes = {code.profile.slug: code for code in ClaimCode.objects.select_related("profile")}
    for form, media in (("svg", "image/svg+xml"), ("png", "image/png")):
        newest = api.get(f"{path}/qr.{form}")
        assert (newest.status_code, newest["Content-Type"]) == (200, media)
        assert newest.content == api.get(f"{path}/qr.{form}", profile="second").content
        first = api.get(f"{path}/qr.{form}", profile=str(codes["first"].profile_id)).content
        console = client.get(f"/devices/{device.pk}/claim-code.{form}?profile={codes['first'].profile_id}")
        assert first == console.content != newest.content
    assert api.get(f"{path}/qr.svg", profile="third").status_code == 404


def test_a_device_without_a_code_has_no_picture(api, device):
    assert api.get(f"/devices/{device.pk}/claim-codes/qr.svg").status_code == 404
