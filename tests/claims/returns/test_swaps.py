"""A swap: another device replaces one that a customer has, at one instant."""

import pytest

from claims.models import Return
from claims.returns.actions import returns, swaps
from console.errors import Refused
from console.models import Event
from customers.projects.actions import projects
from devices.actions import devices as device_actions
from devices.actions import ownership
from devices.models import Device, Ownership
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def old(device, customer, actor, alice):
    project = projects.make(customer, name="North site", by=actor(alice))
    ownership.assign([device.pk], customer=customer, project=project, by=actor(alice))
    return device


@pytest.fixture
def new(make_devices):
    return make_devices(1)[0]


def fresh(device):
    return Device.objects.get(pk=device.pk)


def test_the_replacement_inherits_owner_project_and_tags_at_one_instant(old, new, customer, by_bob, mailoutbox, dana):
    device_actions.set_tags([old.pk], ["north", "vip"], by=by_bob)
    device_actions.set_tags([new.pk], ["lot-2611"], by=by_bob)
    row = swaps.swap(old, new, reason="Defective", note="E4", by=by_bob)
    before, after = Ownership.objects.get(device=old), Ownership.objects.get(device=new)
    assert before.ended_at == after.started_at
    assert (after.customer, after.project, after.ended_at) == (customer, before.project, None)
    assert (before.end_reason, before.end_evidence, after.start_evidence) == (
        "return",
        f"swap:{row.pk}",
        f"swap:{row.pk}",
    )
    assert (fresh(old).status, fresh(new).status, fresh(new).customer) == ("returned", "owned", customer)
    assert sorted(new.device_tags.values_list("tag__name", flat=True)) == ["lot-2611", "north", "vip"]
    assert (row.state, row.device, row.customer, row.reason) == ("received", old, customer, "Defective")
    [mail] = mailoutbox
    assert (mail.to, old.serial_number in mail.body, new.serial_number in mail.body) == (
        ["dana@aalen.example"],
        True,
        True,
    )


def test_each_history_links_to_the_other_device(old, new, by_bob, client_for, bob):
    swaps.swap(old, new, reason="Defective", by=by_bob)
    out, into = Event.objects.get(kind="device.swapped_out"), Event.objects.get(kind="device.swapped_in")
    assert (out.subject_id, out.object_id, into.subject_id, into.object_id) == (old.pk, new.pk, new.pk, old.pk)
    assert out.act == into.act
    client = client_for(bob)
    assert f'href="/devices/{new.pk}/"' in client.get(f"/devices/{old.pk}/").content.decode()
    assert f'href="/devices/{old.pk}/"' in client.get(f"/devices/{new.pk}/").content.decode()


def test_a_swap_fulfills_the_customers_return_request(old, new, customer, dana, by_bob):
    asked = returns.request(old, customer=customer, reason="Upgrade", by=factories.actor_of(dana))
    assert swaps.swap(old, new, reason="Upgrade", by=by_bob) == asked
    asked.refresh_from_db()
    assert (asked.state, Return.objects.count()) == ("received", 1)


def test_the_old_device_may_still_be_on_its_way(old, new, customer, by_bob):
    row = swaps.swap(old, new, reason="Defective", is_here=False, by=by_bob)
    assert (row.state, row.received_at, fresh(old).status) == ("requested", None, "returned")
    operation = returns.begin_receive([old.pk], reason="", by=by_bob)
    row.refresh_from_db()
    assert (operation.succeeded, row.state, row.status_before) == (1, "received", "returned")


def test_a_device_that_is_not_in_stock_cannot_be_a_replacement(old, new, other_customer, by_bob, actor, alice):
    ownership.assign([new.pk], customer=other_customer, by=actor(alice))
    with pytest.raises(Refused) as caught:
        swaps.swap(old, new, reason="Defective", by=by_bob)
    assert caught.value.code == "already_owned"
    assert (fresh(old).status, fresh(new).customer) == ("owned", other_customer)
    assert not Return.objects.exists()


def test_a_device_without_an_owner_cannot_be_swapped(device, new, by_bob):
    with pytest.raises(Refused) as caught:
        swaps.swap(device, new, reason="Defective", by=by_bob)
    assert caught.value.code == "not_owned"
    assert {fresh(device).status, fresh(new).status} == {"in_stock"}


def test_a_swap_counts_as_an_unclaim(old, new, make_devices, customer, actor, alice, by_bob):
    many = make_devices(50)
    ownership.assign([d.pk for d in many], customer=customer, by=actor(alice))
    returns.begin_receive([d.pk for d in many], reason="Upgrade", by=by_bob)
    with pytest.raises(Refused) as caught:
        swaps.swap(old, new, reason="Defective", by=by_bob)
    assert caught.value.code == "unclaim_limit"
    assert fresh(old).status == "owned"


def test_the_page_swaps_by_a_scan_and_suggests_devices_of_the_same_product(client_for, bob, old, new):
    client = client_for(bob)
    page = client.get(f"/devices/{old.pk}/swap/")
    assert page.context["in_stock"] == [new]
    answer = client.post(
        f"/devices/{old.pk}/swap/", {"replacement": new.serial_number, "reason": "Defective", "is_here": "on"}
    )
    assert (answer.status_code, answer.url) == (302, f"/devices/{new.pk}/")
    assert fresh(old).status == "returned"


def test_a_replacement_of_another_product_needs_confirmation(client_for, bob, old, organization):
    other = factories.make_device(factories.make_product(organization, "Edge Gateway"), "EGW-1")
    client = client_for(bob)
    data = {"replacement": "EGW-1", "reason": "Defective", "is_here": "on"}
    answer = client.post(f"/devices/{old.pk}/swap/", data)
    assert answer.status_code == 422
    assert answer.context["form"].errors["replacement"] == [
        "The replacement's product is Edge Gateway, not Aqua Meter. Tick the box below to confirm."
    ]
    assert fresh(old).status == "owned"
    client.post(f"/devices/{old.pk}/swap/", {**data, "other_product": "on"})
    assert (fresh(old).status, fresh(other).status) == ("returned", "owned")


@pytest.mark.parametrize("text", ["nothing", "SELF", "FOREIGN"])
def test_an_invalid_replacement_is_reported_at_its_field(client_for, bob, old, foreign_device, text):
    text = {"SELF": old.serial_number, "FOREIGN": foreign_device.serial_number}.get(text, text)
    answer = client_for(bob).post(f"/devices/{old.pk}/swap/", {"replacement": text, "reason": "Defective"})
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["replacement"])
    assert fresh(old).status == "owned"
