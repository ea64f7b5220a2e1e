"""Redeeming claim codes with a customer's key: as the claim pages do it, counted before anything is looked up."""

import pytest

from claims.models import Claim, ClaimCode, ClaimProfile, ClaimStep
from claims.profiles.actions import codes as claim_codes
from claims.redemption import session
from console.access import CustomerScope
from console.models import Event, IdempotentAnswer, OrganizationDomain, Throttle
from devices.actions import ownership
from devices.models import Device, Ownership
from tests import factories
from tests.api import Caller, customer_key, key_of
from tests.claims import worlds

pytestmark = pytest.mark.django_db


def typed(code):
    return claim_codes.printed(code).typed_in_groups


@pytest.fixture
def code(product, device):
    worlds.make_unit_profile(product)
    return ClaimCode.objects.get(device=device)


def test_a_code_gives_its_device_to_the_keys_customer_and_repeating_it_returns_the_same_claim(
    mine, code, device, customer, settings
):
    printed = claim_codes.printed(code)
    answer = mine.post("/claims/redeem", {"code": printed.typed_in_groups})
    assert answer.status_code == 201, answer.json()
    claim = Claim.objects.get()
    assert answer.json() == {
        "id": claim.pk,
        "profile": {"id": code.profile_id, "slug": "units", "name": "Units"},
        "customer": {"id": customer.pk, "name": customer.name},
        "claimed_by": "dana@aalen.example",
        "at": f"{claim.at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "answers": {},
        "given": [{"kind": "device", "id": device.pk, "label": device.serial_number, "product": "Aqua Meter"}],
    }
    for text in (
        f"{settings.BASE_URL}/c/{printed.link}",
        f"{settings.BASE_URL.upper()}/C/{printed.link}",
        printed.typed,
    ):
        assert mine.post("/claims/redeem", {"code": text}).json() == answer.json()
    assert (Device.objects.get().customer, ClaimProfile.objects.get().claim_count) == (customer, 1)
    span = Ownership.objects.get()
    assert (span.start_reason, span.started_by) == ("claim", "dana@aalen.example (Backend)")
    assert Event.objects.get(kind="claim.created").actor_label == "dana@aalen.example (Backend)"
    assert list(ClaimStep.objects.order_by("pk").values_list("step", flat=True)[:3]) == ["scan", "sign_in", "claim"]


