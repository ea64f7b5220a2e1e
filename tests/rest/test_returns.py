"""Returns over REST: requested with a customer's key, received, inspected, swapped, and seen by the customer."""

import pytest

from claims.models import ClaimCode, Return
from claims.returns.actions import returns
from claims.returns.choices import checks
from devices.actions import ownership
from devices.models import Device, DeviceStatus, Ownership, Product
from tests import factories
from tests.api import Caller, customer_key, key_of
from tests.claims import worlds
from tests.rest.test_batches import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_owned(make_devices, customer, by):
    """Two devices that the customer owns."""
    devices = make_devices(2)
    ownership.assign([d.pk for d in devices], customer=customer, by=by)
    return devices


def all_ok(organization):
    return [{"text": check.text, "is_ok": True} for check in checks(organization)]


def test_a_customer_asks_to_send_its_own_device_back(mine, two_owned, customer):
    body = {"device": two_owned[0].pk, "reason": "Defective", "note": "No signal"}
    answer = mine.post("/returns/request", body)
    assert answer.status_code == 201, answer.json()
    said, row = answer.json(), Return.objects.get()
    assert (said["id"], said["code"], said["state"], said["reason"]) == (row.pk, "R-00001", "requested", "Defective")
    assert said["device"] == {
        "id": two_owned[0].pk,
        "device_name": two_owned[0].device_name,
        "serial_number": two_owned[0].serial_number,
    }
    assert (said["customer"]["id"], said["customer_note"]) == (customer.pk, "No signal")
    assert row.requested_by == "dana@aalen.example (Backend)"
    again = mine.post("/returns/request", body)
    assert (again.status_code, again.json()["code"]) == (409, "under_way")
    assert Return.objects.count() == 1


def test_what_is_not_its_own_or_not_offered_is_refused(mine, theirs, two_owned, device):
    for caller, body in (
        (theirs, {"device": two_owned[0].pk, "reason": "Defective"}),
        (mine, {"device": device.pk, "reason": "Defective"}),
        (mine, {"device": two_owned[0].pk, "reason": "End of contract"}),
    ):
        assert caller.post("/returns/request", body).status_code == 422
    assert mine.post("/returns/request", {"device": str(two_owned[0].pk), "reason": "Defective"}).status_code == 400
    assert not Return.objects.exists()


def test_a_customer_sees_its_own_returns_without_what_is_the_organization_s(
    mine, theirs, api, two_owned, organization, by
):
    returns.receive([two_owned[0].pk], reason="Defective", note="smells", by=by)
    pk = Return.objects.get().pk
    run_inspect = api.post("/returns/inspect", {"returns": [pk], "grade": "d", "checks": all_ok(organization)})
    assert run_inspect.json()["counts"]["succeeded"] == 1
    own = mine.get(f"/returns/{pk}").json()
    assert own["state"] == "inspected"
    internal = [
        "note",
        "shipment",
        "requested_by",
        "received_by",
        "inspected_at",
        "inspected_by",
        "grade",
        "checks",
        "closed_by",
        "needs_label",
        "operation",
    ]
    assert {own[name] for name in internal} == {None}
    assert [row["id"] for row in mine.get("/returns").json()["results"]] == [pk]
    assert mine.get("/returns").json()["results"][0] == own
    full = api.get(f"/returns/{pk}").json()
    assert (full["note"], full["grade"], full["checks"]) == ("smells", "d", all_ok(organization))
    assert theirs.get("/returns").json()["results"] == []
    assert theirs.get(f"/returns/{pk}").status_code == theirs.get(f"/returns/{pk}/slip.pdf").status_code == 404


def test_the_slip_is_a_pdf_for_both(mine, api, two_owned):
    pk = mine.post("/returns/request", {"device": two_owned[0].pk, "reason": "Defective"}).json()["id"]
    for caller in (mine, api):
        answer = caller.get(f"/returns/{pk}/slip.pdf")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        assert answer.content.startswith(b"%PDF")


def test_a_request_is_cancelled_by_its_customer_or_the_organization_alone(mine, theirs, api, two_owned):
    first, second = (
        mine.post("/returns/request", {"device": device.pk, "reason": "Upgrade"}).json()["id"] for device in two_owned
    )
    assert theirs.post(f"/returns/{first}/cancel").status_code == 404
    assert set(Return.objects.values_list("state", flat=True)) == {"requested"}
    assert mine.post(f"/returns/{first}/cancel").json()["state"] == "cancelled"
    assert api.post(f"/returns/{second}/cancel").json()["state"] == "cancelled"
    assert mine.post(f"/returns/{first}/cancel").json()["code"] == "not_requested"
    assert Device.objects.filter(customer__isnull=False).count() == 2


