"""Devices that come back: received, inspected, restocked; their labels, and the undo."""

from datetime import timedelta

import pytest
from django.utils import timezone

from claims.models import ClaimCode, Return, Shipment
from claims.profiles import printed
from claims.redemption import offers
from claims.returns.actions import inspection as return_inspection
from claims.returns.actions import receipt_undo as return_undo
from claims.returns.actions import returns
from claims.returns.actions.inspection import Findings
from console.errors import Refused
from console.models import Event, Operation
from customers.projects.actions import projects
from devices import ledger
from devices.actions import ownership
from devices.acts import Act
from devices.models import Device, Ownership, SharedAccess
from tests import factories
from tests.claims.worlds import make_unit_profile

pytestmark = pytest.mark.django_db
FOUND = Findings("b", "", [{"text": "Powers on", "is_ok": True}])


def ids(devices):
    return [device.pk for device in devices]


def status(device):
    return Device.objects.get(pk=device.pk).status


def test_receiving_ends_the_ownership_and_puts_the_devices_in_quarantine(owned_devices, customer, by_bob):
    operation = returns.begin_receive(ids(owned_devices), reason="Defective", note="box wet", by=by_bob)
    assert (operation.state, operation.succeeded, operation.refused) == ("done", 3, 0)
    for device in owned_devices:
        span = Ownership.objects.get(device=device)
        assert (span.end_reason, span.end_note, span.end_evidence, span.ended_by) == (
            "return",
            "Defective: box wet",
            f"operation:{operation.pk}",
            "Bob Adeyemi",
        )
        fresh = Device.objects.get(pk=device.pk)
        assert (fresh.status, fresh.customer, fresh.wipe_asked_at is None) == ("returned", None, False)
    rows = list(Return.objects.order_by("number"))
    assert [row.code for row in rows] == ["R-00001", "R-00002", "R-00003"]
    assert {(r.state, r.reason, r.note, r.customer, r.received_by) for r in rows} == {
        ("received", "Defective", "box wet", customer, "Bob Adeyemi")
    }
    told = Event.objects.filter(kind="device.returned")
    assert {(e.subject_id, e.object_label, e.actor_label) for e in told} == {
        (d.pk, "Stadtwerke Aalen", "Bob Adeyemi") for d in owned_devices
    }


def test_receiving_invalidates_the_label_and_queues_the_device_for_a_new_one(owned_devices, product, by_bob):
    make_unit_profile(product)
    old = printed.label(ClaimCode.objects.get(device=owned_devices[0]))
    returns.begin_receive([owned_devices[0].pk], reason="Defective", by=by_bob)
    assert offers.find(old.typed) is None
    assert list(Return.objects.filter(needs_label=True).values_list("device", flat=True)) == [owned_devices[0].pk]
    assert returns.labels_printed(ids(owned_devices), by=by_bob) == 1
    assert not Return.objects.filter(needs_label=True).exists()
    assert Event.objects.get(kind="device.label_printed").subject_id == owned_devices[0].pk


def test_a_device_without_a_code_needs_no_label(owned_devices, by_bob):
    returns.begin_receive([owned_devices[0].pk], reason="Defective", by=by_bob)
    assert Return.objects.get().needs_label is False


def test_the_owner_gets_one_email_in_their_language(owned_devices, customer, dana, by_bob, mailoutbox):
    type(dana).objects.filter(pk=dana.pk).update(language="de")
    returns.begin_receive(ids(owned_devices), reason="Defective", by=by_bob)
    [mail] = mailoutbox
    assert (mail.to, mail.subject) == (["dana@aalen.example"], "Northlake hat 3 Ihrer Geräte erhalten")
    assert all(device.serial_number in mail.body for device in owned_devices)


def test_a_customer_without_people_is_emailed_at_its_own_address(owned_devices, customer, by_bob, mailoutbox):
    type(customer).objects.filter(pk=customer.pk).update(email="office@aalen.example")
    returns.begin_receive(ids(owned_devices), reason="Defective", by=by_bob)
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [
        (["office@aalen.example"], "Northlake has received 3 of your devices")
    ]


