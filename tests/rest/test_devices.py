"""Products, devices, owners and customers over REST."""

import pytest

from console.models import Event
from customers.projects.actions import projects
from devices import ledger
from devices.actions import devices as device_actions
from devices.actions import ownership
from devices.actions import products as product_actions
from devices.acts import Act
from devices.models import Device, Ownership, Product
from tests import factories
from tests.api import Caller, key_of

pytestmark = pytest.mark.django_db


def test_a_product_is_created_found_by_id_and_slug_edited_and_archived(api, organization):
    made = api.post("/products", {"name": "Flow Probe", "platform": "nRF9160"})
    assert made.status_code == 201
    body = made.json()
    assert (body["slug"], body["ownership_mode"], body["archived_at"]) == ("flow-probe", "customer", None)
    assert api.get(f"/products/{body['id']}").json() == api.get("/products/flow-probe").json() == body
    edited = api.patch("/products/flow-probe", {"description": "Measures"}).json()
    assert (edited["name"], edited["platform"], edited["description"]) == ("Flow Probe", "nRF9160", "Measures")
    assert api.post("/products/flow-probe/archive").json()["archived_at"] is not None
    assert api.get("/products").json()["results"] == []
    assert [p["slug"] for p in api.get("/products", archived="true").json()["results"]] == ["flow-probe"]
    assert api.post("/products/flow-probe/restore").json()["archived_at"] is None
    assert Product.objects.get().organization == organization


def test_what_the_console_s_form_refuses_is_refused_with_its_sentence(api, product):
    answer = api.post("/products", {"name": product.name})
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert answer.json()["code"] == "invalid"
    assert {"field": "name", "detail": "Another product has this name."} in answer.json()["errors"]
    assert Product.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": 5}, "name"),
        ({"name": "A", "colour": "red"}, "colour"),
        ({}, "name"),
        ([], ""),
        ({"name": "A", "unowned_may_subscribe": "yes"}, "unowned_may_subscribe"),
        ({"name": "A\x00"}, "name"),
    ],
)
def test_a_body_that_is_not_as_documented_is_refused_field_by_field(api, body, field):
    answer = api.post("/products", body)
    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert not Product.objects.exists()


def test_a_device_is_registered_found_edited_and_archived(api, product):
    body = {
        "product": product.slug,
        "serial_number": "AQM26-9",
        "device_name": "e00fce68aa09",
        "tags": ["lot-1", "pilot"],
        "imei": "490154203237518",
        "is_development": True,
    }
    made = api.post("/devices", body)
    assert made.status_code == 201, made.json()
    device = made.json()
    assert (device["serial_number"], device["status"], device["customer"], device["tags"]) == (
        "AQM26-9",
        "in_stock",
        None,
        ["lot-1", "pilot"],
    )
    for query in (
        {"serial_number": "aqm26-9"},
        {"device_name": "E00FCE68AA09"},
        {"q": "AQM"},
        {"tag": "pilot"},
        {"product": product.slug},
        {"development": "true"},
        {"status": "in_stock"},
    ):
        assert [d["id"] for d in api.get("/devices", **query).json()["results"]] == [device["id"]], query
    for query in ({"serial_number": "AQM"}, {"status": "owned"}, {"archived": "true"}, {"current": "true"}):
        assert api.get("/devices", **query).json() == {"results": [], "next": None}, query
    assert api.get("/devices", tag="nothing").status_code == 422
    assert api.get("/devices", product="nothing").status_code == 422
    edited = api.patch(f"/devices/{device['id']}", {"notes": "Bent pin"}).json()
    assert (edited["notes"], edited["tags"], edited["imei"]) == ("Bent pin", ["lot-1", "pilot"], "490154203237518")
    assert edited["is_development"] is True
    assert api.patch(f"/devices/{device['id']}", {"tags": []}).json()["tags"] == []
    assert api.delete(f"/devices/{device['id']}").status_code == 204
    assert api.get("/devices").json()["results"] == []
    assert api.post(f"/devices/{device['id']}/restore").json()["archived_at"] is None


def test_a_list_is_paged_by_a_cursor_and_the_pages_join(api, make_devices):
    devices = make_devices(7)
    first = api.get("/devices", limit=3).json()
    second = api.get("/devices", limit=3, cursor=first["next"]).json()
    third = api.get("/devices", limit=3, cursor=second["next"]).json()
    found = [row["id"] for page in (first, second, third) for row in page["results"]]
    assert found == sorted((device.pk for device in devices), reverse=True)
    assert third["next"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 201},
        {"limit": "x"},
        {"nonsense": 1},
        {"status": "gone"},
        {"customer": 0},
        {"archived": "on"},
    ],
)
def test_a_query_that_is_not_as_documented_is_refused(api, query):
    assert api.get("/devices", **query).status_code == 400


def test_assigning_and_unclaiming_one_device(api, device, customer, other_customer):
    answer = api.put(f"/devices/{device.pk}/owner", {"customer": customer.pk, "note": "PO 7"})
    assert (answer.status_code, answer.json()["customer"]) == (200, {"id": customer.pk, "name": customer.name})
    assert api.put(f"/devices/{device.pk}/owner", {"customer": customer.pk}).status_code == 200
    again = api.put(f"/devices/{device.pk}/owner", {"customer": other_customer.pk})
    assert (again.status_code, again.json()["code"]) == (409, "already_owned")
    span = Ownership.objects.get()
    assert (span.start_reason, span.start_note, span.started_by) == ("api", "PO 7", "Alice Kemp (Line 3)")
    assert api.delete(f"/devices/{device.pk}/owner").status_code == 400
    answer = api.delete(f"/devices/{device.pk}/owner", reason="Lease over")
    assert (answer.json()["customer"], answer.json()["product"]["id"]) == (None, device.product_id)
    assert api.delete(f"/devices/{device.pk}/owner", reason="Again").json()["code"] == "not_owned"


