"""Shipments over REST: made, packed with an answer for each scan, shipped, and what became of the units."""

import pytest

from claims.models import ClaimCode, Return, Shipment, ShipmentUnit
from claims.profiles.actions import codes as claim_codes
from claims.returns.actions import returns
from claims.shipments.actions import contents, shipments, shipping
from console.access import Permission
from console.models import Operation
from devices.actions import ownership
from devices.models import Device, DeviceStatus, Ownership
from tests import factories
from tests.api import Caller, customer_key, key_of
from tests.claims import worlds
from tests.rest.test_batches import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def shipment(customer, by):
    return shipments.create(customer=customer, lines={}, by=by)


@pytest.fixture
def packed(shipment, make_devices, by):
    contents.pack(shipment, make_devices(2), by=by)
    return shipment


def url(shipment, rest=""):
    return f"/shipments/{shipment.pk}{rest}"


def test_a_shipment_is_created_with_its_lines_and_edited(api, customer, product, organization):
    other = factories.make_product(organization, "Gateway")
    lines = [{"product": product.slug, "expected": 3}, {"product": str(other.pk), "expected": 1}]
    made = api.post("/shipments", {"customer": customer.pk, "order_number": "PO-7001", "lines": lines})
    assert made.status_code == 201, made.json()
    body, row = made.json(), Shipment.objects.get()
    assert body == {
        "id": row.pk,
        "number": 1,
        "code": "S-00001",
        "customer": {"id": customer.pk, "name": customer.name},
        "order_number": "PO-7001",
        "ship_to": "",
        "state": "open",
        "tells_customer": False,
        "is_claimed_by_code": False,
        "claim_profile": None,
        "unit_count": 0,
        "operation": None,
        "created_at": body["created_at"],
        "created_by": "Alice Kemp (Line 3)",
        "shipped_at": None,
        "cancelled_at": None,
        "lines": [
            {"product": {"id": p.pk, "slug": p.slug, "name": p.name}, "expected": n, "packed": 0}
            for p, n in ((product, 3), (other, 1))
        ],
    }
    edited = api.patch(url(row), {"ship_to": "Dock 4"}).json()
    assert edited == body | {"ship_to": "Dock 4"}
    assert worlds.event("shipment.edited").data == {"ship_to": ["", "Dock 4"]}
    fewer = api.patch(url(row), {"lines": [{"product": product.slug, "expected": 2}]}).json()
    assert [(line["product"]["slug"], line["expected"]) for line in fewer["lines"]] == [("aqua-meter", 2)]
    assert api.patch(url(row), {"lines": []}).json()["lines"] == []
    assert api.patch(url(row), {"is_claimed_by_code": True}).json()["claim_profile"]["slug"] == "shipment-s-00001"


def test_what_can_t_be_shipped_is_refused_at_its_field(api, customer, product, other_organization):
    foreign = factories.make_customer(other_organization, "Foreign")
    twice = [{"product": product.slug, "expected": 1}] * 2
    archived = factories.make_product(product.organization, "Old", archived_at="2026-01-01T00:00:00Z")
    bodies = {
        "customer": {"customer": foreign.pk},
        "lines[1].product": {"lines": twice},
        "lines[0].product": {"lines": [{"product": "no-such", "expected": 1}]},
        "lines": {"lines": [{"product": archived.slug, "expected": 1}]},
    }
    for field, body in bodies.items():
        answer = api.post("/shipments", {"customer": customer.pk} | body)
        assert (answer.status_code, [e["field"] for e in answer.json()["errors"]]) == (422, [field])
    for body in (
        {},
        {"customer": customer.pk, "lines": [{"product": "x"}]},
        {"customer": customer.pk, "state": "shipped"},
        {"customer": customer.pk, "lines": [{"product": "x", "expected": 0}]},
    ):
        assert api.post("/shipments", body).status_code == 400
    assert not Shipment.objects.exists()


def test_an_id_is_no_beginning_of_a_name(api, organization):
    factories.make_customer(organization, "987654 Wharf")
    assert api.post("/shipments", {"customer": 987654}).status_code == 422
    assert not Shipment.objects.exists()