def test_devices_that_cannot_be_received_are_refused_individually(owned_devices, make_devices, foreign_device, by_bob):
    stock, scrapped, reserved, archived = make_devices(4)
    ledger.set_status([scrapped.pk], frm=["in_stock"], to="scrapped")
    ledger.set_status([reserved.pk], frm=["in_stock"], to="reserved")
    Device.objects.filter(pk=archived.pk).update(archived_at=timezone.now())
    returns.begin_receive([owned_devices[0].pk], reason="Defective", by=by_bob)
    wanted = ids([*owned_devices, stock, scrapped, reserved, archived, foreign_device])
    operation = returns.begin_receive(wanted, reason="Upgrade", by=by_bob)
    assert operation.succeeded == 2
    assert list(operation.rows.order_by("position").values_list("position", "label", "code")) == [
        (1, owned_devices[0].serial_number, "in_quarantine"),
        (4, stock.serial_number, "not_owned"),
        (5, scrapped.serial_number, "scrapped"),
        (6, reserved.serial_number, "reserved"),
        (7, archived.serial_number, "archived"),
        (8, "?", "not_found"),
    ]
    assert [status(d) for d in (stock, scrapped, reserved)] == ["in_stock", "scrapped", "reserved"]
    assert Return.objects.count() == 3


def test_an_unowned_device_is_received_on_request_and_its_label_is_invalidated_too(device, product, by_bob):
    make_unit_profile(product)
    old = printed.label(ClaimCode.objects.get(device=device))
    operation = returns.begin_receive([device.pk], reason="Other", anyway=[device.pk], by=by_bob)
    assert (operation.succeeded, status(device)) == (1, "returned")
    row = Return.objects.get()
    assert (row.customer, row.status_before, row.needs_label) == (None, "in_stock", True)
    assert offers.find(old.typed) is None
    assert Event.objects.get(kind="device.quarantined").subject_id == device.pk
    return_undo.begin(operation, by=by_bob)
    assert (status(device), Return.objects.get().state) == ("in_stock", "cancelled")


def test_receiving_needs_a_reason(owned_devices, by_bob):
    with pytest.raises(Refused) as caught:
        returns.begin_receive(ids(owned_devices), reason="", by=by_bob)
    assert (caught.value.code, caught.value.status) == ("reason_missing", 422)
    assert not Return.objects.exists()
    assert not Operation.objects.exists()
    assert {status(d) for d in owned_devices} == {"owned"}


def test_white_space_is_not_a_reason(owned_devices, by_bob):
    with pytest.raises(Refused) as caught:
        returns.begin_receive(ids(owned_devices), reason=" \n ", by=by_bob)
    assert caught.value.code == "reason_missing"
    assert {status(d) for d in owned_devices} == {"owned"}


def test_receiving_advances_a_customers_request_and_keeps_its_reason(owned_devices, customer, dana, by_bob):
    asked = returns.request(
        owned_devices[0], customer=customer, reason="Wrong item", note="too small", by=factories.actor_of(dana)
    )
    assert status(owned_devices[0]) == "owned"
    operation = returns.begin_receive([owned_devices[0].pk], reason="", by=by_bob)
    asked.refresh_from_db()
    assert (asked.state, asked.reason, asked.customer_note, asked.operation) == (
        "received",
        "Wrong item",
        "too small",
        operation,
    )
    assert Return.objects.count() == 1
    assert Ownership.objects.get(device=owned_devices[0]).end_note == "Wrong item"


def test_a_request_ends_with_the_ownership_it_is_based_on(owned_devices, customer, dana, by_bob):
    asked = returns.request(owned_devices[0], customer=customer, reason="Upgrade", by=factories.actor_of(dana))
    ownership.unclaim([owned_devices[0].pk], reason="sold", by=by_bob)
    asked.refresh_from_db()
    assert (asked.state, asked.closed_by) == ("cancelled", "Bob Adeyemi")
    assert Event.objects.filter(kind="device.return_cancelled", subject_id=owned_devices[0].pk).count() == 1