def test_every_bad_code_gets_the_same_answer(mine, code, make_devices, other_organization, foreign_device):
    foreign = worlds.make_unit_profile(foreign_device.product, slug="theirs")
    dead = typed(code)
    claim_codes.replace_for_devices(
        [code.device_id], reason="Lost", by=factories.actor_of(factories.make_member(code.organization, "owner"))
    )
    bad = [
        "7K3M-9QXD-2F8T-C",
        "x",
        dead,
        typed(foreign.codes.get()),
        "A" * 26,
        "https://elsewhere.example/c/" + "A" * 26,
    ]
    answers = [mine.post("/claims/redeem", {"code": text}) for text in bad]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["code"] == "unknown_code"
    assert not Claim.objects.exists()


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "order-7"}])
def test_what_cannot_be_claimed_is_refused_as_on_the_pages_and_recorded(headers, mine, theirs, code, customer, alice):
    """Also where the call can be repeated: what was noted of a refusal is not taken back with it."""
    mine.post("/claims/redeem", {"code": typed(code)})
    answer = theirs.post("/claims/redeem", {"code": typed(code)}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_owned")
    assert answer["Content-Type"] == "application/problem+json"
    assert customer.name not in answer.content.decode()
    assert ClaimStep.objects.get(step="refusal").cause == "already_owned"
    assert (Claim.objects.count(), Device.objects.get().customer) == (1, customer)
    assert IdempotentAnswer.objects.count() == 0
    # And it is tried anew.
    ownership.unclaim([code.device_id], reason="Sold on", by=factories.actor_of(alice))
    fresh = {"code": typed(ClaimCode.objects.get(device=code.device_id))}
    assert theirs.post("/claims/redeem", fresh, headers=headers).status_code == 201


def test_questions_are_answered_by_name(mine, organization, device):
    asked = [{"name": "site", "label": "Site name", "required": True}]
    profile = worlds.make_link_profile(organization, device, form=asked)
    text = typed(profile.codes.get())
    missing = mine.post("/claims/redeem", {"code": text})
    assert (missing.status_code, missing.json()["code"]) == (422, "answer_missing")
    assert mine.post("/claims/redeem", {"code": text, "answers": {"site": "\u202eAalen"}}).status_code == 422
    assert mine.post("/claims/redeem", {"code": text, "answers": {"site": 5}}).status_code == 400
    assert not Claim.objects.exists()
    done = mine.post("/claims/redeem", {"code": text, "answers": {"site": " Aalen "}})
    assert (done.status_code, done.json()["answers"]) == (201, {"site": "Aalen"})


def test_a_code_of_a_domain_is_redeemed_as_there(mine, organization, device):
    domain = OrganizationDomain.objects.create(organization=organization, host="claim.northlake.example")
    profile = worlds.make_link_profile(organization, device, domain=domain)
    assert mine.post("/claims/redeem", {"code": typed(profile.codes.get())}).status_code == 201


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "one"}])
def test_guessing_is_throttled_before_anything_is_looked_up(mine, code, monkeypatch, headers):
    monkeypatch.setattr(session, "SCANS", 3)
    for n in range(3):
        key = {name: f"{value}-{n}" for name, value in headers.items()}
        assert mine.post("/claims/redeem", {"code": f"guess-{n}"}, headers=key).status_code == 404
    answer = mine.post("/claims/redeem", {"code": typed(code)}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_tries")
    assert int(answer["Retry-After"]) > 0
    assert not Claim.objects.exists()
    # The negative control: without the counts, the right code is redeemed.
    Throttle.objects.all().delete()
    assert mine.post("/claims/redeem", {"code": typed(code)}, headers=headers).status_code == 201


def test_guessing_from_the_same_address_slows_no_key(mine, client, code, monkeypatch):
    monkeypatch.setattr(session, "SCANS", 2)
    assert [client.get(f"/c/GUESS{n}").status_code for n in range(3)] == [303, 303, 429]
    assert mine.post("/claims/redeem", {"code": typed(code)}).status_code == 201


def test_a_repeat_with_an_idempotency_key_claims_once(mine, code):
    body, headers = {"code": typed(code)}, {"idempotency-key": "box-17"}
    first, second = (mine.post("/claims/redeem", body, headers=headers) for _each in range(2))
    assert (first.status_code, second.status_code, second["Idempotent-Replayed"]) == (201, 201, "true")
    assert first.json() == second.json()
    assert ClaimStep.objects.filter(step="scan").count() == 1


def test_a_key_without_the_scope_redeems_nothing(dana, customer, alice, code):
    others = [scope for scope in CustomerScope if scope != CustomerScope.CLAIM]
    for key in (customer_key(dana, customer, *others), key_of(alice)):
        assert Caller(key).post("/claims/redeem", {"code": typed(code)}).status_code == 403
    only = Caller(customer_key(dana, customer, CustomerScope.CLAIM))
    assert only.post("/claims/redeem", {"code": typed(code)}).status_code == 201


def test_claims_are_listed_to_those_whose_they_are(
    mine, theirs, code, alice, charlie, customer, organization, make_devices
):
    mine.post("/claims/redeem", {"code": typed(code)})
    link = worlds.make_link_profile(organization, grant="access", documents=[("Manual", "https://a.example/")])
    theirs.post("/claims/redeem", {"code": typed(link.codes.get())})
    own, other = Claim.objects.order_by("pk")
    staff = Caller(key_of(alice))

    def found(caller, **query):
        return [row["id"] for row in caller.get("/claims", **query).json()["results"]]

    assert (found(staff), found(mine), found(theirs)) == ([other.pk, own.pk], [own.pk], [other.pk])
    assert found(Caller(key_of(charlie))) == []
    assert found(staff, profile="units") == found(staff, profile=own.profile_id) == found(staff, customer=customer.pk)
    assert found(mine, profile="north-pilot") == found(mine, customer=other.customer_id) == []
    assert mine.get(f"/claims/{own.pk}").json()["given"][0]["id"] == code.device_id
    assert theirs.get(f"/claims/{own.pk}").status_code == 404
    assert theirs.get(f"/claims/{other.pk}").json()["given"] == [
        {"kind": "document", "title": "Manual", "link": "https://a.example/"}
    ]


def test_the_label_of_a_returned_device_no_longer_works(mine, code, alice):
    old = typed(code)
    mine.post("/claims/redeem", {"code": old})
    ownership.unclaim([code.device_id], reason="Back", by=factories.actor_of(alice))
    assert mine.post("/claims/redeem", {"code": old}).status_code == 404
    assert Device.objects.get().customer is None
