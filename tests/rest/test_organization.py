"""The organization, its logo, domains and roles, the search, and keys, over REST."""

import base64
import io

import pytest
from PIL import Image

from claims.models import ClaimProfile
from claims.profiles.actions import codes as claim_codes
from claims.returns.actions import returns
from claims.shipments.actions import shipments
from console.access import ROLES, CustomerScope, Permission
from console.models import Event, OrganizationDomain, OrganizationLogo
from console.rest.organization import PICTURE
from customers.keys.actions import api_keys
from customers.models import ApiKey
from devices.actions import ownership
from tests import factories
from tests.api import Caller, customer_key, key_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(alice):
    return Caller(key_of(alice))


@pytest.fixture
def stranger(charlie):
    return Caller(key_of(charlie))


def test_the_organization_is_seen_and_edited_with_the_form_of_the_console(caller, organization):
    before = caller.get("/organization").json()
    assert (before["name"], before["slug"], before["brand_name"], before["logo_url"]) == (
        "Northlake",
        "northlake",
        "",
        None,
    )
    answer = caller.patch("/organization", {"brand_name": "  Northlake Water ", "time_zone": "Europe/Berlin"})
    changed = {"brand_name": "Northlake Water", "time_zone": "Europe/Berlin"}
    assert (answer.status_code, answer.json()) == (200, before | changed)
    organization.refresh_from_db()
    assert (organization.name, organization.brand_name) == ("Northlake", "Northlake Water")
    event = Event.objects.get(kind="organization.edited")
    assert event.data == {"brand_name": ["", "Northlake Water"], "time_zone": ["UTC", "Europe/Berlin"]}
    assert event.actor_label == "Alice Kemp (Line 3)"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"time_zone": "Mars/Olympus"}, 422),
        ({"name": "   "}, 422),
        ({"support_email": "nobody"}, 422),
        ({"name": ""}, 400),
        ({"slug": "other"}, 400),
        ({"requires_second_factor": 1}, 400),
        ({"support_phone": "1" * 41}, 400),
    ],
)
def test_invalid_input_changes_nothing(caller, organization, body, status):
    answer = caller.patch("/organization", body)
    assert (answer.status_code, answer.json()["code"]) == (status, "invalid")
    assert answer.json()["errors"][0]["field"] == next(iter(body))
    fresh = type(organization).objects.get(pk=organization.pk)
    assert (fresh.name, fresh.slug, fresh.time_zone) == ("Northlake", "northlake", "UTC")
    assert not Event.objects.filter(kind="organization.edited").exists()


def test_a_logo_is_set_shown_and_removed(caller, client, organization):
    answer = caller.put("/organization/logo", {"picture": PICTURE})
    assert (answer.status_code, answer.json()["logo_url"]) == (200, "http://localhost:8000/brand/northlake/logo.png")
    shown = client.get(answer.json()["logo_url"].removeprefix("http://localhost:8000"))
    assert Image.open(io.BytesIO(shown.content)).size == (1, 1)
    assert caller.delete("/organization/logo").status_code == 204
    assert caller.delete("/organization/logo").status_code == 204
    assert caller.get("/organization").json()["logo_url"] is None
    kinds = Event.objects.filter(kind__startswith="organization.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["organization.logo_changed", "organization.logo_removed"]


@pytest.mark.parametrize(
    ("picture", "status", "code"),
    [
        ("AAAA", 422, "no_picture"),
        (base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode(), 422, "no_picture"),
        ("AAAAA", 422, "invalid"),
        ("AA AA", 400, "invalid"),
        ("AAAA\n", 400, "invalid"),
        ("", 400, "invalid"),
    ],
)
def test_a_file_that_is_not_a_picture_is_refused(caller, picture, status, code):
    answer = caller.put("/organization/logo", {"picture": picture})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (OrganizationLogo.objects.count(), Event.objects.filter(kind__startswith="organization").count()) == (0, 0)


def test_a_domain_is_added_in_its_ascii_form_and_removed(caller, stranger, organization, settings):
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "xn--mller-kva.example"]
    answer = caller.post("/domains", {"host": "MÜLLER.example"})
    domain = OrganizationDomain.objects.get()
    made = {"id": domain.pk, "host": "xn--mller-kva.example", "is_served": True}
    assert (answer.status_code, answer.json()) == (201, made)
    assert caller.get("/domains").json() == {"results": [made], "next": None}
    assert stranger.get("/domains").json()["results"] == []
    taken = stranger.post("/domains", {"host": "müller.example"})
    assert (taken.status_code, taken.json()["code"]) == (422, "duplicate")
    assert stranger.delete(f"/domains/{domain.pk}").status_code == 404
    assert caller.delete(f"/domains/{domain.pk}").status_code == 204
    assert not OrganizationDomain.objects.exists()