def test_support_may_receive_fifty_devices_an_hour_including_unclaims(make_devices, customer, actor, alice, by_bob):
    devices = make_devices(51)
    ownership.assign(ids(devices), customer=customer, by=actor(alice))
    ownership.unclaim(ids(devices[:1]), reason="sold", by=by_bob)
    returns.begin_receive(ids(devices[1:40]), reason="Upgrade", by=by_bob)
    with pytest.raises(Refused) as caught:
        returns.begin_receive(ids(devices[40:]), reason="Upgrade", by=by_bob)
    assert (caught.value.code, caught.value.status) == ("unclaim_limit", 403)
    assert {status(d) for d in devices[40:]} == {"owned"}
    assert Return.objects.count() == 39
    returns.begin_receive(ids(devices[40:50]), reason="Upgrade", by=by_bob)
    with pytest.raises(Refused):
        ownership.unclaim(ids(devices[50:]), reason="one too many", by=by_bob)
    assert returns.begin_receive(ids(devices[50:]), reason="Upgrade", by=actor(alice)).succeeded == 1


def test_the_undo_restores_the_same_spans_and_shares(owned_devices, customer, other_customer, dana, by_bob, mailoutbox):
    ledger.share(
        [owned_devices[0].pk],
        Act(by_bob),
        customer=other_customer,
        project=projects.default_of(other_customer),
        reason="claim",
    )
    asked = returns.request(owned_devices[1], customer=customer, reason="Upgrade", by=factories.actor_of(dana))
    said = [field.attname for field in Ownership._meta.concrete_fields if field.name != "change"]
    before = list(Ownership.objects.order_by("pk").values(*said))
    operation = returns.begin_receive(ids(owned_devices), reason="Defective", by=by_bob)
    assert SharedAccess.objects.get().ended_at is not None
    undo = return_undo.begin(operation, by=by_bob)
    assert (undo.succeeded, undo.refused) == (3, 0)
    assert list(Ownership.objects.order_by("pk").values(*said)) == before
    assert SharedAccess.objects.get().ended_at is None
    fresh = Device.objects.get(pk=owned_devices[0].pk)
    assert (fresh.status, fresh.customer, fresh.wipe_asked_at) == ("owned", customer, None)
    assert sorted(Return.objects.values_list("state", flat=True)) == ["cancelled", "cancelled", "requested"]
    asked.refresh_from_db()
    assert (asked.state, asked.received_at) == ("requested", None)
    assert Event.objects.filter(kind="device.return_undone").count() == 3
    assert [mail.subject for mail in mailoutbox] == [
        "Northlake has received 3 of your devices",
        "Correction from Northlake: your device is still yours",
    ]
    with pytest.raises(Refused) as caught:
        return_undo.begin(operation, by=by_bob)
    assert caught.value.code == "undone_already"


def test_the_undo_leaves_devices_inspected_since_alone(owned_devices, by_bob):
    operation = returns.begin_receive(ids(owned_devices), reason="Defective", by=by_bob)
    row = Return.objects.get(device=owned_devices[0])
    return_inspection.inspect([row.pk], FOUND, by=by_bob)
    preview = return_undo.preview(operation, shown=10)
    assert (preview["fit"], [(str(s), n) for s, n in preview["unfit"]]) == (2, [("It has been inspected since.", 1)])
    undo = return_undo.begin(operation, by=by_bob)
    assert (undo.succeeded, list(undo.rows.values_list("label", "code"))) == (
        2,
        [(owned_devices[0].serial_number, "inspected")],
    )
    assert status(owned_devices[0]) == "returned"


def test_the_undo_is_refused_after_fifteen_minutes(owned_devices, by_bob):
    operation = returns.begin_receive(ids(owned_devices), reason="Defective", by=by_bob)
    with pytest.raises(Refused) as caught:
        return_undo.begin(operation, by=by_bob, at=timezone.now() + timedelta(minutes=15, seconds=1))
    assert caught.value.code == "undo_too_late"
    assert {status(d) for d in owned_devices} == {"returned"}


def test_the_undo_skips_devices_of_an_archived_owner(owned_devices, customer, by_bob):
    operation = returns.begin_receive(ids(owned_devices), reason="Defective", by=by_bob)
    type(customer).objects.filter(pk=customer.pk).update(archived_at=timezone.now())
    undo = return_undo.begin(operation, by=by_bob)
    assert (undo.succeeded, undo.refused) == (0, 3)
    assert {row.code for row in undo.rows.all()} == {"customer_archived"}
    assert set(Return.objects.values_list("state", flat=True)) == {"received"}