def test_a_key_of_another_organization_sees_and_changes_nothing(charlie, device, customer, product):
    foreign, before = Caller(key_of(charlie)), Event.objects.count()
    for path in (
        f"/devices/{device.pk}",
        f"/products/{product.slug}",
        f"/products/{product.pk}",
        f"/customers/{customer.pk}",
    ):
        assert foreign.get(path).status_code == 404, path
    for path in ("/devices", "/products", "/customers", "/projects", "/device-ownerships", "/operations"):
        assert foreign.get(path).json()["results"] == [], path
    assert foreign.patch(f"/devices/{device.pk}", {"notes": "x"}).status_code == 404
    assert foreign.put(f"/devices/{device.pk}/owner", {"customer": customer.pk}).status_code == 404
    assert foreign.delete(f"/devices/{device.pk}").status_code == 404
    assert Event.objects.count() == before
    assert Device.objects.get().customer is None


def test_a_customer_s_key_sees_what_it_owns_and_nothing_of_the_organization(
    mine, make_devices, customer, other_customer, alice
):
    own, foreign, free = make_devices(3)
    Device.objects.filter(pk=own.pk).update(notes="Secret", imei="490154203237518")
    by = factories.actor_of(alice)
    ownership.assign([own.pk], customer=customer, by=by)
    ownership.assign([foreign.pk], customer=other_customer, by=by)
    (seen,) = mine.get("/devices", current="true").json()["results"]
    assert (seen["id"], seen["customer"]["id"], seen["notes"], seen["tags"]) == (own.pk, customer.pk, None, [])
    assert [mine.get(f"/devices/{d.pk}").status_code for d in (own, foreign, free)] == [200, 404, 404]
    assert mine.get(f"/devices/{own.pk}").json() == seen
    assert (seen["imei"], seen["iccid"], seen["mac"]) == ("", "", "")
    project = projects.default_of(customer)
    ledger.share([foreign.pk], Act(by), customer=customer, project=project, reason="claim")
    for current, rows in (("true", [own.pk]), ("false", [foreign.pk])):
        assert [row["id"] for row in mine.get("/devices", current=current).json()["results"]] == rows
    shared = mine.get(f"/devices/{foreign.pk}").json()
    assert (shared["id"], shared["customer"], shared["notes"]) == (foreign.pk, None, None)
    for path, body in (("/products", {"name": "X"}), ("/customers", {"name": "X"}), ("/devices", {})):
        assert mine.post(path, body).status_code == 403
    assert mine.put(f"/devices/{own.pk}/owner", {"customer": customer.pk}).status_code == 403
    assert mine.get("/customers").status_code == 403
    assert mine.get("/devices", q="AQM").status_code == 422
    assert mine.get("/operations").status_code == 403


def test_customers_are_created_found_edited_and_archived(api):
    made = api.post("/customers", {"name": "Wasserwerk Nord", "reference": "C-9", "email": "office@nord.example"})
    assert (made.status_code, made.json()["kind"]) == (201, "company")
    pk = made.json()["id"]
    assert [p["is_default"] for p in api.get("/projects", customer=pk).json()["results"]] == [True]
    for query in ({"q": "wasser"}, {"reference": "c-9"}, {"has_devices": "false"}, {"kind": "company"}):
        assert [c["id"] for c in api.get("/customers", **query).json()["results"]] == [pk], query
    assert api.get("/customers", has_devices="true").json()["results"] == []
    edited = api.patch(f"/customers/{pk}", {"phone": "+49 1"}).json()
    assert (edited["phone"], edited["reference"], edited["email"]) == ("+49 1", "C-9", "office@nord.example")
    assert api.post("/customers", {"name": "Other", "reference": "C-9"}).status_code == 422
    assert api.post("/customers", {"name": "Wasserwerk Nord"}).status_code == 201
    assert api.post(f"/customers/{pk}/archive").json()["archived_at"] is not None
    assert api.post(f"/customers/{pk}/restore").json()["archived_at"] is None


def test_two_edits_at_once_of_different_fields_are_both_kept(api, device, product, alice):
    """Each read the row before the other wrote; only what an edit names is written."""
    by, stale = factories.actor_of(alice), Device.objects.get(pk=device.pk)
    api.patch(f"/devices/{device.pk}", {"notes": "Shelf 4"})
    edited = device_actions.edit(stale, by=by, hardware_revision="B4")
    assert edited.hardware_revision == "B4"
    device.refresh_from_db()
    assert (device.notes, device.hardware_revision) == ("Shelf 4", "B4")
    old = Product.objects.get(pk=product.pk)
    api.patch(f"/products/{product.pk}", {"platform": "ESP32"})
    product_actions.edit(old, by=by, description="Meters water")
    product.refresh_from_db()
    assert (product.platform, product.description) == ("ESP32", "Meters water")


@pytest.mark.parametrize(("path", "made"), [("/products", "product-4711"), ("/claim-profiles", "profile-4711")])
def test_a_slug_is_never_taken_for_an_id(api, path, made):
    answer = api.post(path, {"name": "4711"})
    assert (answer.status_code, answer.json()["slug"]) == (201, made)
    answer = api.post(path, {"name": "Second", "slug": "4712"})
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"field": "slug", "detail": "Use at least one letter; a number alone looks like an ID."}],
    )