def test_a_domain_that_a_profile_uses_stays(caller, organization):
    domain = OrganizationDomain.objects.create(organization=organization, host="claim.northlake.example")
    profile = ClaimProfile(organization=organization, slug="pilot", name="Pilot", domain=domain)
    profile.set_keys()
    profile.save()
    claim_codes.make_for_profile(profile)
    answer = caller.delete(f"/domains/{domain.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert OrganizationDomain.objects.exists()
    assert not Event.objects.filter(kind="domain.removed").exists()


def test_the_roles_are_those_of_the_one_table(caller):
    rows = caller.get("/roles").json()["results"]
    assert {row["role"]: set(row["permissions"]) for row in rows} == {
        role: {str(p) for p in rights} for role, rights in ROLES.items()
    }
    assert [row["label"] for row in rows][:2] == ["Owner", "Administrator"]


def test_the_search_finds_what_the_console_finds(caller, stranger, device, customer, dana):
    found = caller.get("/search", q="aqm26-100000").json()
    row = {
        "kind": "device",
        "id": device.pk,
        "label": "AQM26-100000",
        "detail": "Aqua Meter · In stock",
        "is_exact": True,
    }
    assert found == {"results": [row], "next": None}
    found = caller.get("/search", q="stadt").json()["results"]
    assert [(hit["kind"], hit["id"], hit["is_exact"]) for hit in found] == [("customer", customer.pk, False)]
    found = caller.get("/search", q="dana@aalen.example").json()["results"]
    assert [(hit["kind"], hit["id"], hit["label"]) for hit in found] == [
        ("customer", customer.pk, "dana@aalen.example")
    ]
    assert stranger.get("/search", q="aqm26-100000").json()["results"] == []
    for nothing in (" ", "\u200b"):
        assert caller.get("/search", q=nothing).json() == {"results": [], "next": None}
    assert caller.get("/search").status_code == 400


def test_every_thing_that_can_be_found_has_a_kind(caller, alice, organization, device, customer):
    by = factories.actor_of(alice)
    ownership.assign([device.pk], customer=customer, by=by)
    returned = returns.request(device, customer=customer, reason="Upgrade", by=by)
    shipment = shipments.create(customer=customer, lines={device.product: 1}, by=by)
    profile = ClaimProfile(organization=organization, slug="pilot", name="Pilot")
    profile.set_keys()
    profile.save()
    claim_codes.make_for_profile(profile)
    wanted = {
        "return": (returned.code, returned.pk),
        "shipment": (shipment.code, shipment.pk),
        "claim_profile": ("pilot", profile.pk),
        "product": ("Aqua Meter", device.product_id),
        "customer": (customer.name, customer.pk),
        "device": ("AQM26", device.pk),
    }
    for kind, (text, pk) in wanted.items():
        found = caller.get("/search", q=text).json()["results"]
        assert (kind, pk) in {(hit["kind"], hit["id"]) for hit in found}, kind


def test_a_key_says_what_it_is_and_what_it_may_do_now(organization, customer, dana):
    organization.brand_name = "Northlake Water"
    organization.save(update_fields=["brand_name"])
    manager = factories.make_member(organization, "product_manager")
    caller = Caller(key_of(manager, Permission.VIEW, Permission.PRODUCT_EDIT))
    own = ApiKey.objects.get()
    said = caller.get("/key").json()
    assert {
        name: said[name] for name in ("id", "name", "kind", "scopes", "organization", "customer", "expires_at")
    } == {
        "id": own.pk,
        "name": "Line 3",
        "kind": "organization",
        "scopes": ["product.edit", "view"],
        "organization": {"id": organization.pk, "name": "Northlake"},
        "customer": None,
        "expires_at": None,
    }
    manager.memberships.update(role="viewer")
    assert caller.get("/key").json()["scopes"] == ["view"]
    said = Caller(customer_key(dana, customer, CustomerScope.READ)).get("/key").json()
    assert (said["kind"], said["scopes"], said["customer"], said["organization"]["name"]) == (
        "customer",
        ["customer.read"],
        {"id": customer.pk, "name": customer.name},
        "Northlake Water",
    )


def test_keys_are_listed_without_their_text_and_revoked_at_once(caller, stranger, alice, dana, customer):
    key, text = api_keys.create(name="Leaked", scopes=["view"], by=factories.actor_of(alice))
    customers = customer_key(dana, customer)
    listed = caller.get("/api-keys").json()["results"]
    assert [row["name"] for row in listed] == ["Backend", "Leaked", "Line 3"]
    assert all(secret not in str(listed) for secret in (text, customers, key.sha256))
    mine = caller.get("/api-keys", customer=customer.pk).json()["results"]
    assert [(row["name"], row["customer"]["id"]) for row in mine] == [("Backend", customer.pk)]
    assert stranger.post(f"/api-keys/{key.pk}/revoke").status_code == 404
    assert Caller(text).get("/key").status_code == 200
    answer = caller.post(f"/api-keys/{key.pk}/revoke")
    assert (answer.status_code, answer.json()["id"], answer.json()["revoked_at"] is None) == (200, key.pk, False)
    assert Caller(text).get("/key").status_code == 401
    assert caller.post(f"/api-keys/{key.pk}/revoke").json() == answer.json()
    assert caller.get(f"/api-keys/{key.pk}").json() == answer.json()
    assert Event.objects.filter(kind="api_key.revoked").count() == 1


def test_no_call_makes_a_key(caller):
    assert caller.post("/api-keys", {"name": "Another", "scopes": ["view"]}).status_code == 405
    assert caller.put("/key", {"name": "Another"}).status_code == 405
    assert ApiKey.objects.count() == 1