def test_a_device_in_quarantine_cannot_be_assigned(owned_devices, other_customer, by_bob, actor, alice):
    returns.begin_receive([owned_devices[0].pk], reason="Defective", by=by_bob)
    outcome = ownership.assign([owned_devices[0].pk], customer=other_customer, by=actor(alice))
    assert (outcome.done, [r.code for r in outcome.refused]) == ([], ["in_quarantine"])
    row = Return.objects.get()
    refused = return_inspection.inspect([row.pk], Findings(), decision="restocked", by=by_bob)
    assert (refused.done, [r.code for r in refused.refused]) == ([], ["not_inspected"])
    assert status(owned_devices[0]) == "returned"


@pytest.mark.parametrize(
    ("decision", "after", "kind"),
    [
        ("restocked", "in_stock", "device.restocked"),
        ("refurbished", "in_stock", "device.refurbished"),
        ("scrapped", "scrapped", "device.scrapped"),
    ],
)
def test_an_inspected_device_is_restocked_refurbished_or_scrapped(owned_devices, by_bob, decision, after, kind):
    returns.begin_receive([owned_devices[0].pk], reason="Defective", by=by_bob)
    row = Return.objects.get()
    return_inspection.inspect([row.pk], FOUND, by=by_bob)
    row.refresh_from_db()
    assert (row.state, row.grade, row.checks, row.inspected_by) == ("inspected", "b", FOUND.checks, "Bob Adeyemi")
    outcome = return_inspection.inspect([row.pk], Findings(), decision=decision, by=by_bob)
    assert outcome.done == [row.pk]
    row.refresh_from_db()
    assert (row.state, row.closed_by, status(owned_devices[0])) == (decision, "Bob Adeyemi", after)
    assert Event.objects.get(kind=kind).subject_id == owned_devices[0].pk
    again = return_inspection.inspect([row.pk], FOUND, decision="scrapped", by=by_bob)
    assert [r.code for r in again.refused] == ["is_over"]
    assert status(owned_devices[0]) == after


def test_a_bulk_inspection_handles_each_return_individually(owned_devices, customer, dana, by_bob):
    asked = returns.request(owned_devices[2], customer=customer, reason="Upgrade", by=factories.actor_of(dana))
    returns.begin_receive(ids(owned_devices[:2]), reason="Defective", by=by_bob)
    every = list(Return.objects.values_list("pk", flat=True))
    operation = return_inspection.begin(every, FOUND, decision="restocked", by=by_bob)
    assert (operation.succeeded, operation.sentence) == (2, "2 devices inspected.")
    assert list(operation.rows.values_list("label", "code")) == [(asked.device.serial_number, "not_received")]
    assert [status(d) for d in owned_devices] == ["in_stock", "in_stock", "owned"]


def test_a_return_knows_the_shipment_the_device_came_with(owned_devices, customer, by_bob, organization, make_devices):
    shipment = Shipment.objects.create(
        organization=organization,
        number=1,
        customer=customer,
        created_by="Alice",
        state="shipped",
        shipped_at=timezone.now(),
    )
    unit = make_devices(1)[0]
    ledger.assign(
        [unit.pk],
        Act(by_bob, evidence=f"shipment:{shipment.pk}"),
        customer=customer,
        project=projects.default_of(customer),
        reason="shipment",
    )
    returns.begin_receive(ids([unit, owned_devices[0]]), reason="Defective", by=by_bob)
    assert list(returns.of_shipment(shipment).values_list("device", flat=True)) == [unit.pk]
    assert Return.objects.get(device=owned_devices[0]).shipment is None


def test_the_worker_receives_more_than_two_hundred(make_devices, customer, actor, alice):
    from console import operations
    from tests.claims.worlds import make_many_devices

    many = make_many_devices(make_devices(1)[0].product, 201)
    ownership.assign(many, customer=customer, by=actor(alice))
    operation = returns.begin_receive(many, reason="Upgrade", by=actor(alice))
    assert operation.state == "waiting"
    operations.run(operation.pk)
    operation.refresh_from_db()
    assert (operation.state, operation.succeeded) == ("done", 201)
    assert Return.objects.filter(state="received").count() == 201
