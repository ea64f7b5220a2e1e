"""Undoing bulk assignments and unclaims: exactly, once, within 15 minutes, and device by device."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from claims.models import ClaimCode
from console import operations
from console.access import Permission
from console.errors import Refused
from console.models import Event, Operation
from customers.directory import actions as customers
from customers.projects.actions import projects
from devices import ledger
from devices.actions import ownership, undo
from devices.acts import Act
from devices.models import Device, Ownership, SharedAccess
from tests.claims import worlds
from tests.html import tight

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def ids_of(devices):
    return [device.pk for device in devices]


def bulk_assign(devices, customer, by, note="order 7"):
    return operations.perform(
        "device.assign",
        "Assign",
        by=by,
        permission=Permission.DEVICE_ASSIGN,
        total=len(devices),
        payload={"ids": ids_of(devices), "customer": customer.pk, "note": note},
        undo_route=undo.ASSIGN,
    )


def bulk_unclaim(devices, by, reason="wrong list"):
    return operations.perform(
        "device.unclaim",
        "Unclaim",
        by=by,
        permission=Permission.DEVICE_UNCLAIM,
        total=len(devices),
        payload={"ids": ids_of(devices), "reason": reason},
        undo_route=undo.UNCLAIM,
    )


def rows(model):
    # Reopening a span updates it, for clients that follow changes.
    names = [field.attname for field in model._meta.concrete_fields if field.name != "change"]
    return list(model.objects.order_by("pk").values(*names))


def refused(operation):
    return list(operation.rows.order_by("position").values_list("label", "sentence"))


# Bulk operations


def test_assigning_two_devices_records_a_finished_operation(client_for, alice, make_devices, customer):
    one, two = make_devices(2)
    client_for(alice).post(reverse("devices:device_assign"), {"ids": f"{one.pk},{two.pk}", "customer": customer.pk})
    operation = Operation.objects.get()
    assert (operation.state, operation.total, operation.succeeded, operation.refused) == ("done", 2, 2, 0)
    assert operation.title == "Assign 2 devices to Stadtwerke Aalen"
    assert set(Ownership.objects.values_list("start_evidence", flat=True)) == {f"operation:{operation.pk}"}


def test_assigning_and_unclaiming_one_device_can_both_be_undone(client_for, alice, device, customer):
    client, before = client_for(alice), rows(Device)
    for name, data in (("assign", {"customer": customer.pk}), ("unclaim", {"reason": "E4"})):
        answer = client.post(reverse(f"devices:device_{name}"), {"ids": device.pk, **data})
        assert answer.url == device.get_absolute_url()
    assign, unclaim = Operation.objects.order_by("pk")
    page = client.get(device.get_absolute_url()).content.decode()
    url = reverse("devices:device_unclaim_undo", args=[unclaim.pk])
    assert f'<a href="{url}">Undo…</a>' in page
    assert client.get(url).context["fit"] == 1
    client.post(url)
    assert Device.objects.get().customer == customer
    url = reverse("devices:device_assign_undo", args=[assign.pk])
    assert f'<a href="{url}">Undo…</a>' in client.get(device.get_absolute_url()).content.decode()
    client.post(url)
    assert rows(Device) == before
    assert "Undo…" not in client.get(device.get_absolute_url()).content.decode()


def test_the_device_page_offers_the_undo_to_permitted_people_while_there_is_time(
    client_for, device, customer, by, member
):
    operation = bulk_assign([device], customer, by)

    def offered(who):
        return "It can be undone until" in client_for(who).get(device.get_absolute_url()).content.decode()

    assert (offered("owner"), offered("viewer")) == (True, False)
    Operation.objects.filter(pk=operation.pk).update(finished_at=timezone.now() - 16 * MINUTE)
    assert offered("owner") is False


def test_the_message_says_how_long_the_undo_is_possible_and_links_to_it(client_for, alice, make_devices, customer):
    data = {"ids": ",".join(map(str, ids_of(make_devices(3)))), "customer": customer.pk}
    answer = client_for(alice).post(reverse("devices:device_assign"), data, follow=True)
    operation = Operation.objects.get()
    until = timezone.localtime(operation.finished_at + 15 * MINUTE)
    url = reverse("devices:device_assign_undo", args=[operation.pk])
    message = f'3 devices assigned to Stadtwerke Aalen. <a href="{url}">Undo</a> until {until:%H:%M}'
    assert [str(each) for each in answer.context["messages"]] == [message]
    assert message in answer.content.decode()


def test_a_name_in_the_message_stays_text(client_for, alice, make_devices, organization):
    from tests import factories

    customer = factories.make_customer(organization, "<b>Bold & Co</b>")
    data = {"ids": ",".join(map(str, ids_of(make_devices(2)))), "customer": customer.pk}
    answer = client_for(alice).post(reverse("devices:device_assign"), data, follow=True)
    assert "2 devices assigned to &lt;b&gt;Bold &amp; Co&lt;/b&gt;. <a " in answer.content.decode()


def test_without_a_change_there_is_nothing_to_undo(client_for, alice, make_devices, by):
    devices = make_devices(2)
    data = {"ids": ",".join(map(str, ids_of(devices))), "reason": "E4"}
    answer = client_for(alice).post(reverse("devices:device_unclaim"), data, follow=True)
    assert [str(each) for each in answer.context["messages"]] == [
        f"{device}: It has no owner, so there is nothing to unclaim." for device in devices
    ]
    with pytest.raises(Refused) as refusal:
        undo.begin(Operation.objects.get(), by=by)
    assert refusal.value.code == "nothing_to_undo"


def test_a_request_refused_as_a_whole_leaves_no_operation(client_for, bob, make_devices, customer, by):
    devices = make_devices(51)
    bulk_assign(devices, customer, by)
    Operation.objects.all().purge()
    data = {"ids": ",".join(map(str, ids_of(devices))), "reason": "recall"}
    answer = client_for(bob).post(reverse("devices:device_unclaim"), data)
    assert answer.status_code == 422
    assert not Operation.objects.exists()
    assert Device.objects.filter(customer=customer).count() == 51


# Undoing an assignment


def test_undoing_an_assignment_restores_the_devices(make_devices, customer, by):
    devices = make_devices(3)
    before = rows(Device)
    operation = bulk_assign(devices, customer, by)
    done = undo.begin(operation, by=by)
    assert (done.state, done.succeeded, done.refused) == ("done", 3, 0)
    assert done.sentence == "3 devices are no longer assigned."
    assert rows(Device) == before
    spans = Ownership.objects.values_list("end_reason", "end_evidence", "ended_by", "start_note")
    assert set(spans) == {("correction", f"operation:{done.pk}", "Alice Kemp", "order 7")}


def test_undoing_an_assignment_keeps_an_earlier_wipe_request(make_devices, customer, other_customer, by):
    once_owned, new = make_devices(2)
    ownership.assign([once_owned.pk], customer=other_customer, by=by)
    ownership.unclaim([once_owned.pk], reason="back", by=by)
    once_owned.refresh_from_db()
    asked = once_owned.wipe_asked_at
    assert asked is not None
    undo.begin(bulk_assign([once_owned, new], customer, by), by=by)
    assert dict(Device.objects.values_list("pk", "wipe_asked_at")) == {once_owned.pk: asked, new.pk: None}


def test_an_undone_mistaken_assignment_does_not_cause_a_wipe_later(make_devices, customer, by):
    devices = make_devices(2)
    for _time in range(2):
        undo.begin(bulk_assign(devices, customer, by), by=by)
    assert set(Device.objects.values_list("wipe_asked_at", flat=True)) == {None}
    assert Ownership.objects.filter(end_reason="correction").count() == 4


def test_devices_that_changed_owner_since_are_left_alone_with_the_reason(make_devices, customer, other_customer, by):
    still, free, other, reassigned = make_devices(4)
    operation = bulk_assign([still, free, other, reassigned], customer, by)
    ownership.unclaim(ids_of([free, other, reassigned]), reason="moved", by=by)
    ownership.assign([other.pk], customer=other_customer, by=by)
    ownership.assign([reassigned.pk], customer=customer, by=by)
    seen = undo.preview(operation, shown=50)
    done = undo.begin(operation, by=by)
    assert (done.succeeded, done.refused) == (1, 3)
    assert refused(done) == [
        (str(free), "It has been unclaimed since."),
        (str(other), "It has changed hands since."),
        (str(reassigned), "It has changed hands since."),
    ]
    assert Device.objects.get(pk=other.pk).customer == other_customer
    assert Device.objects.get(pk=reassigned.pk).customer == customer
    assert (seen["total"], seen["fit"]) == (4, 1)
    assert sorted((str(row), str(why)) for row, why in seen["rows"]) == sorted(refused(done))


def test_devices_refused_by_the_assignment_are_not_part_of_the_undo(make_devices, customer, other_customer, by):
    devices = make_devices(3)
    ownership.assign([devices[0].pk], customer=other_customer, by=by)
    done = undo.begin(bulk_assign(devices, customer, by), by=by)
    assert (done.total, done.succeeded, done.refused) == (2, 2, 0)
    assert Device.objects.get(pk=devices[0].pk).customer == other_customer


def test_undoing_an_assignment_keeps_printed_codes_and_restores_the_shares_it_ended(
    product, make_devices, customer, other_customer, by
):
    devices = make_devices(2)
    worlds.make_unit_profile(product)
    ledger.share(
        ids_of(devices), Act(by), customer=other_customer, project=projects.default_of(other_customer), reason="claim"
    )
    ended = SharedAccess.objects.get(device=devices[1])
    ownership.end_shares([ended.pk], reason="over", by=by)
    codes, (share, _over) = rows(ClaimCode), rows(SharedAccess)
    operation = bulk_assign(devices, customer, by)
    assert not SharedAccess.objects.open().exists()
    undo.begin(operation, by=by)
    assert rows(ClaimCode) == codes
    span = Ownership.objects.get(device=devices[0])
    old, new = SharedAccess.objects.filter(device=devices[0]).order_by("pk").values()
    told = {"end_reason": "handover", "ended_by": by.label, "end_evidence": f"operation:{operation.pk}"}
    assert old == share | told | {"ended_at": span.started_at}
    # What the device published while it was assigned belonged to its owner.
    assert new == share | {"id": new["id"], "started_at": span.ended_at}
    assert SharedAccess.objects.get(device=devices[1]).end_note == "over"
    kinds = Event.objects.filter(subject_id=devices[0].pk, kind__startswith="device.access")
    assert list(kinds.order_by("pk").values_list("kind", "object_id")) == [
        ("device.access_ended", other_customer.pk),
        ("device.access_given", other_customer.pk),
    ]


# Undoing an unclaim


def test_undoing_an_unclaim_restores_devices_spans_and_shares_field_by_field(
    make_devices, customer, other_customer, by
):
    devices = make_devices(4)
    ownership.assign(ids_of(devices[:2]), customer=customer, by=by, note="order 7")
    ownership.assign(ids_of(devices[2:]), customer=other_customer, by=by)
    ledger.share(
        ids_of(devices[:1]),
        Act(by),
        customer=other_customer,
        project=projects.default_of(other_customer),
        reason="claim",
    )
    before = [rows(model) for model in (Device, Ownership, SharedAccess)]
    operation = bulk_unclaim(devices, by)
    assert not Ownership.objects.open().exists()
    assert not SharedAccess.objects.open().exists()
    done = undo.begin(operation, by=by)
    assert (done.state, done.succeeded, done.refused) == ("done", 4, 0)
    assert done.sentence == "4 devices are back with their owners."
    assert [rows(model) for model in (Device, Ownership, SharedAccess)] == before


def test_shares_ended_before_stay_ended_and_shares_granted_meanwhile_end(make_devices, customer, other_customer, by):
    one, two = make_devices(2)
    ownership.assign([one.pk, two.pk], customer=customer, by=by)
    project = projects.default_of(other_customer)
    shared = {"customer": other_customer, "project": project, "reason": "claim"}
    ledger.share([one.pk, two.pk], Act(by), **shared)
    past = SharedAccess.objects.get(device=one)
    ownership.end_shares([past.pk], reason="over", by=by)
    operation = bulk_unclaim([one, two], by)
    ledger.share([two.pk], Act(by), **shared)
    ledger.share([one.pk], Act(by), **shared)
    undo.begin(operation, by=by)
    ends = SharedAccess.objects.order_by("pk").values_list("end_reason", flat=True)
    assert list(ends.filter(device=one)) == ["ended", "handover"]
    assert list(ends.filter(device=two)) == [None, "handover"]


def test_devices_no_longer_free_are_left_alone_with_the_reason(
    make_devices, customer, other_customer, by, organization
):
    from tests import factories

    gone = factories.make_customer(organization, "Gone")
    back, owned, archived, reserved, scrapped, returned, passed, orphan = make_devices(8)
    devices = [back, owned, archived, reserved, scrapped, returned, passed]
    ownership.assign(ids_of(devices), customer=customer, by=by)
    ownership.assign([orphan.pk], customer=gone, by=by)
    operation = bulk_unclaim([*devices, orphan], by)
    ownership.assign([owned.pk, passed.pk], customer=other_customer, by=by)
    ownership.unclaim([passed.pk], reason="moved", by=by)
    Device.objects.filter(pk=archived.pk).update(archived_at=timezone.now())
    for device, status in ((reserved, "reserved"), (scrapped, "scrapped"), (returned, "returned")):
        ledger.set_status([device.pk], frm=["in_stock"], to=status)
    customers.archive(gone, by=by)
    seen = undo.preview(operation, shown=50)
    done = undo.begin(operation, by=by)
    assert (done.succeeded, done.refused) == (1, 7)
    assert refused(done) == [
        (str(owned), "It has an owner again."),
        (str(archived), "It has been archived since."),
        (str(reserved), "It has been packed in a shipment since."),
        (str(scrapped), "It has been scrapped since."),
        (str(returned), "It has been put in quarantine since."),
        (str(passed), "It has changed hands since."),
        (str(orphan), "Its owner has been archived since."),
    ]
    assert list(Device.objects.filter(customer=customer)) == [back]
    assert (seen["total"], seen["fit"]) == (8, 1)
    assert sorted((str(row), str(why)) for row, why in seen["rows"]) == sorted(refused(done))


def test_a_device_that_has_wiped_itself_is_returned_and_its_history_says_so(make_devices, customer, by):
    wiped, kept = make_devices(2)
    ownership.assign([wiped.pk, kept.pk], customer=customer, by=by)
    operation = bulk_unclaim([wiped, kept], by)
    Device.objects.filter(pk=wiped.pk).update(wipe_confirmed_at=timezone.now(), wipe_since=None)
    assert undo.preview(operation, shown=50)["wiped"] == 1
    undo.begin(operation, by=by)
    told = Event.objects.filter(kind="device.unclaim_undone").values_list("subject_id", "object_id", "data")
    assert sorted(told) == [
        (wiped.pk, customer.pk, {"note": "It had already wiped itself."}),
        (kept.pk, customer.pk, {}),
    ]
    assert set(Device.objects.values_list("wipe_asked_at", "wipe_confirmed_at")) == {(None, None)}


def test_undoing_an_unclaim_does_not_make_the_printed_code_valid_again(product, make_devices, customer, by):
    devices = make_devices(2)
    worlds.make_unit_profile(product)
    ownership.assign(ids_of(devices), customer=customer, by=by)
    operation = bulk_unclaim(devices, by)
    assert set(ClaimCode.objects.values_list("version", flat=True)) == {2}
    codes = rows(ClaimCode)
    undo.begin(operation, by=by)
    assert rows(ClaimCode) == codes


def test_undoing_the_unclaim_and_then_the_assignment_leaves_the_devices_free(make_devices, customer, by):
    devices = make_devices(2)
    before = rows(Device)
    assigned = bulk_assign(devices, customer, by)
    undo.begin(bulk_unclaim(devices, by), by=by)
    undo.begin(assigned, by=by)
    assert rows(Device) == before
    assert set(Ownership.objects.values_list("end_reason", flat=True)) == {"correction"}


def test_unclaiming_undoing_and_unclaiming_again_counts_twice_toward_the_hourly_limit(
    make_devices, customer, actor, bob, by
):
    devices, bob = make_devices(26), actor(bob)
    bulk_assign(devices, customer, by)
    undo.begin(bulk_unclaim(devices, bob), by=bob)
    with pytest.raises(Refused) as refusal:
        bulk_unclaim(devices, bob)
    assert refusal.value.code == "unclaim_limit"
    assert Device.objects.filter(customer=customer).count() == 26


# Once, within 15 minutes, by permitted people


@pytest.fixture(params=["assign", "unclaim"])
def bulk(request, make_devices, customer, by):
    """A bulk assignment or a bulk unclaim of two devices."""
    devices = make_devices(2)
    operation = bulk_assign(devices, customer, by)
    return operation if request.param == "assign" else bulk_unclaim(devices, by)


def url_of(operation):
    return reverse(operation.undo_route, args=[operation.pk])


def test_an_operation_can_be_undone_once(bulk, by):
    undo.begin(bulk, by=by)
    before = [rows(model) for model in (Device, Ownership, Event, Operation)]
    for seen in (bulk, Operation.objects.get(pk=bulk.pk)):
        with pytest.raises(Refused) as refusal:
            undo.begin(seen, by=by)
        assert refusal.value.sentence == "It was already undone. An operation can be undone only once."
    assert [rows(model) for model in (Device, Ownership, Event, Operation)] == before


def test_a_second_undo_that_read_the_operation_earlier_is_refused_by_the_update_itself(bulk, by):
    stale = Operation.objects.get(pk=bulk.pk)
    undo.begin(bulk, by=by)
    assert stale.undone_at is None
    with pytest.raises(Refused) as refusal:
        operations.take_undo(stale)
    assert refusal.value.code == "undone_already"


def test_an_undo_cannot_be_undone(bulk, by):
    done = undo.begin(bulk, by=by)
    with pytest.raises(Refused) as refusal:
        undo.begin(done, by=by)
    assert refusal.value.code == "nothing_to_undo"


def test_the_undo_is_refused_after_fifteen_minutes(bulk, by):
    before = [rows(model) for model in (Device, Ownership, Event, Operation)]
    until = bulk.finished_at + 15 * MINUTE
    for act in (undo.begin, lambda operation, by, at: undo.preview(operation, shown=1, at=at)):
        with pytest.raises(Refused) as refusal:
            act(bulk, by=by, at=until)
        time = f"{timezone.localtime(until):%H:%M}"
        assert refusal.value.sentence == f"It could be undone for 15 minutes, until {time}."
    assert [rows(model) for model in (Device, Ownership, Event, Operation)] == before
    assert undo.begin(bulk, by=by, at=until - timedelta(microseconds=1)).succeeded == 2


def test_a_running_operation_cannot_be_undone(bulk, by):
    Operation.objects.filter(pk=bulk.pk).update(state="running", finished_at=None)
    with pytest.raises(Refused) as refusal:
        undo.begin(Operation.objects.get(pk=bulk.pk), by=by)
    assert refusal.value.code == "not_over"


def test_the_changes_of_a_failed_operation_can_be_undone(bulk, by):
    Operation.objects.update(state="failed")
    assert undo.begin(bulk, by=by).succeeded == 2


def test_an_undo_by_a_person_who_lost_the_permission_changes_nothing(bulk, actor, monkeypatch):
    monkeypatch.setattr("console.operations.beginning.IN_REQUEST", 1)
    bob = actor("support")
    done = undo.begin(bulk, by=bob)
    bob.user.memberships.update(role="viewer")
    before = rows(Ownership)
    operations.run(done.pk)
    done.refresh_from_db()
    assert (done.state, done.sentence) == ("failed", "The person who started this is no longer allowed to do it.")
    assert rows(Ownership) == before


def test_the_worker_undoes_more_than_two_hundred_in_chunks(make_devices, customer, by, bulk, monkeypatch):
    monkeypatch.setattr("console.operations.beginning.IN_REQUEST", 1)
    monkeypatch.setattr("console.operations.outcome.CHUNK", 1)
    before = rows(Ownership)
    done = undo.begin(bulk, by=by)
    assert (done.state, rows(Ownership)) == ("waiting", before)
    operations.run(done.pk)
    done.refresh_from_db()
    assert (done.state, done.succeeded, done.cursor, done.undoes) == ("done", 2, 2, bulk)


def test_undoing_a_background_assignment_covers_all_its_chunks(make_devices, customer, by, monkeypatch):
    monkeypatch.setattr("console.operations.outcome.CHUNK", 2)
    devices = make_devices(5)
    before = rows(Device)
    operation = operations.start(
        "device.assign",
        "Assign",
        by=by,
        permission=Permission.DEVICE_ASSIGN,
        total=5,
        payload={"ids": ids_of(devices), "customer": customer.pk},
        undo_route=undo.ASSIGN,
    )
    operations.run(operation.pk)
    operation.refresh_from_db()
    undo.begin(operation, by=by)
    assert rows(Device) == before


@pytest.mark.parametrize("kind", ["assign", "unclaim"])
def test_undoing_many_takes_as_many_queries_as_undoing_two(kind, make_devices, customer, by):
    def queries(devices):
        operation = bulk_assign(devices, customer, by)
        if kind == "unclaim":
            operation = bulk_unclaim(devices, by)
        with CaptureQueriesContext(connection) as asked:
            undo.begin(operation, by=by)
        return len(asked)

    assert queries(make_devices(150)) == queries(make_devices(2))


def test_the_ledger_does_not_reopen_for_a_customer_that_was_not_named(make_devices, customer, by):
    devices = make_devices(2)
    bulk_assign(devices, customer, by)
    operation = bulk_unclaim(devices, by)
    outcome = ledger.reopen(ids_of(devices), Act(by), ended=f"operation:{operation.pk}", customer_ids=[])
    assert outcome.done == []


def test_the_ledger_only_retracts_spans_based_on_the_evidence(make_devices, customer, by):
    devices = make_devices(2)
    bulk_assign(devices, customer, by)
    assert ledger.retract(ids_of(devices), Act(by), began="operation:0").done == []
    assert ledger.retract(ids_of(devices), Act(by), began="").done == []


def test_an_undo_is_logged_with_the_customer(bulk, customer, by):
    done = undo.begin(bulk, by=by)
    kind = "device.assignment_undone" if bulk.undo_route == undo.ASSIGN else "device.unclaim_undone"
    told = Event.objects.filter(kind=kind)
    assert list(told.values_list("object_label", "actor_label")) == [("Stadtwerke Aalen", "Alice Kemp")] * 2
    assert len(set(told.values_list("act", flat=True))) == 1
    assert done.title == f"Undo: {bulk.title}"


# Pages


def test_the_page_of_an_operation_offers_its_undo_and_then_links_to_it(client_for, alice, bulk):
    client = client_for(alice)
    html = client.get(bulk.get_absolute_url()).content.decode()
    until = timezone.localtime(bulk.finished_at + 15 * MINUTE)
    assert f"You can undo this until {until:%H:%M}." in html
    assert f'href="{url_of(bulk)}"' in html
    answer = client.post(url_of(bulk), follow=True)
    done = Operation.objects.get(undoes=bulk)
    assert answer.redirect_chain == [(done.get_absolute_url(), 302)]
    assert f'href="{bulk.get_absolute_url()}">What it undoes</a>' in tight(answer)
    html = client.get(bulk.get_absolute_url()).content.decode()
    assert "Alice Kemp undid this on " in html
    assert f'href="{done.get_absolute_url()}"' in html
    assert url_of(bulk) not in html


def test_the_page_of_an_operation_offers_no_undo_once_the_time_is_over(client_for, alice, bulk):
    Operation.objects.update(finished_at=timezone.now() - 15 * MINUTE)
    client = client_for(alice)
    assert url_of(bulk) not in client.get(bulk.get_absolute_url()).content.decode()
    for answer in (client.get(url_of(bulk)), client.post(url_of(bulk))):
        assert answer.status_code == 409
        assert "It could be undone for 15 minutes, until" in answer.content.decode()
    assert Operation.objects.filter(undoes__isnull=False).count() == 0


def test_a_viewer_sees_the_operation_but_no_undo(client_for, bulk):
    client, before = client_for("viewer"), rows(Ownership)
    assert url_of(bulk) not in client.get(bulk.get_absolute_url()).content.decode()
    assert client.get(url_of(bulk)).status_code == 403
    assert client.post(url_of(bulk)).status_code == 403
    assert rows(Ownership) == before


def test_people_who_may_assign_but_not_unclaim_can_only_undo_assignments(client_for, make_devices, customer, by):
    devices, client = make_devices(2), client_for("fulfilment")
    assigned = bulk_assign(devices, customer, by)
    unclaimed = bulk_unclaim(devices, by)
    assert client.post(url_of(unclaimed)).status_code == 403
    assert client.post(reverse(undo.ASSIGN, args=[unclaimed.pk])).status_code == 404
    assert not Ownership.objects.open().exists()
    assert client.get(url_of(assigned)).status_code == 200


def test_another_organization_cannot_undo_an_operation(client_for, charlie, bulk):
    client, before = client_for(charlie), rows(Ownership)
    assert client.get(url_of(bulk)).status_code == 404
    assert client.post(url_of(bulk)).status_code == 404
    assert rows(Ownership) == before


def test_the_undo_page_counts_what_will_and_will_not_be_undone(
    client_for, alice, make_devices, customer, other_customer, by
):
    devices = make_devices(3)
    operation = bulk_assign(devices, customer, by)
    ownership.unclaim([devices[0].pk], reason="moved", by=by)
    before = rows(Ownership)
    html = client_for(alice).get(url_of(operation)).content.decode()
    assert "Take 2 devices back" in html
    assert "Left unchanged: It has been unclaimed since." in html
    assert str(devices[0]) in html
    assert rows(Ownership) == before


def test_the_undo_page_of_an_unclaim_mentions_codes_and_wiped_devices(client_for, alice, make_devices, customer, by):
    devices = make_devices(2)
    bulk_assign(devices, customer, by)
    operation = bulk_unclaim(devices, by)
    Device.objects.filter(pk=devices[0].pk).update(wipe_confirmed_at=timezone.now(), wipe_since=None)
    html = client_for(alice).get(url_of(operation)).content.decode()
    assert "Codes printed before the unclaim remain invalid." in html
    assert "1 of them has already wiped itself." in html
    assert "Return 2 devices to their owners" in html
