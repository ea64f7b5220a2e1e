"""How returns are set up, the queue of labels, and receiving taken back over REST."""

import pytest

from claims.models import Return, ReturnCheck, ReturnReason
from claims.returns.actions import returns
from claims.returns.actions import settings as return_settings
from claims.returns.choices import default_checks, default_reasons
from console.models import Event
from devices.actions import ownership
from devices.models import Device, DeviceStatus
from tests import factories, forms
from tests.api import Caller, key_of
from tests.claims import worlds

pytestmark = pytest.mark.django_db
PATH = "/return-settings"


@pytest.fixture
def received(make_devices, customer, alice, product):
    """Two units with dead labels, in quarantine."""
    devices, by = make_devices(2), factories.actor_of(alice)
    worlds.make_unit_profile(product)
    ownership.assign([d.pk for d in devices], customer=customer, by=by)
    returns.begin_receive([d.pk for d in devices], reason="Defective", by=by)
    return devices


def test_defaults_are_returned_until_anything_is_configured(api):
    said = api.get(PATH).json()
    assert (said["address"], said["note"]) == ("", "")
    assert [row["text"] for row in said["reasons"]] == [choice.text for choice in default_reasons()]
    assert [row["text"] for row in said["checks"]] == [choice.text for choice in default_checks()]
    assert {row["id"] for row in said["reasons"] + said["checks"]} == {None}


def test_omitted_fields_stay_as_they_are(api):
    said = api.patch(PATH, {"address": "Dock 4", "checks": [{"text": "Powers on"}]}).json()
    assert (said["address"], said["note"]) == ("Dock 4", "")
    assert [(c["text"], c["is_archived"]) for c in said["checks"]] == [("Powers on", False)]
    assert {row["id"] for row in said["reasons"]} == {None}
    assert api.patch(PATH, {"note": "Pack the power supply too"}).json()["address"] == "Dock 4"
    assert api.get("/returns/choices").json()["checks"] == ["Powers on"]
    assert set(Event.objects.filter(kind__startswith="returns.").values_list("kind", flat=True)) == {
        "returns.slip_edited",
        "returns.checks_edited",
    }


def test_rows_are_changed_by_their_ids_put_in_order_and_added(api):
    made = api.patch(PATH, {"reasons": [{"text": "Broken"}, {"text": "Wrong"}, {"text": "Late"}]}).json()["reasons"]
    broken, wrong, late = (row["id"] for row in made)
    body = {
        "reasons": [
            {"id": wrong, "text": "Wrong item", "is_for_customers": False},
            {"text": "New"},
            {"id": broken, "text": "Broken", "is_archived": True},
        ]
    }
    rows = api.patch(PATH, body).json()["reasons"]
    assert [(r["text"], r["is_for_customers"], r["is_archived"]) for r in rows] == [
        ("Wrong item", False, False),
        ("New", True, False),
        ("Broken", True, True),
        ("Late", True, False),
    ]
    assert (rows[0]["id"], rows[2]["id"], rows[3]["id"]) == (wrong, broken, late)
    assert api.get("/returns/choices").json()["reasons"] == ["Wrong item", "New", "Late"]


@pytest.mark.parametrize(
    ("reasons", "status", "told"),
    [
        ([{"text": "A"}, {"text": "a"}], 422, "duplicate"),
        ([{"text": "Broken"}], 422, "duplicate"),
        (
            [{"text": "A", "is_archived": True}, {"id": "broken", "text": "Broken", "is_archived": True}],
            422,
            "none_left",
        ),
        ([{"text": " "}], 422, "invalid"),
        ([{"text": "A\u202eB"}], 422, "invalid"),
        ([{"id": 999_999, "text": "A"}], 422, "invalid"),
        ([{"id": "broken", "text": "A"}, {"id": "broken", "text": "B"}], 422, "invalid"),
        ([{"text": "x" * 81}], 400, "invalid"),
        ([{"text": f"Reason {n}"} for n in range(51)], 400, "invalid"),
        ([{"text": f"Reason {n}"} for n in range(50)], 422, "too_many"),
        ([{"id": "broken"}], 400, "invalid"),
    ],
)
def test_an_invalid_list_is_refused_and_nothing_changes(api, reasons, status, told):
    api.patch(PATH, {"reasons": [{"text": "Broken"}]})
    pk = ReturnReason.objects.get().pk
    body = [row | {"id": pk} if row.get("id") == "broken" else row for row in reasons]
    before = api.get(PATH).json()
    answer = api.patch(PATH, {"address": "Dock 4", "reasons": body})
    assert (answer.status_code, answer.json()["code"]) == (status, told), answer.json()
    assert api.get(PATH).json() == before


