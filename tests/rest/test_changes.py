"""Devices exported, edited and sent back over REST."""

import pytest

from console import operations
from console.models import Event, Operation
from devices.actions import ownership
from devices.models import Device, DeviceTag, RoundTrip
from tests import factories
from tests.api import Caller, key_of
from tests.devices.roundtrips import as_csv, rows_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_folder")]


@pytest.fixture
def three(product):
    return [factories.make_device(product, f"AQM26-{n}") for n in (1, 2, 3)]


def counts(changed=0, unchanged=0, refused=0):
    return {"new": 0, "changed": changed, "unchanged": unchanged, "refused": refused}


def exported(api):
    return rows_of(b"".join(api.get("/devices.csv").streaming_content))


def edited(api, edit):
    """The exported file as text, after an edit of its rows."""
    rows = exported(api)
    edit(rows)
    return as_csv(rows).decode()


def give(rows, customer):
    rows[0]["owner"], rows[0]["owner_reference"], rows[1]["tags"] = customer.name, "", "pilot"


def take(rows):
    rows[0]["owner"] = rows[0]["owner_reference"] = ""


def owners():
    return list(Device.objects.order_by("pk").values_list("customer", flat=True))


def test_an_edited_export_comes_back_and_is_applied_in_one_call(api, three, customer):
    answer = api.post("/device-changes", {"csv": edited(api, lambda rows: give(rows, customer))})
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["rows"], body["missing"], body["found"]) == (3, [], counts(2, 1))
    assert body["outcome"] == counts(2, 1)
    assert (owners(), body["applied_at"] is not None) == ([customer.pk, None, None], True)
    assert list(DeviceTag.objects.values_list("device", "tag__name")) == [(three[1].pk, "pilot")]
    assert Event.objects.get(kind="device.assigned").actor_label == "Alice Kemp (Line 3)"
    assert api.get(f"/operations/{body['operation']}").json()["counts"]["succeeded"] == 2
    assert [row["id"] for row in api.get("/device-changes").json()["results"]] == [body["id"]]
    assert api.get(f"/device-changes/{body['id']}").json() == body


def test_a_trial_changes_nothing_and_can_be_applied_afterwards(api, three, customer):
    text = edited(api, lambda rows: give(rows, customer))
    body = api.post("/device-changes?dry_run=true", {"csv": text}).json()
    assert (body["found"], body["outcome"], body["applied_at"]) == (counts(2, 1), None, None)
    assert (owners(), DeviceTag.objects.count()) == ([None] * 3, 0)
    path = f"/device-changes/{body['id']}/apply"
    answer = api.post(path, {"version": body["version"] + 1})
    assert (answer.status_code, answer.json()["code"], owners()) == (409, "preview_outdated", [None] * 3)
    assert api.post(path, {"version": body["version"]}).json()["outcome"] == counts(2, 1)
    again = api.post(path, {"version": body["version"]})
    assert (again.status_code, again.json()["code"]) == (409, "applied_already")
    assert owners() == [customer.pk, None, None]


def test_a_refused_row_refuses_all_unless_only_the_good_ones_are_wanted(api, three, customer):
    def edit(rows):
        give(rows, customer)
        rows[2]["owner"] = "Nobody of this name"

    text = edited(api, edit)
    answer = api.post("/device-changes", {"csv": text})
    assert (answer.status_code, answer.json()["code"]) == (409, "rows_refused")
    assert (owners(), DeviceTag.objects.count()) == ([None] * 3, 0)
    pk = RoundTrip.objects.get().pk
    assert answer.json()["id"] == pk
    assert api.get(f"/device-changes/{pk}").json()["found"] == counts(2, 0, 1)
    refused = b"".join(api.get(f"/device-changes/{pk}/refused.csv").streaming_content).decode("utf-8-sig")
    assert "Nobody of this name" in refused
    assert "AQM26-1" not in refused
    body = api.post("/device-changes?good_rows=true", {"csv": text}).json()
    assert (body["outcome"], owners()) == (counts(2, 0, 1), [customer.pk, None, None])


