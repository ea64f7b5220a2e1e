"""Imports, people of customers and the log over REST."""

import base64
from pathlib import Path

import pytest

from console.imports import uploads
from console.models import Event, Operation
from customers.models import Customer, CustomerUser
from devices.models import Device, ManifestImport

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_folder")]
LOT = "S/N,Device ID\nS-1,unit-000001\nS-2,unit-000002\n"
BAD = LOT + "S-3,x\n"


def counts(new=0, changed=0, unchanged=0, refused=0):
    return {"new": new, "changed": changed, "unchanged": unchanged, "refused": refused}


def test_a_file_of_devices_is_checked_and_applied_in_one_call(api, product):
    answer = api.post("/device-imports", {"product": product.slug, "csv": LOT})
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["rows"], body["missing"], body["found"], body["outcome"]) == (2, [], counts(2), counts(2))
    assert body["applied_at"] is not None
    assert set(Device.objects.values_list("serial_number", flat=True)) == {"S-1", "S-2"}
    again = api.post("/device-imports", {"product": product.slug, "csv": LOT}).json()
    assert again["outcome"] == counts(unchanged=2)


def test_a_trial_checks_and_can_be_applied_afterwards(api, product):
    body = api.post("/device-imports?dry_run=true", {"product": product.slug, "csv": LOT}).json()
    assert (body["found"], body["outcome"], body["applied_at"]) == (counts(2), None, None)
    assert not Device.objects.exists()
    answer = api.post(f"/device-imports/{body['id']}/apply", {"version": body["version"] + 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "preview_outdated")
    assert api.post(f"/device-imports/{body['id']}/apply", {"version": body["version"]}).json()["outcome"] == counts(2)
    assert (
        api.post(f"/device-imports/{body['id']}/apply", {"version": body["version"]}).json()["code"]
        == "applied_already"
    )


def test_refused_rows_refuse_the_whole_file_unless_only_the_good_ones_are_wanted(api, product):
    answer = api.post("/device-imports", {"product": product.slug, "csv": BAD})
    assert answer.status_code == 409
    assert not Device.objects.exists()
    pk = ManifestImport.objects.get().pk
    assert api.get(f"/device-imports/{pk}").json()["found"] == counts(2, refused=1)
    refused = b"".join(api.get(f"/device-imports/{pk}/refused.csv").streaming_content).decode("utf-8-sig")
    assert "S-3" in refused
    body = api.post("/device-imports?good_rows=true", {"product": product.slug, "csv": BAD}).json()
    assert (body["outcome"], Device.objects.count()) == (counts(2, refused=1), 2)


def test_a_large_file_is_the_worker_s(api, product, monkeypatch):
    monkeypatch.setattr(uploads, "APPLIED_IN_REQUEST", 1)
    body = api.post("/device-imports", {"product": product.slug, "csv": LOT}).json()
    assert (body["applied_at"], body["found"]) == (None, counts(2))
    assert api.get(f"/operations/{body['operation']}").json()["state"] == "waiting"


@pytest.mark.parametrize("csv", ["", "\u0000"])
def test_a_file_that_is_none_is_refused(api, product, csv):
    assert api.post("/device-imports", {"product": product.slug, "csv": csv}).status_code == 400
    assert not Device.objects.exists()


@pytest.mark.parametrize("query", ["", "?dry_run=true", "?good_rows=true"])
@pytest.mark.parametrize("most", [20_000, 0])
def test_a_file_without_its_columns_is_refused_and_says_which(api, product, monkeypatch, query, most):
    monkeypatch.setattr(uploads, "CHECKED_IN_REQUEST", most)
    sent = {
        "device-imports": {"product": product.slug, "csv": "foo,bar\n1,2\n"},
        "customer-imports": {"csv": "foo\n1\n"},
    }
    lacking = {"device-imports": ["serial_number", "device_name"], "customer-imports": ["name"]}
    for path, body in sent.items():
        answer = api.post(f"/{path}{query}", body)
        said = answer.json()
        assert (answer.status_code, said["code"], said["missing"]) == (422, "missing_columns", lacking[path])
        assert said["ignored_columns"] == body["csv"].split("\n")[0].split(",")
        kept = api.get(f"/{path}/{said['id']}").json()
        assert (kept["missing"], kept["applied_at"], kept["outcome"]) == (lacking[path], None, None)
    assert (Device.objects.count(), Customer.objects.count(), Operation.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize("most", [20_000, 0])
def test_columns_that_are_not_known_are_named_and_the_rest_is_imported(api, product, monkeypatch, most):
    monkeypatch.setattr(uploads, "CHECKED_IN_REQUEST", most)
    lot = "S/N,Device ID,imie,colour\nS-1,unit-000001,490154203237518,blue\n"
    body = api.post("/device-imports", {"product": product.slug, "csv": lot}).json()
    assert body["ignored_columns"] == ["imie", "colour"]
    assert (body["applied_at"] is not None) == bool(most)
    assert api.post("/device-imports", {"product": product.slug, "csv": LOT}).json()["ignored_columns"] == []


@pytest.mark.parametrize("cells", [",kept", "kept,", ","])
def test_a_column_that_another_one_replaces_is_not_called_ignored(api, product, cells):
    lot = f"Serial number,Device name,Notes,Notes,colour\nS-1,unit-000001,{cells},blue\n"
    answer = api.post("/device-imports", {"product": product.slug, "csv": lot})
    assert (answer.status_code, answer.json()["ignored_columns"]) == (201, ["colour"])
    assert Device.objects.get().notes == cells.strip(",")


def test_an_unknown_product_is_a_field_that_can_t_be_taken(api):
    answer = api.post("/device-imports", {"product": "nothing", "csv": LOT})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "product")


def test_customers_are_imported(api):
    body = api.post("/customer-imports", {"csv": "name,reference\nNord,C-1\nSüd,C-2\n"}).json()
    assert (body["outcome"], Customer.objects.count()) == (counts(2), 2)
    assert [row["id"] for row in api.get("/customer-imports").json()["results"]] == [body["id"]]


def test_people_are_invited_changed_and_removed(api, customer, mailoutbox):
    made = api.post(f"/customers/{customer.pk}/people", {"email": "new@example.com", "role": "operator"})
    assert (made.status_code, made.json()["role"], made.json()["has_signed_in"]) == (201, "operator", False)
    assert [mail.to for mail in mailoutbox] == [["new@example.com"]]
    path = f"/customers/{customer.pk}/people/{made.json()['id']}"
    assert api.patch(path, {"role": "viewer"}).json()["role"] == "viewer"
    assert api.delete(path).status_code == 204
    assert api.get(f"/customers/{customer.pk}/people").json()["results"] == []
    assert CustomerUser.objects.get().removed_at is not None
    assert api.post(f"/customers/{customer.pk}/people", {"email": "no address"}).status_code == 422


def test_the_log_is_read_by_kind_and_by_thing(api, product):
    api.post("/device-imports", {"product": product.slug, "csv": LOT})
    device = Device.objects.get(serial_number="S-1")
    (line,) = api.get("/events", kind="device.registered", about=f"device:{device.pk}").json()["results"]
    assert (line["subject_label"], line["subject_id"]) == ("S-1", device.pk)
    everything = api.get("/events", limit=200).json()["results"]
    assert len(everything) == Event.objects.count()
    assert [row["at"] for row in everything] == sorted((row["at"] for row in everything), reverse=True)
    assert api.get("/events", kind="nonsense").status_code == 400
    assert api.get("/events", since="2026-13-01").status_code == 400


# Files as they are.

HERE = Path(__file__).parent.parent / "data" / "cases"


def sent(content: bytes, **more):
    return {"file": base64.b64encode(content).decode(), **more}


def test_a_workbook_is_read_as_it_is_and_remarks_are_reported(api, product):
    body = api.post("/device-imports", sent((HERE / "05-filtered-rows.xlsx").read_bytes(), product=product.slug)).json()
    assert (body["outcome"], body["sheet"], body["sheets"], body["encoding"]) == (counts(2), "Lot", ["Lot"], None)
    assert body["remarks"] == [{"code": "hidden_rows", "count": 1, "places": ["3"]}]


def test_hidden_rows_are_left_out_where_the_call_says_so(api, product):
    content = (HERE / "05-filtered-rows.xlsx").read_bytes()
    body = api.post("/device-imports", sent(content, product=product.slug, skip_hidden_rows=True)).json()
    assert (body["outcome"], body["remarks"][0]["code"]) == (counts(1), "hidden_left_out")


def test_the_sheet_is_the_one_that_is_understood_or_named(api, product):
    content = (HERE / "10-summary-sheet-first.xlsx").read_bytes()
    assert api.post("/device-imports", sent(content, product=product.slug)).json()["sheet"] == "Lot"
    answer = api.post("/device-imports", sent(content, product=product.slug, sheet="Nope"))
    assert (answer.status_code, answer.json()["code"]) == (422, "no_such_sheet")


def test_two_columns_that_hold_something_refuse_the_file_and_name_them(api, product):
    csv = "Serial number,Notes,Device name,Remark\nA-1,one,unit-000001,two\n"
    answer = api.post("/device-imports", {"product": product.slug, "csv": csv})
    assert (answer.status_code, answer.json()["code"]) == (422, "column_twice")
    assert answer.json()["title"] == ("The columns B, D are all read as Notes. Keep one of them and rename the others.")
    assert not Device.objects.exists()
    csv = "Serial number,Notes,Device name,Remark\nA-1,,unit-000001,two\n"
    assert api.post("/device-imports", {"product": product.slug, "csv": csv}).status_code == 201
    assert Device.objects.get().notes == "two"


def test_a_guessed_encoding_that_may_be_wrong_refuses_the_file_and_can_be_named(api, product):
    content = "Serial;Device name;Notes\nA-1;unit-000001;Będzin\n".encode("cp1250")
    answer = api.post("/device-imports", sent(content, product=product.slug))
    assert (answer.status_code, answer.json()["code"]) == (422, "encoding_unclear")
    assert "“Bêdzin” if it is Windows-1252, “Będzin” if it is Windows-1250" in answer.json()["title"]
    assert not Device.objects.exists()
    trial = api.post("/device-imports?dry_run=true", sent(content, product=product.slug)).json()
    assert trial["encoding"]["is_unclear"]
    assert {"encoding": "windows-1250", "texts": ["Będzin"]} in trial["encoding"]["readings"]
    body = api.post("/device-imports", sent(content, product=product.slug, encoding="windows-1250")).json()
    assert (body["outcome"], body["encoding"]["encoding"]) == (counts(1), "windows-1250")
    assert Device.objects.get().notes == "Będzin"


def test_an_encoding_that_is_the_only_match_is_applied_and_reported(api, product):
    body = api.post("/device-imports", sent((HERE / "03c-cp850.csv").read_bytes(), product=product.slug)).json()
    assert (body["outcome"], body["encoding"]["encoding"]) == (counts(1), "cp850")
    assert Device.objects.get().notes == "Größe groß"


@pytest.mark.parametrize(
    "body",
    [{}, {"csv": LOT, "file": "YQ=="}, {"file": "no base64"}, {"file": "YQ"}],
    ids=["none", "both", "signs", "cut"],
)
def test_there_is_one_file_and_it_is_base64(api, product, body):
    answer = api.post("/device-imports", {"product": product.slug, **body})
    assert (answer.status_code, ManifestImport.objects.count()) == (422, 0)


def test_customers_and_changes_take_files_too(api, device):
    answer = api.post("/customer-imports", sent("Name;Notiz\nWerk;Łódź, część\n".encode("cp1250")))
    assert answer.status_code == 201, answer.json()
    assert Customer.objects.get(name="Werk").notes == "Łódź, część"
    content = f"Device name;Notes\n{device.device_name};Będzin\n".encode("cp1250")
    assert api.post("/device-changes", sent(content)).json()["code"] == "encoding_unclear"
    assert api.post("/device-changes", sent(content, encoding="windows-1250")).status_code == 201
    device.refresh_from_db()
    assert device.notes == "Będzin"
