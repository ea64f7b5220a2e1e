"""The log is one line for one act, which leads to all of its lines, to its operation and to its undo."""

import re
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from claims.returns import events as return_events
from console.audit import acts, events_about, record, record_each, record_set
from console.models import Event, Operation
from customers import events as customer_events
from devices import events as device_events
from devices.models import Device

pytestmark = pytest.mark.django_db
LIST = "/activity/"


@pytest.fixture
def owner(client_for, alice):
    return client_for(alice)


def print_labels(devices, by, **more):
    ids = [device.pk for device in devices]
    record_set(return_events.LABEL_PRINTED, Device, ids, label="serial_number", by=by, **more)


def heads():
    return list(Event.objects.filter(is_head=True).order_by("pk").values_list("kind", "subject_label"))


def test_many_lines_of_one_act_are_one_in_the_list_and_lead_to_all(owner, by, make_devices):
    devices = make_devices(60)
    print_labels(devices, by, act=uuid4())
    (head,) = Event.objects.filter(is_head=True)
    page = owner.get(LIST).content.decode()
    assert page.count("printed a label for") == 1
    assert f'href="/activity/?act={head.pk}">59 more</a>' in page
    first = owner.get(LIST, {"act": head.pk}).content.decode()
    assert first.count("printed a label for") == 50
    assert "1–50 of 60" in first
    assert " more</a>" not in first


def test_without_an_act_each_line_stands_for_itself(owner, by, make_devices):
    print_labels(make_devices(3), by)
    assert owner.get(LIST).content.decode().count("printed a label for") == 3


def test_the_chunks_of_an_operation_are_one_act(by, make_devices, customer, other_customer):
    devices = make_devices(6)
    with acts.within(17):
        for chunk in (devices[:2], devices[2:4]):
            print_labels(chunk, by, act=uuid4())
        record_each(device_events.EDITED, [(device, {"notes": ["", "x"]}) for device in devices], by=by)
        record_each(device_events.EDITED, [(device, {"notes": ["x", "y"]}) for device in devices], by=by)
        for owner in (customer, other_customer):
            print_labels(devices[4:5], by, about=owner)
        record(device_events.EDITED, devices[0], by=by)
    assert Event.objects.values_list("act").distinct().count() == 1
    assert set(Event.objects.values_list("operation_id", flat=True)) == {17}
    assert [kind for kind, _label in heads()] == [
        "device.label_printed",
        "device.edited",
        *["device.label_printed"] * 2,
    ]
    with acts.within(18):
        print_labels(devices[:1], by)
    assert Event.objects.values_list("act").distinct().count() == 2


def test_what_is_asked_about_a_thing_is_found_though_another_line_stands_for_it(owner, by, make_devices):
    devices = make_devices(5)
    print_labels(devices, by, act=uuid4())
    last = devices[-1]
    for query in ({"about": f"device:{last.pk}"}, {"q": last.serial_number}):
        page = owner.get(LIST, query).content.decode()
        assert page.count("printed a label for") == 1
        assert last.serial_number in page
    assert last.get_absolute_url() in owner.get(LIST, {"subject": "device"}).content.decode()


def test_a_customer_s_page_has_one_line_for_a_thousand_devices(owner, by, make_devices, customer):
    devices = make_devices(30)
    record_set(
        device_events.ASSIGNED,
        Device,
        [d.pk for d in devices],
        label="serial_number",
        by=by,
        about=customer,
        act=uuid4(),
    )
    record(customer_events.CUSTOMER_EDITED, customer, by=by)
    assert [event.kind for event in events_about(by, "customer", customer.pk, limit=20)] == [
        "customer.edited",
        "device.assigned",
    ]
    page = owner.get(customer.get_absolute_url()).content.decode()
    assert "29 more</a>" in page
    # Of a device's own page the line is about this device alone.
    assert " more</a>" not in owner.get(devices[3].get_absolute_url()).content.decode()


def test_another_organization_sees_nothing_of_an_act(client_for, charlie, by, make_devices):
    print_labels(make_devices(3), by, act=uuid4())
    head = Event.objects.get(is_head=True)
    assert "printed a label" not in client_for(charlie).get(LIST, {"act": head.pk}).content.decode()


@pytest.mark.parametrize("text", ["x", "-1", "9" * 30, "\u0663"])
def test_an_act_that_is_none_shows_nothing(owner, by, make_devices, text):
    print_labels(make_devices(3), by)
    assert "printed a label" not in owner.get(LIST, {"act": text}).content.decode()


def test_the_list_asks_no_more_for_more_acts(owner, by, make_devices, django_assert_max_num_queries):
    devices = make_devices(40)
    for number in range(0, 40, 2):
        with acts.within(number + 1):
            print_labels(devices[number : number + 2], by)
    owner.get(LIST)
    with django_assert_max_num_queries(8):
        assert owner.get(LIST).content.decode().count("1 more</a>") == 20


def operation(by, **fields):
    fields = {"state": "done", "succeeded": 3, "finished_at": timezone.now(), **fields}
    return Operation.objects.create(
        organization=by.organization,
        handler="none",
        title="Assign 3 devices",
        permission="device.assign",
        by_user=by.user,
        by_label=by.label,
        **fields,
    )


def test_an_operation_and_its_undo_are_found_again(owner, client_for, by, make_devices):
    done = operation(by, undo_route="devices:device_assign_undo")
    with acts.within(done.pk):
        print_labels(make_devices(3), by)
    undo = reverse("devices:device_assign_undo", args=[done.pk])
    for address in ("/operations/", LIST):
        page = owner.get(address).content.decode()
        assert f'href="{done.get_absolute_url()}"' in page
        assert f'href="{undo}"' in page
    seen = client_for("viewer").get("/operations/").content.decode()
    assert "Assign 3 devices" in seen
    assert undo not in seen


def test_the_list_of_operations_shows_states_and_people(owner, by, actor, client_for, charlie):
    operation(by, state="running", succeeded=0, total=10, finished_at=None)
    operation(by, refused=1)
    operation(by, state="failed")
    operation(actor("support"), undone_at=timezone.now())
    page = owner.get("/operations/").content.decode()
    for word in ("Running", "Done", "Failed", "Undone"):
        assert word in page
    assert owner.get("/operations/", {"mine": "on"}).context["page"].total == 3
    assert "Assign 3 devices" not in client_for(charlie).get("/operations/").content.decode()
    assert "No operations yet" in client_for(charlie).get("/operations/").content.decode()


def test_a_dot_says_that_work_of_ones_own_is_under_way(owner, client_for, by, bob):
    running = operation(by, state="running", finished_at=None)
    assert "An operation of yours is running" in owner.get("/products/").content.decode()
    assert "An operation of yours is running" not in client_for(bob).get("/products/").content.decode()
    Operation.objects.filter(pk=running.pk).update(state="done")
    assert "An operation of yours is running" not in owner.get("/products/").content.decode()


def test_what_really_assigns_many_is_one_line_with_its_operation(owner, alice, customer, make_devices):
    devices = make_devices(3)
    page = owner.get(reverse("devices:device_assign"), {"ids": [d.pk for d in devices]})
    values = {field.name: field.value() for field in page.context["form"] if field.value() is not None}
    digest = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode()))
    values |= digest | {"ids": [d.pk for d in devices], "customer": customer.pk, "project": ""}
    owner.post(reverse("devices:device_assign"), values)
    events = Event.objects.filter(kind="device.assigned")
    assert events.count() == 3
    assert events.filter(is_head=True).count() == 1
    assert set(events.values_list("operation_id", flat=True)) == {Operation.objects.get().pk}