def test_devices_are_only_taken_from_their_owners_with_a_reason(api, three, customer, by):
    ownership.assign([three[0].pk], customer=customer, by=by)
    text = edited(api, take)
    answer = api.post("/device-changes", {"csv": text})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reason")
    assert (owners(), Operation.objects.count()) == ([customer.pk, None, None], 0)
    body = api.post("/device-changes", {"csv": text, "reason": "Contract ended"}).json()
    assert (body["outcome"], owners()) == (counts(1, 2), [None] * 3)
    assert Event.objects.get(kind="device.unclaimed").data["note"] == "Contract ended"


def test_a_key_changes_only_what_its_scopes_allow(alice, three, customer, by):
    ownership.assign([three[0].pk], customer=customer, by=by)
    narrow = Caller(key_of(alice, "view", "export", "device.assign"))
    body = narrow.post("/device-changes?dry_run=true", {"csv": edited(narrow, take)}).json()
    assert body["found"] == counts(0, 2, 1)
    answer = narrow.post("/device-changes", {"csv": edited(narrow, take), "reason": "Mine now"})
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_apply")
    assert owners() == [customer.pk, None, None]


def test_a_file_that_changes_nothing_is_checked_and_not_applied(api, three):
    body = api.post("/device-changes", {"csv": edited(api, lambda rows: None)}).json()
    assert (body["found"], body["outcome"], body["applied_at"], body["operation"]) == (counts(0, 3), None, None, None)


@pytest.mark.parametrize("csv", ["", "\u0000"])
def test_a_file_that_is_none_is_refused(api, three, csv):
    assert api.post("/device-changes", {"csv": csv}).status_code == 400


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_a_file_that_names_no_device_is_refused_and_one_with_unknown_columns_says_so(api, three, query):
    answer = api.post(f"/device-changes{query}", {"csv": "nothing of ours\n1\n"})
    said = answer.json()
    assert (answer.status_code, said["code"], said["missing"]) == (422, "missing_columns", ["device_name"])
    assert api.get(f"/device-changes/{said['id']}").json()["missing"] == ["device_name"]
    csv = f"device_name,tgas,notes\n{three[0].device_name},pilot,Shelf 4\n"
    assert api.post(f"/device-changes{query}", {"csv": csv}).json()["ignored_columns"] == ["tgas"]


def test_a_large_file_is_the_worker_s(api, three, customer, monkeypatch):
    monkeypatch.setattr("console.operations.beginning.IN_REQUEST", 1)
    body = api.post("/device-changes", {"csv": edited(api, lambda rows: give(rows, customer))}).json()
    assert (body["found"], body["outcome"], owners()) == (counts(2, 1), None, [None] * 3)
    assert api.get(f"/operations/{body['operation']}").json()["state"] == "waiting"
    operations.run(body["operation"])
    assert api.get(f"/device-changes/{body['id']}").json()["outcome"] == counts(2, 1)
    assert owners() == [customer.pk, None, None]


def test_a_repeat_with_the_same_key_is_applied_once(api, three, customer):
    body = {"csv": edited(api, lambda rows: give(rows, customer))}
    first = api.post("/device-changes", body, headers={"Idempotency-Key": "lot-7"})
    again = api.post("/device-changes", body, headers={"Idempotency-Key": "lot-7"})
    assert (first.status_code, again.json(), again["Idempotent-Replayed"]) == (201, first.json(), "true")
    assert RoundTrip.objects.count() == 1


def test_another_organization_s_files_do_not_exist(api, charlie, three, customer):
    pk = api.post("/device-changes?dry_run=true", {"csv": edited(api, lambda rows: give(rows, customer))}).json()["id"]
    stranger = Caller(key_of(charlie))
    assert stranger.get("/device-changes").json()["results"] == []
    for answer in (
        stranger.get(f"/device-changes/{pk}"),
        stranger.get(f"/device-changes/{pk}/refused.csv"),
        stranger.post(f"/device-changes/{pk}/apply", {"version": 1}),
    ):
        assert answer.status_code == 404
    assert owners() == [None] * 3
