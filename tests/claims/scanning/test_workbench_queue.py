"""A scan that the workbench resends is packed once, whatever happened meanwhile; refusals say what to do next."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from claims.models import Shipment, ShipmentScan, ShipmentUnit
from claims.returns.actions import returns
from claims.scanning import next_steps
from claims.scanning import queue as scan_queue
from claims.scanning.answers import Answer
from claims.shipments import packing
from claims.shipments.actions import contents, shipments, shipping
from devices import ledger
from devices.actions import ownership
from devices.models import Device
from tests import processes
from tests.claims.worlds import make_many_devices
from tests.html import tight

pytestmark = pytest.mark.django_db
TOKEN = "0k3f9a1b2c"


@pytest.fixture
def shipment(customer, by):
    return shipments.create(customer=customer, lines={}, by=by)


def said(answers):
    return [(answer.code, answer.text) for answer in answers]


def send(client, shipment, by, *scans, **more):
    form = {"queued": [f"{token} {text}" for token, text in scans], "person": scan_queue.person(by), **more}
    headers = {"HX-Request": "true", "HX-Target": "workbench-content", "Accept": "text/html, application/json"}
    return client.post(reverse("claims:shipment_pack", args=[shipment.pk]), form, headers=headers)


def handled(answer):
    return re.search(r'data-handled="([^"]*)"', answer.content.decode())[1]


def test_a_resent_scan_gets_the_first_answer_and_packs_nothing(shipment, device, by):
    first = contents.scan_once(shipment, {TOKEN: device.serial_number}, by=by)
    again = contents.scan_once(shipment, {TOKEN: device.serial_number}, by=by)
    assert said(first) == said(again) == [("added", f"{device.serial_number} added, Aqua Meter.")]
    shipment.refresh_from_db()
    assert (shipment.unit_count, ShipmentScan.objects.count()) == (1, 1)


def test_a_resent_scan_does_not_pack_a_device_taken_out_meanwhile(shipment, device, by):
    contents.scan_once(shipment, {TOKEN: device.serial_number}, by=by)
    contents.unpack(shipment, [device.pk], by=by)
    assert [a.code for a in contents.scan_once(shipment, {TOKEN: device.serial_number}, by=by)] == ["added"]
    assert not shipment.units.exists()
    # A new scan of it has a new id.
    contents.scan_once(shipment, {"another0": device.serial_number}, by=by)
    assert shipment.units.get().device == device


def test_a_refused_scan_is_checked_again(shipment, device, by):
    ledger.set_status([device.pk], frm=["in_stock"], to="returned")
    assert [a.code for a in contents.scan_once(shipment, {TOKEN: device.serial_number}, by=by)] == ["in_quarantine"]
    ledger.set_status([device.pk], frm=["returned"], to="in_stock")
    assert [a.code for a in contents.scan_once(shipment, {TOKEN: device.serial_number}, by=by)] == ["added"]


def test_a_resent_scan_is_answered_after_shipping_but_a_late_one_is_refused(shipment, make_devices, by):
    packed, late = make_devices(2)
    contents.scan_once(shipment, {TOKEN: packed.serial_number}, by=by)
    shipping.ship(shipment, by=by)
    sent = {TOKEN: packed.serial_number, "too0late": late.serial_number}
    answers = contents.scan_once(Shipment.objects.get(pk=shipment.pk), sent, by=by)
    assert [(a.code, a.scanned) for a in answers] == [("added", packed.serial_number), ("not_open", late.serial_number)]
    assert Device.objects.get(pk=late.pk).status == "in_stock"


def test_a_device_scanned_twice_in_one_call_is_packed_once(shipment, device, by):
    sent = {"first000": device.serial_number, "second00": device.device_name}
    assert [a.code for a in contents.scan_once(shipment, sent, by=by)] == ["added", "already_here"]
    assert ShipmentScan.objects.get().token == "first000"


def test_the_same_id_in_another_shipment_is_another_scan(shipment, customer, make_devices, by):
    one, two = make_devices(2)
    other = shipments.create(customer=customer, lines={}, by=by)
    contents.scan_once(shipment, {TOKEN: one.serial_number}, by=by)
    contents.scan_once(other, {TOKEN: two.serial_number}, by=by)
    assert (shipment.units.get().device, other.units.get().device) == (one, two)


def test_scan_ids_are_kept_for_thirty_days(shipment, make_devices, by):
    old, new = make_devices(2)
    now = timezone.now()
    contents.scan_once(shipment, {"older000": old.serial_number}, by=by, at=now - timedelta(days=31))
    contents.scan_once(shipment, {"newer000": new.serial_number}, by=by, at=now - timedelta(days=29))
    assert contents.delete_old_scans() == 1
    assert ShipmentScan.objects.get().token == "newer000"


# Pages


def test_the_answer_lists_the_scans_that_the_server_has(staff_client, shipment, device, by):
    answer = send(
        staff_client, shipment, by, (TOKEN, device.serial_number), ("unknown0", "NOBODY-1"), ("BAD token", "X")
    )
    assert handled(answer) == f"{TOKEN} unknown0"
    page = answer.content.decode()
    assert f"{device.serial_number} added, Aqua Meter." in page
    assert 'data-scanned="NOBODY-1"' in page
    assert f'data-scanned="{device.serial_number}"' not in page
    assert 'href="/search/?q=NOBODY-1"' in page


def test_queued_scans_are_not_sent_in_another_persons_name(staff_client, client_for, bob, shipment, device, by):
    packer = client_for("fulfilment")
    answer = send(packer, shipment, by, (TOKEN, device.serial_number))
    assert (answer.status_code, answer.json()["code"]) == (409, "another_person")
    assert not ShipmentUnit.objects.exists()
    workbench = packer.post(
        "/returns/workbench/",
        {"queued": [f"{TOKEN} {device.serial_number}"], "person": scan_queue.person(by)},
        headers={"HX-Request": "true", "Accept": "application/json"},
    )
    assert (workbench.status_code, workbench.json()["code"]) == (409, "another_person")


def test_a_scan_after_the_session_ended_is_not_handled(staff_client, shipment, device, by):
    staff_client.logout()
    answer = send(staff_client, shipment, by, (TOKEN, device.serial_number))
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"].startswith("/account/login/?next=")
    assert not ShipmentUnit.objects.exists()


def test_a_busy_shipment_leaves_the_scan_in_the_browser(staff_client, shipment, device, by, monkeypatch):
    from console.errors import Refused

    def busy(*_args, **_named):
        raise Refused("busy", "Somebody else changed this.")

    monkeypatch.setattr(contents, "scan_once", busy)
    answer = send(staff_client, shipment, by, (TOKEN, device.serial_number))
    assert (answer.status_code, answer.json()["code"]) == (409, "busy")


def test_queued_scans_are_put_on_the_return_workbench(staff_client, by, customer, make_devices):
    units = make_devices(3)
    ownership.assign([unit.pk for unit in units], customer=customer, by=by)
    form = {
        "queued": [f"{TOKEN} {units[1].serial_number}", "next0000 NOBODY-1", f"more0000 {units[2].serial_number}"],
        "person": scan_queue.person(by),
        "ids": str(units[0].pk),
    }
    answer = staff_client.post("/returns/workbench/", form, headers={"HX-Request": "true"})
    assert answer.context["workbench"].ids == [units[2].pk, units[1].pk, units[0].pk]
    assert handled(answer) == f"{TOKEN} next0000 more0000"
    assert [a.scanned for a in answer.context["workbench"].answers if a.stays] == ["NOBODY-1"]


def test_a_restored_workbench_leaves_out_devices_received_meanwhile(staff_client, by, customer, make_devices):
    received, left = make_devices(2)
    ownership.assign([received.pk, left.pk], customer=customer, by=by)
    returns.begin_receive([received.pk], reason="Defective", by=by)
    form = {"ids": f"{received.pk},{left.pk}", "restore": "1"}
    workbench = staff_client.post("/returns/workbench/", form, headers={"HX-Request": "true"}).context["workbench"]
    assert (workbench.ids, [line.device for line in workbench.lines]) == ([left.pk], [left])
    # Scanned by hand, the device appears with the reason why it can't be received.
    workbench = staff_client.post("/returns/workbench/", {"scan": received.serial_number}).context["workbench"]
    assert workbench.lines[0].verdict.code == "in_quarantine"


def test_an_up_to_date_page_gets_204_and_an_outdated_one_the_counts_and_devices(
    staff_client, shipment, make_devices, by
):
    one, two = make_devices(2)
    contents.pack(shipment, [one], by=by)
    url = reverse("claims:shipment_pack", args=[shipment.pk])
    poll = {"HX-Request": "true", "HX-Target": "counts"}
    version = staff_client.get(url).context["version"]
    assert staff_client.get(url, {"seen": version}, headers=poll).status_code == 204
    contents.pack(shipment, [two], by=by)
    page = staff_client.get(url, {"seen": version}, headers=poll).content.decode()
    assert "2 devices packed" in page and two.serial_number in page.split('id="newest"')[1]
    assert "<html" not in page


# What to do next


def steps(answers, actor, shipment):
    return {
        each.code: [(step.label, step.url, step.take_out) for step in each.steps]
        for each in next_steps.offered(answers, actor, shipment)
    }


def test_each_refusal_links_to_possible_next_steps(
    shipment, product, make_devices, customer, other_customer, organization, by
):
    owned, back, scrapped, elsewhere = make_devices(4)
    ownership.assign([owned.pk, back.pk], customer=other_customer, by=by)
    returns.begin_receive([back.pk], reason="Defective", by=by)
    came_back = back.returns.get()
    ledger.set_status([scrapped.pk], frm=["in_stock"], to="scrapped")
    other = shipments.create(customer=customer, lines={}, by=by)
    contents.pack(other, [elsewhere], by=by)
    texts = [unit.serial_number for unit in (owned, back, scrapped, elsewhere)] + ["NO BODY&1", came_back.code]
    answers = contents.scan(shipment, texts, by=by)
    assert steps(answers, by, shipment) == {
        "already_owned": [("Unclaim…", f"/devices/unclaim/?ids={owned.pk}", None)],
        "in_quarantine": [("Inspect…", f"/returns/inspect/?ids={came_back.pk}", None)],
        "scrapped": [("Open device", f"/devices/{scrapped.pk}/", None)],
        "reserved": [("Remove from S-00002", f"/shipments/{other.pk}/unpack/", elsewhere.pk)],
        "unknown": [("Search", "/search/?q=NO+BODY%261", None)],
        "a_return": [("Open R-00001", f"/returns/{came_back.pk}/", None)],
    }


def test_a_step_is_only_offered_to_people_who_may_take_it(shipment, make_devices, other_customer, by, actor):
    (owned, back) = make_devices(2)
    ownership.assign([owned.pk], customer=other_customer, by=by)
    ledger.set_status([back.pk], frm=["in_stock"], to="returned")
    answers = contents.scan(shipment, [owned.serial_number, back.serial_number], by=by)
    assert steps(answers, actor("fulfilment"), shipment) == {
        "already_owned": [("Open device", f"/devices/{owned.pk}/", None)],
        "in_quarantine": [("Open device", f"/devices/{back.pk}/", None)],
    }


def test_removing_a_device_is_not_offered_if_its_box_has_left(customer, shipment, device, by):
    box = shipments.create(customer=customer, lines={}, by=by, is_claimed_by_code=True)
    contents.pack(box, [device], by=by)
    shipping.send(box, by=by)
    answers = contents.scan(shipment, [device.serial_number], by=by)
    assert steps(answers, by, shipment) == {"reserved": [("Open S-00002", f"/shipments/{box.pk}/", None)]}


def test_removing_a_device_from_the_other_shipment_works_without_javascript(
    staff_client, customer, shipment, device, by
):
    other = shipments.create(customer=customer, lines={}, by=by)
    contents.pack(other, [device], by=by)
    url = reverse("claims:shipment_pack", args=[shipment.pk])
    page = tight(staff_client.post(url, {"scan": device.serial_number}))
    button = re.search(r'formaction="([^"]+)" name="device" value="(\d+)" data-take-out', page)
    assert f"Removed {device.serial_number}." in staff_client.post(button[1], {"device": button[2]}).content.decode()
    assert f"{device.serial_number} added" in staff_client.post(url, {"scan": device.serial_number}).content.decode()


def test_passing_answers_are_not_kept_in_the_list():
    for code in ("added", "already_here", "on_workbench", "unfit", "keyboard"):
        assert Answer(packing.WARN, code, "", scanned="X").stays is False
    assert Answer(packing.WARN, "owned_already", "", scanned="X").stays is True
    assert Answer(packing.BAD, "no_code", "").stays is False


# Concurrent scans


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_a_scan_sent_eight_times_at_once_is_packed_and_logged_once(customer, product, by):
    shipment = shipments.create(customer=customer, lines={}, by=by)
    (pk,) = make_many_devices(product, 1)
    text = Device.objects.get(pk=pk).serial_number
    found = processes.run(8, lambda n: n, lambda _n: said(contents.scan_once(shipment, {TOKEN: text}, by=by)))
    assert found == [[("added", f"{text} added, Aqua Meter.")]] * 8
    shipment.refresh_from_db()
    assert (shipment.unit_count, ShipmentScan.objects.count()) == (1, 1)


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_without_stored_scan_ids_repeated_scans_get_another_answer(customer, product, by, monkeypatch):
    """The negative control: the ids are deleted as soon as they are written."""
    monkeypatch.setattr(ShipmentScan.objects, "bulk_create", lambda *_args, **_named: None)
    shipment = shipments.create(customer=customer, lines={}, by=by)
    (pk,) = make_many_devices(product, 1)
    text = Device.objects.get(pk=pk).serial_number
    found = processes.run(4, lambda n: n, lambda _n: said(contents.scan_once(shipment, {TOKEN: text}, by=by)))
    assert sorted(each[0][0] for each in found) == ["added", *["already_here"] * 3]
