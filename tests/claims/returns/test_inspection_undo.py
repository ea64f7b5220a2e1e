"""Undoing an inspection: once, within 15 minutes, device by device, unless something happened since."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from claims.models import Return
from claims.returns.actions import inspection as return_inspection
from claims.returns.actions import inspection_undo, returns
from claims.returns.actions.inspection import Findings
from claims.shipments.actions import contents, shipments
from console.errors import Refused
from console.models import Event, Operation
from devices.actions import devices as device_actions
from devices.actions import ownership
from devices.models import Device
from tests.api import Caller, key_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def received(make_devices, customer, by):
    """Returns of three devices in quarantine, the last of which was already inspected."""
    devices = make_devices(3)
    ownership.assign([d.pk for d in devices], customer=customer, by=by)
    returns.receive([d.pk for d in devices], reason="Defective", by=by, note="box wet")
    rows = list(Return.objects.order_by("pk"))
    return_inspection.inspect([rows[2].pk], Findings("c", "scratched", [{"text": "Whole", "is_ok": False}]), by=by)
    return list(Return.objects.order_by("pk"))


def inspect(rows, by, decision="scrapped", grade="b"):
    return return_inspection.begin([row.pk for row in rows], Findings(grade, "clean"), decision=decision, by=by)


def state():
    rows = Return.objects.order_by("pk").values()
    return list(rows), list(Device.objects.order_by("pk").values("pk", "status", "customer"))


@pytest.mark.parametrize("decision", ["restocked", "refurbished", "scrapped", ""])
def test_undoing_an_inspection_restores_everything(decision, received, by):
    before = state()
    operation = inspect(received, by, decision)
    assert state() != before
    assert inspection_undo.preview(operation, shown=50)["fit"] == 3
    done = inspection_undo.begin(operation, by=by)
    assert (done.succeeded, done.refused, done.sentence) == (3, 0, "3 devices are back in quarantine.")
    assert state() == before
    assert Event.objects.filter(kind="device.inspection_undone").count() == 3


def test_returns_that_changed_since_are_left_alone_with_the_reason(make_devices, received, customer, by):
    more = make_devices(2)
    ownership.assign([d.pk for d in more], customer=customer, by=by)
    returns.receive([d.pk for d in more], reason="Defective", by=by)
    rows = list(Return.objects.order_by("pk"))
    operation = inspect(rows, by, "restocked")
    ids = [row.device_id for row in rows]
    ownership.assign(ids[:2], customer=customer, by=by)
    ownership.unclaim([ids[1]], reason="moved", by=by)
    contents.pack(shipments.create(customer=customer, lines={}, by=by), [rows[2].device], by=by)
    returns.receive([ids[3]], reason="Defective", by=by, anyway=[ids[3]])
    device_actions.archive([ids[4]], by=by)
    before = state()
    said = [
        "It has an owner again.",
        "It has changed hands since.",
        "It has been packed in a shipment since.",
        "It has been returned again since.",
        "It has been archived since.",
    ]
    seen = inspection_undo.preview(operation, shown=50)
    assert [str(sentence) for _device, sentence in seen["rows"]] == said
    done = inspection_undo.begin(operation, by=by)
    assert (done.succeeded, list(done.rows.order_by("position").values_list("sentence", flat=True))) == (0, said)
    assert state() == before


def test_an_inspection_corrected_since_is_not_undone(received, by):
    operation = inspect(received[:1], by, "")
    inspect(received[:1], by, "", grade="d")
    before = state()
    done = inspection_undo.begin(operation, by=by)
    assert list(done.rows.values_list("code", flat=True)) == ["inspected_again"]
    assert state() == before


def test_an_inspection_can_be_undone_once_and_in_time(received, by):
    operation = inspect(received[:1], by)
    with pytest.raises(Refused) as refusal:
        inspection_undo.begin(operation, by=by, at=timezone.now() + timedelta(minutes=16))
    assert refusal.value.code == "undo_too_late"
    inspection_undo.begin(operation, by=by)
    with pytest.raises(Refused) as refusal:
        inspection_undo.begin(operation, by=by)
    assert refusal.value.code == "undone_already"


def test_the_page_offers_the_undo_and_shows_what_it_does(client_for, alice, received):
    client, row = client_for(alice), received[2]
    data = {"ids": row.pk, "grade": "b", "decision": "scrapped", **{f"check_{n}": "yes" for n in range(4)}}
    answer = client.post(reverse("claims:return_inspect"), data, follow=True)
    operation = Operation.objects.get(undo_route=return_inspection.UNDO)
    url = reverse("claims:return_inspect_undo", args=[operation.pk])
    assert answer.redirect_chain[-1][0] == row.get_absolute_url()
    assert f'Scrapped. <a href="{url}">Undo</a>' in answer.content.decode()
    assert (
        "You can undo this for 15 minutes."
        in client.get(reverse("claims:return_inspect") + f"?ids={received[0].pk}").content.decode()
    )
    assert "Undo the inspection of 1 device?" in client.get(url).content.decode()
    client.post(url)
    assert (Return.objects.get(pk=row.pk).state, Device.objects.get(pk=row.device_id).status) == (
        "inspected",
        "returned",
    )


def test_an_inspection_can_be_undone_over_the_api(received, by, alice):
    operation = inspect(received[:1], by)
    assert Caller(key_of(alice)).post(f"/operations/{operation.pk}/undo").status_code == 202
    assert Device.objects.get(pk=received[0].device_id).status == "returned"


def test_another_organization_cannot_undo_an_inspection(client_for, charlie, received, by):
    operation = inspect(received[:1], by)
    url = reverse("claims:return_inspect_undo", args=[operation.pk])
    assert client_for(charlie).post(url).status_code == 404
    assert Device.objects.get(pk=received[0].device_id).status == "scrapped"


def test_a_label_printed_since_is_not_needed_again(received, by):
    from tests.claims import worlds

    device = received[0].device
    worlds.make_unit_profile(device.product)
    Return.objects.filter(pk=received[0].pk).update(needs_label=True)
    operation = inspect(received[:1], by, "restocked")
    returns.labels_printed([device.pk], by=by)
    inspection_undo.begin(operation, by=by)
    assert Return.objects.get(pk=received[0].pk).needs_label is False
