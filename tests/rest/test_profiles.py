"""Claim profiles over REST: the console's rules, codes for those who may see them, and units with their codes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from claims import codes
from claims.models import ClaimCode, ClaimProfile
from claims.profiles.actions import codes as claim_codes
from claims.redemption.actions import redemption as claims
from claims.returns.actions import returns
from claims.shipments.actions import contents, shipments
from console.access import Permission
from console.models import Event, Member, OrganizationDomain
from customers.models import CustomerKind
from devices.actions import ownership
from tests import factories
from tests.api import Caller, key_of
from tests.claims import worlds

pytestmark = pytest.mark.django_db
P = Permission


@pytest.fixture
def viewer(alice):
    return Caller(key_of(alice, P.VIEW))


def test_a_profile_is_created_with_all_its_resources_and_found_by_id_and_slug(api, device, organization, bob):
    OrganizationDomain.objects.create(organization=organization, host="claim.northlake.example")
    internal = factories.make_customer(organization, "Lab", kind=CustomerKind.INTERNAL)
    project = internal.projects.get()
    made = api.post(
        "/claim-profiles",
        {
            "name": "North pilot",
            "description": "Ten meters",
            "max_claims": 5,
            "valid_from": "2026-01-01T00:00:00Z",
            "valid_until": "2027-01-01T00:00:00+01:00",
            "domain": "claim.northlake.example",
            "additional_project": project.pk,
            "devices": [device.serial_number],
            "documents": [{"title": "Manual", "link": "https://northlake.example/manual"}],
            "members": [{"email": "Bob@northlake.example", "role": "operator"}],
            "questions": [{"label": "Site name", "required": True}, {"label": "Floor"}],
        },
    )
    assert made.status_code == 201, made.json()
    body = made.json()
    profile = ClaimProfile.objects.get()
    assert body == {
        "id": profile.pk,
        "slug": "north-pilot",
        "name": "North pilot",
        "description": "Ten meters",
        "scope": "link",
        "grant": "ownership",
        "product": None,
        "is_enabled": True,
        "state": body["state"],
        "max_claims": 5,
        "claim_count": 0,
        "valid_from": "2026-01-01T00:00:00.000000Z",
        "valid_until": "2026-12-31T23:00:00.000000Z",
        "domain": "claim.northlake.example",
        "additional_project": {"id": project.pk, "name": project.name},
        "created_at": body["created_at"],
        "last_claimed_at": None,
        "version": 1,
        "devices": [{"id": device.pk, "device_name": device.device_name, "serial_number": device.serial_number}],
        "documents": [{"title": "Manual", "link": "https://northlake.example/manual"}],
        "members": [{"email": "bob@northlake.example", "name": "Bob Adeyemi", "role": "operator"}],
        "questions": [
            {"name": "site-name", "label": "Site name", "required": True},
            {"name": "floor", "label": "Floor", "required": False},
        ],
    }
    assert api.get(f"/claim-profiles/{profile.pk}").json() == api.get("/claim-profiles/north-pilot").json() == body
    assert profile.codes.count() == 1
    assert Event.objects.get(kind="claim_profile.created").actor_label == "Alice Kemp (Line 3)"


def test_omitted_fields_stay_and_an_old_version_is_refused(api, make_devices, organization, bob):
    a, b = make_devices(2)
    profile = worlds.make_link_profile(organization, a, documents=[("Manual", "https://northlake.example/m")])
    worlds.add_member(profile, Member.objects.get(user=bob), "viewer")
    ClaimProfile.objects.filter(pk=profile.pk).update(
        form=[{"name": "site", "label": "Site", "required": True}], is_enabled=False, max_claims=7
    )
    url, before = f"/claim-profiles/{profile.slug}", api.get(f"/claim-profiles/{profile.pk}").json()
    edited = api.patch(url, {"version": 1, "description": "New"})
    assert edited.status_code == 200, edited.json()
    assert edited.json() == before | {"description": "New", "version": 2}
    stale = api.patch(url, {"version": 1, "name": "Mine"})
    assert (stale.status_code, stale.json()["code"]) == (409, "edited_meanwhile")
    assert ClaimProfile.objects.get().name == before["name"]
    lists = {"devices": [b.device_name], "documents": [], "members": [], "questions": [], "max_claims": None}
    now = api.patch(url, {"version": 2, "is_enabled": True, **lists}).json()
    assert [d["id"] for d in now["devices"]] == [b.pk]
    assert (now["documents"], now["members"], now["questions"], now["max_claims"]) == ([], [], [], None)
    assert now["is_enabled"]


def test_what_the_console_s_form_refuses_is_refused_at_its_field(api, device, organization):
    worlds.make_link_profile(organization)
    bodies = {
        "slug": {"slug": "north-pilot"},
        "devices": {"devices": ["NOSUCH"]},
        "domain": {"domain": "other.example"},
        "product": {"scope": "unit", "product": "no-such"},
        "members[0].email": {"members": [{"email": "x@y.example"}]},
        "documents[1].link": {
            "documents": [{"title": "A", "link": "https://a.example/"}, {"title": "B", "link": "https://"}]
        },
        "additional_project": {"additional_project": 1},
        "valid_until": {"valid_from": "2026-02-01T00:00:00Z", "valid_until": "2026-01-01T00:00:00Z"},
        "questions[0].label": {"questions": [{"label": " \u200b "}]},
    }
    for field, body in bodies.items():
        answer = api.post("/claim-profiles", {"name": "Second"} | body)
        assert (answer.status_code, [e["field"] for e in answer.json().get("errors", [])]) == (422, [field]), field
    assert ClaimProfile.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "A", "colour": "red"},
        {"name": "A", "documents": [{"title": "A"}]},
        {"name": "A", "scope": "all"},
        {"name": "A", "members": [{}]},
        {"name": "A", "max_claims": "5"},
        {"name": "A", "devices": "AQM"},
    ],
)
def test_a_body_that_is_not_as_documented_is_a_400(api, body):
    assert api.post("/claim-profiles", body).status_code == 400
    assert not ClaimProfile.objects.exists()


def test_entries_of_lists_are_whole_also_in_an_edit(api, organization):
    profile = worlds.make_link_profile(organization)
    for rows in ({"documents": [{}]}, {"members": [{}]}, {"questions": [{"required": True}]}):
        assert api.patch(f"/claim-profiles/{profile.pk}", {"version": 1, **rows}).status_code == 400
    assert ClaimProfile.objects.get().version == 1


def test_scope_and_product_stay_once_there_are_codes(api, organization, product):
    profile = worlds.make_link_profile(organization)
    answer = api.patch(f"/claim-profiles/{profile.pk}", {"version": 1, "scope": "unit", "product": product.slug})
    assert (answer.status_code, answer.json()["code"]) == (409, "codes_exist")
    assert ClaimProfile.objects.get().scope == "link"


def test_a_profile_is_switched_off_and_on(api, organization):
    worlds.make_link_profile(organization)
    for _again in range(2):
        assert api.post("/claim-profiles/north-pilot/disable").json()["state"] == "disabled"
    assert Event.objects.filter(kind="claim_profile.disabled").count() == 1
    assert api.post("/claim-profiles/north-pilot/enable").json()["state"] == "enabled"


def test_the_list_filters(api, organization, product):
    link = worlds.make_link_profile(organization, is_enabled=False)
    unit = worlds.make_unit_profile(product, grant="access")

    def found(**query):
        return [row["id"] for row in api.get("/claim-profiles", **query).json()["results"]]

    assert found() == [unit.pk, link.pk]
    assert found(scope="link") == found(q="north") == found(enabled="false") == found(grant="ownership") == [link.pk]
    assert found(enabled="true") == [unit.pk]
    assert "devices" not in api.get("/claim-profiles").json()["results"][0]


def test_the_code_is_for_those_who_may_see_codes(api, viewer, organization, settings):
    profile = worlds.make_link_profile(organization)
    printed = claim_codes.printed(profile.codes.get())
    answer = api.get("/claim-profiles/north-pilot/code")
    body = answer.json()
    assert body["link"] == f"{settings.BASE_URL}/c/{printed.link}"
    assert body["qr_text"] == f"{settings.BASE_URL.upper()}/C/{printed.link}"
    assert (body["typed_code"], body["version"], answer["Cache-Control"]) == (printed.typed_in_groups, 1, "no-store")
    svg, png = (api.get(f"/claim-profiles/north-pilot/qr.{form}") for form in ("svg", "png"))
    assert (svg["Content-Type"], png["Content-Type"]) == ("image/svg+xml", "image/png")
    assert svg.content.startswith(b"<svg")
    assert png.content.startswith(b"\x89PNG")
    for path in ("code", "qr.svg", "qr.png"):
        assert viewer.get(f"/claim-profiles/north-pilot/{path}").status_code == 403


def test_a_replaced_code_no_longer_works(api, organization):
    profile = worlds.make_link_profile(organization)
    old = api.get("/claim-profiles/north-pilot/code").json()
    answer = api.post("/claim-profiles/north-pilot/replace-code", {"reason": "Photographed"})
    assert answer.status_code == 200
    new = api.get("/claim-profiles/north-pilot/code").json()
    assert (new["version"], new["link"] == old["link"], new["typed_code"] == old["typed_code"]) == (2, False, False)
    assert worlds.event("claim_profile.code_replaced").data["note"] == "Photographed"
    assert api.post("/claim-profiles/north-pilot/replace-code", {"reason": " "}).status_code == 422
    assert profile.codes.get().version == 2


def test_devices_show_their_claims_and_to_permitted_keys_their_codes(
    api, viewer, make_devices, product, customer, dana
):
    a, b = make_devices(2)
    profile = worlds.make_unit_profile(product, grant="access")
    code = ClaimCode.objects.select_related("profile").get(device=b)
    claim = claims.redeem(code, customer=customer, by=factories.actor_of(dana), host="localhost")
    answer = api.get(f"/claim-profiles/{profile.pk}/units")
    rows = answer.json()["results"]
    assert ([row["device"]["id"] for row in rows], answer["Cache-Control"]) == ([a.pk, b.pk], "no-store")
    assert [row["typed_code"] for row in rows] == [
        claim_codes.printed(ClaimCode.objects.get(device=d)).typed_in_groups for d in (a, b)
    ]
    assert rows[0]["claim"] is None
    assert rows[1]["claim"]["id"] == claim.pk
    assert rows[1]["claim"]["customer"] == {"id": customer.pk, "name": customer.name}
    seen = viewer.get(f"/claim-profiles/{profile.pk}/units", q=a.serial_number.lower()).json()["results"]
    assert [(row["device"]["id"], row["link"], row["typed_code"]) for row in seen] == [(a.pk, None, None)]
    first = api.get(f"/claim-profiles/{profile.pk}/units", limit=1).json()
    second = api.get(f"/claim-profiles/{profile.pk}/units", limit=1, cursor=first["next"]).json()
    assert ([row["device"]["id"] for row in second["results"]], second["next"]) == ([b.pk], None)
    listed = api.get(f"/claim-profiles/{profile.pk}/claims").json()["results"]
    assert [row["id"] for row in listed] == [claim.pk]


def test_devices_are_added_by_name_individually(api, make_devices, organization, foreign_device):
    a, b, c = make_devices(3)
    worlds.make_unit_profile(None, organization=organization)
    names = [a.serial_number.lower(), "NOSUCH", b.serial_number, a.serial_number, foreign_device.serial_number]
    answer = api.post("/claim-profiles/units/units", {"devices": names}).json()
    assert (answer["made"], answer["operation"]) == (2, None)
    assert [(row["name"], row["device"], row["code"]) for row in answer["results"]] == [
        (names[0], a.pk, "ok"),
        ("NOSUCH", None, "not_found"),
        (names[2], b.pk, "ok"),
        (names[3], a.pk, "duplicate"),
        (names[4], None, "not_found"),
    ]
    named = {"named_by": "id", "devices": [str(b.pk), str(c.pk)]}
    assert api.post("/claim-profiles/units/units", named).json()["made"] == 1


def test_very_many_devices_are_an_operation(api, make_devices, organization, monkeypatch):
    monkeypatch.setattr(claim_codes, "IN_REQUEST", 1)
    worlds.make_unit_profile(None, organization=organization)
    body = {"devices": [d.serial_number for d in make_devices(2)]}
    answer = api.post("/claim-profiles/units/units", body).json()
    assert (answer["made"], api.get(f"/operations/{answer['operation']}").json()["state"]) == (0, "waiting")


def test_a_profile_of_a_product_takes_no_selection(api, device, product):
    worlds.make_unit_profile(product)
    answer = api.post("/claim-profiles/units/units", {"devices": [device.serial_number]})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_for_selection")


def test_the_codes_of_a_device_are_seen_and_replaced(api, viewer, device, product):
    profile = worlds.make_unit_profile(product)
    url = f"/devices/{device.pk}/claim-codes"
    (row,) = api.get(url).json()["results"]
    assert row["profile"] == {"id": profile.pk, "slug": "units", "name": "Units"}
    assert codes.sha256(codes.normalise(row["link"])) == ClaimCode.objects.get().link_sha256
    assert viewer.get(url).status_code == 403
    assert viewer.post(f"{url}/replace", {"reason": "Lost"}).status_code == 403
    assert api.post(f"{url}/replace", {"reason": "Lost"}).json() == {"replaced": 1}
    (now,) = api.get(url).json()["results"]
    assert (now["version"], now["typed_code"] == row["typed_code"]) == (2, False)


def test_a_device_without_a_code_has_none_to_replace(api, device):
    assert api.get(f"/devices/{device.pk}/claim-codes").json() == {"results": []}
    assert api.post(f"/devices/{device.pk}/claim-codes/replace", {"reason": "Lost"}).status_code == 404


def test_a_code_whose_server_key_is_gone_says_so(api, organization):
    profile = worlds.make_link_profile(organization)
    key = profile.codes.get().key_id
    ClaimCode.objects.filter(profile=profile).update(key_id="gone")
    body = api.get("/claim-profiles/north-pilot/code").json()
    assert (body["link"], body["qr_text"], body["typed_code"]) == (None, None, None)
    assert api.get("/claim-profiles/north-pilot/qr.svg").json()["code"] == "key_missing"
    ClaimCode.objects.filter(profile=profile).update(key_id=key)


def test_another_organization_sees_and_changes_nothing(organization, charlie, device):
    profile = worlds.make_link_profile(organization, device)
    theirs = Caller(key_of(charlie))
    assert theirs.get("/claim-profiles").json()["results"] == []
    for method, path, body in [
        ("get", "", None),
        ("patch", "", {"version": 1, "name": "X"}),
        ("get", "/code", None),
        ("post", "/disable", None),
        ("post", "/replace-code", {"reason": "x"}),
        ("get", "/units", None),
    ]:
        assert getattr(theirs, method)(f"/claim-profiles/{profile.pk}{path}", body).status_code == 404
    now = ClaimProfile.objects.get()
    assert (now.version, now.is_enabled, now.codes.get().version) == (1, True, 1)


def test_no_list_asks_more_for_more_rows(api, organization, product, make_devices, customer, dana, alice):
    by, devices = factories.actor_of(alice), make_devices(4)
    profile = worlds.make_unit_profile(product, grant="access")
    boxes = [shipments.create(customer=customer, lines={}, is_claimed_by_code=True, by=by) for _each in range(2)]
    contents.pack(boxes[0], devices[:2], by=by)
    ownership.assign([d.pk for d in devices[2:]], customer=customer, by=by)
    returns.receive([d.pk for d in devices[2:]], reason="Defective", by=by)
    for code in ClaimCode.objects.filter(device__in=devices[:2]).select_related("profile"):
        claims.redeem(code, customer=customer, by=factories.actor_of(dana), host="localhost")
    api.get("/products")
    for path in (
        "/claim-profiles",
        f"/claim-profiles/{profile.pk}/units",
        f"/claim-profiles/{profile.pk}/claims",
        "/claims",
        "/shipments",
        f"/shipments/{boxes[0].pk}/units",
        "/returns",
    ):
        asked = []
        for limit in (1, 50):
            with CaptureQueriesContext(connection) as queries:
                rows = api.get(path, limit=limit).json()["results"]
            asked.append(len(queries))
        assert (len(rows) > 1, asked[0]) == (True, asked[1]), path