def test_devices_are_received_individually(api, two_owned, device, product):
    worlds.make_unit_profile(product)
    names = [two_owned[0].serial_number, device.serial_number]
    answer = api.post("/returns/receive", {"devices": names, "reason": "Defective", "note": "box wet"})
    assert answer.status_code == 202, answer.json()
    operation = answer.json()
    assert (operation["done"], operation["counts"]) == (True, {"total": 2, "succeeded": 1, "refused": 1})
    results = api.get(f"/operations/{operation['id']}/results").json()["results"]
    assert [(r["name"], r["code"]) for r in results] == [(names[0], "ok"), (names[1], "not_owned")]
    row = Return.objects.get()
    assert (row.device, row.state, row.reason, row.note, row.needs_label) == (
        two_owned[0],
        "received",
        "Defective",
        "box wet",
        True,
    )
    assert ClaimCode.objects.get(device=two_owned[0]).version == 2
    assert Ownership.objects.get(device=two_owned[0]).end_reason == "return"
    also = {"devices": [device.serial_number], "reason": "Defective", "also_unowned": True}
    assert api.post("/returns/receive", also).json()["counts"]["succeeded"] == 1
    assert Device.objects.get(pk=device.pk).status == DeviceStatus.RETURNED


def test_a_reason_is_needed_unless_the_customer_gave_one(api, mine, two_owned):
    a, b = two_owned
    mine.post("/returns/request", {"device": a.pk, "reason": "Upgrade"})
    for body in ({"devices": [a.serial_number, b.serial_number]}, {"devices": [b.serial_number], "reason": "Because"}):
        assert api.post("/returns/receive", body).status_code == 422
    assert not Return.objects.filter(state="received").exists()
    assert api.post("/returns/receive", {"devices": [a.serial_number]}).json()["counts"]["succeeded"] == 1
    assert Return.objects.get().reason == "Upgrade"


def test_a_name_that_means_nothing_is_refused_by_itself_and_a_trial_receives_nothing(api, two_owned):
    names = [two_owned[0].serial_number, "NOSUCH", two_owned[0].serial_number.lower()]
    body = {"devices": names, "reason": "Defective"}
    for query, returned in (({"dry_run": "true"}, 0), ({}, 1)):
        operation = api.post("/returns/receive", body, **query).json()
        results = api.get(f"/operations/{operation['id']}/results").json()["results"]
        assert [(r["name"], r["code"]) for r in results] == list(
            zip(names, ["ok", "not_found", "duplicate"], strict=True)
        )
        assert Return.objects.count() == returned
        assert Device.objects.filter(status="returned").count() == returned


def test_many_are_received_by_the_worker(api, two_owned, monkeypatch):
    monkeypatch.setattr("console.operations.beginning.IN_REQUEST", 1)
    body = {"devices": [d.device_name for d in two_owned], "named_by": "device_name", "reason": "Defective"}
    operation, _results = run(api, api.post("/returns/receive", body))
    assert operation["counts"]["succeeded"] == 2


def test_devices_are_inspected_and_leave_quarantine(api, two_owned, organization, by):
    returns.receive([d.pk for d in two_owned], reason="Defective", by=by)
    a, b = Return.objects.order_by("pk").values_list("pk", flat=True)
    # Without a grade, or without all of the checklist, nothing is decided.
    for body in (
        {"decision": "restocked"},
        {"grade": "b", "decision": "restocked"},
        {"grade": "b", "checks": [{"text": "No such point", "is_ok": True}]},
    ):
        assert api.post("/returns/inspect", {"returns": [a]} | body).status_code == 422
    assert set(Return.objects.values_list("state", flat=True)) == {"received"}
    refused = api.post("/returns/inspect", {"returns": [a], "grade": "b", "checks": all_ok(organization)[1:]})
    left_out = all_ok(organization)[0]["text"]
    assert refused.json()["errors"] == [{"field": "checks", "detail": f"{left_out}: Choose whether this is OK."}]
    plan = {"grade": "b", "checks": all_ok(organization), "decision": "restocked", "note": "clean"}
    answer = api.post("/returns/inspect", {"returns": [a], **plan})
    assert (answer.status_code, answer.json()["counts"]["succeeded"]) == (202, 1)
    row = Return.objects.get(pk=a)
    assert (row.state, row.grade, row.note, row.device.status) == ("restocked", "b", "clean", DeviceStatus.IN_STOCK)
    both = api.post("/returns/inspect", {"returns": [a, b], **plan, "decision": "scrapped"}).json()
    assert both["counts"] == {"total": 2, "succeeded": 1, "refused": 1}
    (refused,) = api.get(f"/operations/{both['id']}/results").json()["results"]
    assert refused["code"] == "is_over"
    assert Return.objects.get(pk=b).device.status == DeviceStatus.SCRAPPED