def test_every_scan_is_answered_in_order(api, shipment, make_devices, product, other_customer, by):

    a, b, c, owned, here = make_devices(5)
    worlds.make_unit_profile(product)
    ownership.assign([owned.pk], customer=other_customer, by=by)
    contents.pack(shipment, [here], by=by)
    label = claim_codes.printed(ClaimCode.objects.get(device=c)).typed_in_groups
    scans = [
        a.serial_number.lower(),
        "NOSUCH",
        owned.serial_number,
        b.device_name,
        a.device_name,
        here.serial_number,
        label,
    ]
    body = api.post(url(shipment, "/pack"), {"scans": scans}).json()
    assert [(r["scan"], r["code"], r["device"]) for r in body["results"]] == [
        (scans[0], "added", a.pk),
        ("NOSUCH", "unknown", None),
        (scans[2], "already_owned", owned.pk),
        (scans[3], "added", b.pk),
        (scans[4], "already_here", a.pk),
        (scans[5], "already_here", here.pk),
        (label, "added", c.pk),
    ]
    assert all(row["detail"].endswith(".") for row in body["results"])
    assert body["unit_count"] == 4
    assert set(ShipmentUnit.objects.values_list("device", flat=True)) == {a.pk, b.pk, c.pk, here.pk}
    assert {d.status for d in Device.objects.filter(pk__in=[a.pk, b.pk, c.pk])} == {DeviceStatus.RESERVED}


def test_no_more_than_ordered_is_packed(api, customer, product, make_devices, by):
    shipment = shipments.create(customer=customer, lines={product: 1}, by=by)
    names = [device.serial_number for device in make_devices(2)]
    body = api.post(url(shipment, "/pack"), {"scans": names}).json()
    assert ([row["code"] for row in body["results"]], body["unit_count"]) == (["added", "too_many"], 1)
    again = api.post(url(shipment, "/pack"), {"scans": [names[1]]}).json()
    assert ([row["code"] for row in again["results"]], again["unit_count"]) == (["too_many"], 1)


def test_devices_are_removed_by_name(api, packed, device):
    inside = ShipmentUnit.objects.select_related("device").first().device
    names = [inside.serial_number, "NOSUCH", device.serial_number, inside.serial_number]
    answer = api.post(url(packed, "/unpack"), {"devices": names}).json()
    assert (answer["unpacked"], answer["unit_count"]) == ([inside.pk], 1)
    assert [(row["name"], row["device"], row["code"]) for row in answer["results"]] == [
        (names[0], inside.pk, "ok"),
        ("NOSUCH", None, "not_found"),
        (names[2], device.pk, "not_packed"),
        (names[3], inside.pk, "duplicate"),
    ]
    assert Device.objects.get(pk=inside.pk).status == DeviceStatus.IN_STOCK
    assert ShipmentUnit.objects.count() == 1


def test_shipping_assigns_all_at_once_and_is_an_operation(api, packed, customer):
    answer = api.post(url(packed, "/ship"))
    assert answer.status_code == 202
    assert (answer.json()["done"], answer.json()["counts"]["succeeded"]) == (True, 2)
    assert Ownership.objects.filter(customer=customer, start_reason="shipment").count() == 2
    assert api.get(url(packed)).json()["state"] == "shipped"
    for act in ("ship", "cancel", "reopen"):
        assert (api.post(url(packed, f"/{act}")).status_code, Ownership.objects.count()) == (409, 2)
    assert api.post(url(packed, "/pack"), {"scans": ["x"]}).json()["results"][0]["code"] == "unknown"
    assert (
        api.post(url(packed, "/unpack"), {"devices": [Device.objects.first().serial_number]}).json()["code"]
        == "not_open"
    )


def test_many_are_shipped_by_the_worker(api, packed, customer, monkeypatch):
    monkeypatch.setattr("console.operations.beginning.IN_REQUEST", 1)
    operation, _results = run(api, api.post(url(packed, "/ship")))
    assert (operation["state"], operation["counts"]["succeeded"]) == ("done", 2)
    assert api.get(url(packed)).json()["operation"] == operation["id"]
    assert Device.objects.filter(customer=customer).count() == 2


def test_an_empty_shipment_is_not_shipped(api, shipment):
    assert api.post(url(shipment, "/ship")).json()["code"] == "empty"
    assert (Shipment.objects.get().state, Operation.objects.count()) == ("open", 0)