def test_another_organization_s_rows_are_none_of_those(api, charlie):
    pk = api.patch(PATH, {"reasons": [{"text": "Broken"}]}).json()["reasons"][0]["id"]
    answer = Caller(key_of(charlie)).patch(PATH, {"reasons": [{"id": pk, "text": "Mine"}]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reasons[0].id")
    assert ReturnReason.objects.get().name == "Broken"


def test_devices_leave_the_queue_once_their_label_is_recorded(api, received):
    serials = [device.serial_number for device in received]
    listed = api.get("/label-queue").json()["results"]
    assert {row["device"]["serial_number"] for row in listed} == set(serials)
    answer = api.post("/label-queue/done", {"devices": serials[:1]})
    assert (answer.status_code, answer.json()["done"]) == (200, 1)
    again = api.post("/label-queue/done", {"devices": ["NOSUCH", serials[0]]}).json()
    assert (again["done"], [row["code"] for row in again["results"]]) == (0, ["not_found", "not_in_queue"])
    assert [row["device"]["serial_number"] for row in api.get("/label-queue").json()["results"]] == serials[1:]
    assert api.get("/label-queue", q=serials[0]).json()["results"] == []
    assert Event.objects.filter(kind="device.label_replaced").count() == 1


def test_another_organization_has_no_part_in_the_queue(received, charlie):
    stranger = Caller(key_of(charlie))
    assert stranger.get("/label-queue").json()["results"] == []
    answer = stranger.post("/label-queue/done", {"named_by": "id", "devices": [str(received[0].pk)]})
    assert (answer.json()["done"], [row["code"] for row in answer.json()["results"]]) == (0, ["not_found"])
    assert Return.objects.filter(needs_label=True).count() == 2


def test_receiving_is_taken_back_as_an_operation(api, make_devices, customer, alice):
    (device,) = make_devices(1)
    ownership.assign([device.pk], customer=customer, by=factories.actor_of(alice))
    answer = api.post("/returns/receive", {"devices": [device.serial_number], "reason": "Defective"})
    pk = answer.json()["id"]
    assert (answer.status_code, answer.json()["done"]) == (202, True)
    assert Device.objects.get().status == DeviceStatus.RETURNED
    answer = api.post(f"/operations/{pk}/undo")
    assert answer.status_code == 202, answer.json()
    undone = Device.objects.get()
    assert (undone.status, undone.customer) == (DeviceStatus.OWNED, customer)
    assert api.post(f"/operations/{pk}/undo").status_code == 409


def test_receiving_is_taken_back_with_its_own_scope_only(api, received, alice):
    pk = Return.objects.first().operation_id
    narrow = Caller(key_of(alice, "view", "device.assign", "device.unclaim"))
    assert narrow.post(f"/operations/{pk}/undo").status_code == 403
    assert set(Device.objects.values_list("status", flat=True)) == {DeviceStatus.RETURNED}


def test_a_long_point_of_the_checklist_can_be_edited_in_the_console_too(alice, organization, client):
    text = "x" * 160
    Caller(key_of(alice)).patch("/return-settings", {"checks": [{"text": text}]})
    client.force_login(alice, "allauth.account.auth_backends.AuthenticationBackend")
    answer = forms.edit(client, "/settings/returns/", part="checks", **{"check-0-text": text[1:]})
    assert answer.status_code == 302
    assert text[1:] in ReturnCheck.objects.filter(organization=organization).values_list("text", flat=True)


def test_changes_by_another_call_in_the_meantime_stay(alice, organization, monkeypatch):
    """What a call leaves out is read under the lock; the other call comes just before it."""
    api = Caller(key_of(alice))
    first, *_rest = api.patch("/return-settings", {"reasons": [{"text": "A"}]}).json()["reasons"]
    hold = return_settings.hold

    def meanwhile(organization):
        monkeypatch.setattr(return_settings, "hold", hold)
        ReturnReason.objects.filter(pk=first["id"]).update(is_for_customers=False)
        hold(organization)

    monkeypatch.setattr(return_settings, "hold", meanwhile)
    found = api.patch("/return-settings", {"reasons": [{"text": "B"}]}).json()["reasons"]
    assert {row["text"]: row["is_for_customers"] for row in found if row["text"] in "AB"} == {"A": False, "B": True}


def test_a_reason_may_look_like_a_number_of_ours(alice, organization):
    api = Caller(key_of(alice))
    made = api.patch("/return-settings", {"reasons": [{"text": "A"}]}).json()["reasons"][0]
    sent = [{"id": made["id"], "text": "A"}, {"text": f"#{made['id']}#"}]
    assert api.patch("/return-settings", {"reasons": sent}).status_code == 200