def test_an_unknown_or_foreign_return_is_refused_by_itself(api, charlie, two_owned, organization, by):
    returns.receive([two_owned[0].pk], reason="Defective", by=by)
    pk = Return.objects.get().pk
    plan = {"grade": "b", "checks": all_ok(organization), "decision": "scrapped"}
    stranger = Caller(key_of(charlie))
    assert stranger.post("/returns/inspect", {"returns": [pk], "decision": "scrapped"}).json()["counts"]["refused"] == 1
    assert Return.objects.get().state == "received"
    operation = api.post("/returns/inspect", {"returns": [pk + 1, pk], **plan}).json()
    assert operation["counts"] == {"total": 2, "succeeded": 1, "refused": 1}
    (refused,) = api.get(f"/operations/{operation['id']}/results").json()["results"]
    assert (refused["position"], refused["code"]) == (1, "not_found")
    assert Return.objects.get().state == "scrapped"


def test_a_device_is_swapped(api, two_owned, device, customer, organization):
    old = two_owned[0]
    body = {"replacement": device.serial_number, "reason": "Defective", "note": "dead pixel"}
    answer = api.post(f"/devices/{old.pk}/swap", body)
    assert answer.status_code == 201, answer.json()
    assert (answer.json()["device"]["id"], answer.json()["state"]) == (old.pk, "received")
    assert (Device.objects.get(pk=device.pk).customer, Device.objects.get(pk=old.pk).status) == (customer, "returned")
    gone = api.post(f"/devices/{two_owned[1].pk}/swap", body)
    assert (gone.status_code, gone.json()["errors"][0]["field"]) == (422, "replacement")
    other = factories.make_device(factories.make_product(organization, "Gateway"))
    plan = {"replacement": other.device_name, "reason": "Upgrade", "is_here": False}
    assert api.post(f"/devices/{two_owned[1].pk}/swap", plan).status_code == 422
    later = api.post(f"/devices/{two_owned[1].pk}/swap", plan | {"other_product": True})
    assert (later.status_code, later.json()["state"]) == (201, "requested")
    assert Device.objects.get(pk=other.pk).customer == customer


def test_choices_are_those_of_the_reader(api, mine, organization):
    staff, customer = api.get("/returns/choices").json(), mine.get("/returns/choices").json()
    assert staff["checks"] == [check.text for check in checks(organization)]
    assert ("End of contract" in staff["reasons"], "End of contract" in customer["reasons"]) == (True, False)
    assert customer["checks"] == []


def test_the_list_filters(api, mine, two_owned, customer, other_customer, by):
    a, b = two_owned
    mine.post("/returns/request", {"device": a.pk, "reason": "Upgrade"})
    returns.receive([b.pk], reason="Defective", by=by)
    asked, received = Return.objects.order_by("pk")

    def found(caller=api, **query):
        return [row["id"] for row in caller.get("/returns", **query).json()["results"]]

    assert found() == found(state="open") == found(customer=customer.pk) == [received.pk, asked.pk]
    assert (
        found(state="requested")
        == found(reason="Upgrade")
        == found(q=a.serial_number)
        == found(q="R-00001")
        == [asked.pk]
    )
    assert found(customer=other_customer.pk) == found(needs_label="true") == []
    assert found(mine, state="received") == [received.pk]
    assert api.get("/returns", reason="Because").status_code == 422


def test_the_decision_is_not_shown_to_the_customer(api, mine, two_owned, organization, by):
    returns.receive([two_owned[0].pk], reason="Defective", by=by)
    pk = Return.objects.get().pk
    plan = {"returns": [pk], "grade": "d", "checks": all_ok(organization), "decision": "scrapped"}
    api.post("/returns/inspect", plan)
    assert (api.get(f"/returns/{pk}").json()["state"], mine.get(f"/returns/{pk}").json()["state"]) == (
        "scrapped",
        "done",
    )
    assert [row["state"] for row in mine.get("/returns", state="done").json()["results"]] == ["done"]
    assert [row["state"] for row in api.get("/returns", state="done").json()["results"]] == ["scrapped"]
    assert mine.get("/returns", state="scrapped").status_code == 422
    assert mine.get("/returns", needs_label="true").json()["results"] == []


def test_scopes_of_a_customer_s_key(dana, customer, two_owned):
    reader = Caller(customer_key(dana, customer, "customer.read"))
    assert reader.post("/returns/request", {"device": two_owned[0].pk, "reason": "Defective"}).status_code == 403
    Product.objects.update(customers_may_take=True)
    taker = Caller(customer_key(dana, customer, "customer.take"))
    made = taker.post("/returns/request", {"device": two_owned[0].pk, "reason": "Defective"})
    assert made.status_code == 201
    assert taker.get("/returns").status_code == 403
    assert reader.post(f"/returns/{made.json()['id']}/cancel").status_code == 403
    assert Return.objects.get().state == "requested"