def test_a_box_is_sent_and_claimed_with_its_code(api, customer, other_customer, make_devices, by, dana, erin):
    shipment = shipments.create(customer=customer, lines={}, by=by, is_claimed_by_code=True)
    contents.pack(shipment, make_devices(2), by=by)
    assert api.post(url(shipment, "/send")).json()["state"] == "sent"
    code = api.get(f"/claim-profiles/{shipment.profile_id}/code").json()["typed_code"]
    theirs = Caller(customer_key(erin, other_customer)).post("/claims/redeem", {"code": code})
    assert (theirs.status_code, theirs.json()["code"]) == (409, "not_your_shipment")
    assert [r["fate"] for r in api.get(url(shipment, "/units")).json()["results"]] == ["waiting"] * 2
    mine = Caller(customer_key(dana, customer)).post("/claims/redeem", {"code": code})
    assert (mine.status_code, len(mine.json()["given"])) == (201, 2)
    assert api.get(url(shipment)).json()["state"] == "shipped"
    assert [r["fate"] for r in api.get(url(shipment, "/units")).json()["results"]] == ["owned"] * 2


def test_a_shipment_is_cancelled_and_one_whose_shipping_was_given_up_reopened(api, packed):
    Shipment.objects.filter(pk=packed.pk).update(state="shipping")
    assert api.post(url(packed, "/pack"), {"scans": [Device.objects.first().serial_number]}).status_code == 409
    assert api.post(url(packed, "/reopen")).json()["state"] == "open"
    body = api.post(url(packed, "/cancel")).json()
    assert (body["state"], body["cancelled_at"] is not None) == ("cancelled", True)
    assert {device.status for device in Device.objects.all()} == {DeviceStatus.IN_STOCK}


def test_the_list_and_the_balance_say_what_became_of_the_devices(api, customer, product, make_devices, by):
    shipment = shipments.create(customer=customer, lines={product: 4}, by=by)
    a, b, c = make_devices(3)
    contents.pack(shipment, [a, b, c], by=by)
    assert {row["fate"] for row in api.get(url(shipment, "/units")).json()["results"]} == {None}
    shipping.ship(shipment, by=by)
    returns.receive([b.pk], reason="Defective", by=by)

    ownership.unclaim([c.pk], reason="Lost", by=by)
    rows = api.get(url(shipment, "/units"), limit=2).json()
    assert [(row["device"]["id"], row["fate"]) for row in rows["results"]] == [(a.pk, "owned"), (b.pk, "returned")]
    last = api.get(url(shipment, "/units"), limit=2, cursor=rows["next"]).json()
    assert ([row["fate"] for row in last["results"]], last["next"]) == (["missing"], None)
    ref = {"id": product.pk, "slug": product.slug, "name": product.name}
    assert api.get(url(shipment, "/balance")).json() == {
        "results": [
            {
                "product": ref,
                "ordered": 4,
                "shipped": 3,
                "short": 1,
                "owned": 1,
                "claimed": 0,
                "returned": 1,
                "waiting": 0,
                "missing": 1,
            }
        ]
    }
    assert Return.objects.get().shipment == shipment


def test_the_packing_list_is_a_pdf(api, packed):
    answer = api.get(url(packed, "/packing-list.pdf"))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF")


def test_the_list_filters(api, customer, other_customer, by):
    one = shipments.create(customer=customer, lines={}, order_number="PO-1", by=by)
    two = shipments.create(customer=other_customer, lines={}, order_number="XX-2", by=by)
    shipments.cancel(two, by=by)

    def found(**query):
        return [row["id"] for row in api.get("/shipments", **query).json()["results"]]

    assert found() == [two.pk, one.pk]
    assert found(q="po-") == found(state="open") == found(customer=customer.pk) == found(q="S-00001") == [one.pk]
    assert api.get("/shipments", customer=10**6).status_code == 422
    assert api.get("/shipments", state="gone").status_code == 400


def test_a_key_that_may_only_see_changes_nothing(alice, packed, charlie):
    viewer = Caller(key_of(alice, Permission.VIEW))
    assert viewer.get(url(packed)).status_code == 200
    acts = {
        "/pack": {"scans": ["x"]},
        "/unpack": {"devices": ["x"]},
        "/ship": None,
        "/send": None,
        "/cancel": None,
        "/reopen": None,
    }
    for act, body in acts.items():
        assert viewer.post(url(packed, act), body).status_code == 403
        assert Caller(key_of(charlie)).post(url(packed, act), body).status_code == 404
    assert (Shipment.objects.get().state, ShipmentUnit.objects.filter(is_open=True).count()) == ("open", 2)
