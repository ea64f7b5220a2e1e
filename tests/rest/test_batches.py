"""Batches over REST: an operation, a result for each name in the order of the call, and a dry run."""

import pytest

from console import operations
from console.models import Event, Operation
from devices.actions import batches, ownership
from devices.models import Device, Ownership
from tests import factories
from tests.api import Caller, key_of

pytestmark = pytest.mark.django_db


def by_id(*ids):
    return {"named_by": "id", "devices": [str(pk) for pk in ids]}


def run(api, answer):
    """Follow the operation to its end, as the worker does it. Gives it with its results."""
    assert answer.status_code == 202, answer.json()
    pk = answer.json()["id"]
    assert answer.json()["state"] == "waiting"
    operations.run(pk)
    return api.get(f"/operations/{pk}").json(), api.get(f"/operations/{pk}/results").json()["results"]


def test_devices_are_assigned_by_serial_number_with_a_result_for_each_in_order(
    api, make_devices, customer, other_customer, alice
):
    a, b, c, d = make_devices(4)
    by = factories.actor_of(alice)
    ownership.assign([b.pk], customer=other_customer, by=by)
    Device.objects.filter(pk=d.pk).update(status="scrapped")
    names = [c.serial_number, "NOSUCH", b.serial_number, a.serial_number.lower(), c.serial_number, d.serial_number]
    operation, results = run(
        api, api.post(f"/customers/{customer.pk}/devices:assign", {"devices": names, "note": "PO 7"})
    )
    assert operation["counts"] == {"total": 6, "succeeded": 2, "refused": 4}
    assert (operation["done"], operation["progress"], operation["sentence"]) == (True, 100, "2 devices assigned.")
    assert [(r["position"], r["name"], r["code"]) for r in results] == [
        (1, names[0], "ok"),
        (2, "NOSUCH", "not_found"),
        (3, names[2], "already_owned"),
        (4, names[3], "ok"),
        (5, names[4], "duplicate"),
        (6, names[5], "scrapped"),
    ]
    assert all(bool(r["detail"]) == (r["code"] != "ok") for r in results)
    spans = Ownership.objects.filter(customer=customer)
    assert set(spans.values_list("device", "start_reason", "start_note")) == {
        (a.pk, "api", "PO 7"),
        (c.pk, "api", "PO 7"),
    }
    table = b"".join(api.get(f"/operations/{operation['id']}/results.csv").streaming_content).decode("utf-8-sig")
    assert table.splitlines()[2].startswith("2,NOSUCH,not_found,")


@pytest.mark.parametrize("by", ["id", "device_name"])
def test_devices_are_named_in_other_ways(api, make_devices, customer, by):
    devices = make_devices(3)
    names = [str(d.pk) for d in devices] if by == "id" else [d.device_name for d in devices]
    operation, _results = run(
        api, api.post(f"/customers/{customer.pk}/devices:assign", {"named_by": by, "devices": names})
    )
    assert operation["counts"]["succeeded"] == 3
    operation, results = run(
        api, api.post("/devices:unclaim", {"named_by": by, "devices": names, "reason": "Lease over"})
    )
    assert [r["code"] for r in results] == ["ok"] * 3
    assert Device.objects.filter(customer=None).count() == 3
    _operation, results = run(
        api, api.post("/devices:unclaim", {"named_by": by, "devices": names[:1], "reason": "Again"})
    )
    assert results[0]["code"] == "not_owned"


def test_a_trial_says_what_would_happen_and_changes_nothing(api, make_devices, customer, alice):
    a, b = make_devices(2)
    ownership.assign([b.pk], customer=customer, by=factories.actor_of(alice))
    before = (list(Device.objects.order_by("pk").values()), list(Ownership.objects.values()), Event.objects.count())
    answer = api.post(f"/customers/{customer.pk}/devices:assign?dry_run=true", by_id(a.pk, b.pk))
    operation, results = run(api, answer)
    assert ([r["code"] for r in results], operation["is_dry_run"]) == (["ok", "already_owned"], True)
    assert operation["sentence"] == "1 device assigned. This was a dry run: nothing was changed."
    assert not Operation.objects.get(pk=operation["id"]).is_undoable()
    assert before == (
        list(Device.objects.order_by("pk").values()),
        list(Ownership.objects.values()),
        Event.objects.count(),
    )


def test_a_serial_number_of_two_products_is_ambiguous(api, organization, device, customer):
    factories.make_device(factories.make_product(organization, "Gateway"), device.serial_number)
    answer = api.post(f"/customers/{customer.pk}/devices:assign", {"devices": [device.serial_number]})
    _operation, results = run(api, answer)
    assert results[0]["code"] == "ambiguous"
    assert not Ownership.objects.exists()


def test_chunks_keep_the_positions(api, make_devices, customer, monkeypatch):
    monkeypatch.setattr("console.operations.outcome.CHUNK", 2)
    devices = make_devices(5)
    names = [devices[0].pk, 999_999, devices[1].pk, devices[0].pk, devices[2].pk, devices[3].pk, devices[4].pk]
    _operation, results = run(api, api.post(f"/customers/{customer.pk}/devices:assign", by_id(*names)))
    assert [r["code"] for r in results] == ["ok", "not_found", "ok", "duplicate", "ok", "ok", "ok"]
    pages, after = [], 0
    while after is not None:
        page = api.get(f"/operations/{_operation['id']}/results", limit=3, after=after).json()
        pages.append(len(page["results"]))
        after = page["next"]
    assert pages == [3, 3, 1]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"devices": []},
        {"devices": [1]},
        {"devices": [""]},
        {"devices": None},
        {"named_by": "imei", "devices": ["1"]},
        {"ids": [1]},
    ],
)
def test_a_batch_that_is_not_as_documented_is_refused(api, customer, body):
    assert api.post(f"/customers/{customer.pk}/devices:assign", body).status_code == 400
    assert not Operation.objects.exists()


def test_more_than_a_hundred_thousand_are_refused(api, customer, monkeypatch):
    assert batches.MOST == 100_000
    answer = api.post(f"/customers/{customer.pk}/devices:assign", by_id(*range(1, 100_002)))
    assert answer.status_code == 400
    assert not Operation.objects.exists()


def test_what_a_batch_did_can_be_undone(api, make_devices, customer, alice, client_for):
    devices = make_devices(3)
    operation, _results = run(
        api, api.post(f"/customers/{customer.pk}/devices:assign", by_id(*(d.pk for d in devices)))
    )
    page = client_for(alice).post(f"/devices/assign/{operation['id']}/undo/")
    assert page.status_code == 302
    assert not Device.objects.exclude(customer=None).exists()


def test_it_is_undone_over_rest_by_keys_that_may_do_it(api, make_devices, customer, alice):
    devices = make_devices(3)
    done, _results = run(api, api.post(f"/customers/{customer.pk}/devices:assign", by_id(*(d.pk for d in devices))))
    reader = Caller(key_of(alice, "view"))
    assert reader.post(f"/operations/{done['id']}/undo").status_code == 403
    answer = api.post(f"/operations/{done['id']}/undo")
    assert (answer.status_code, answer.json()["counts"]["succeeded"]) == (202, 3)
    assert not Device.objects.exclude(customer=None).exists()
    again = api.post(f"/operations/{done['id']}/undo")
    assert (again.status_code, again.json()["code"]) == (409, "undone_already")
    trial, _results = run(api, api.post(f"/customers/{customer.pk}/devices:assign?dry_run=true", by_id(devices[0].pk)))
    assert api.post(f"/operations/{trial['id']}/undo").json()["code"] == "nothing_to_undo"
