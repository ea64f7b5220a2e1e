"""Device ownerships over REST: list, take by serial number and device name, release."""

import pytest

from console.access import Actor, CustomerScope
from console.errors import Refused
from console.models import Event, Throttle
from customers.keys.actions import api_keys
from customers.models import Customer
from customers.projects.actions import projects
from devices import ledger
from devices.actions import devices as device_actions
from devices.actions import ownership
from devices.actions import take_ownership as taking
from devices.acts import Act
from devices.models import Device, Ownership, Product
from tests import factories
from tests.api import Caller, customer_key, key_of
from tests.claims import worlds

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def taking_is_allowed(product):
    Product.objects.filter(pk=product.pk).update(customers_may_take=True)


def names(device, **changed):
    return {"serial_number": device.serial_number, "device_name": device.device_name} | changed


def test_a_device_is_taken_by_both_of_its_names(mine, device, customer):
    answer = mine.post("/device-ownerships", names(device))
    assert answer.status_code == 201
    span = Ownership.objects.get()
    assert answer.json() == {
        "id": span.pk,
        "start_time": f"{span.started_at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "end_time": "2999-12-31T23:59:59Z",
        "device": device.pk,
        "manager": customer.pk,
        "device_details": {"id": device.pk, "device_name": device.device_name, "serial_number": device.serial_number},
    }
    assert (span.customer, span.start_reason, span.started_by) == (customer, "api", "dana@aalen.example (Backend)")
    again = mine.post("/device-ownerships", names(device, serial_number=device.serial_number.lower()))
    assert (again.status_code, again.json()["id"]) == (201, span.pk)
    assert Ownership.objects.count() == 1


def test_a_wrong_pair_and_an_unknown_serial_number_get_the_same_answer(mine, make_devices, foreign_device):
    device, other = make_devices(2)
    wrong = [
        names(device, device_name=other.device_name),
        names(device, serial_number="NOSUCH-1"),
        names(device, device_name="unknown-name"),
        names(foreign_device),
    ]
    answers = [mine.post("/device-ownerships", body) for body in wrong]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert not Ownership.objects.exists()


def test_an_archived_device_is_unknown_too(mine, device, by):
    device_actions.archive([device.pk], by=by)
    assert mine.post("/device-ownerships", names(device)).status_code == 404


def test_a_device_of_someone_else_is_a_409_that_does_not_name_the_owner(mine, theirs, device, customer):
    mine.post("/device-ownerships", names(device))
    answer = theirs.post("/device-ownerships", names(device))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_owned")
    assert customer.name not in answer.content.decode()
    assert Ownership.objects.get().customer == customer


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "guess"}])
def test_guessing_is_throttled_before_anything_is_looked_up(headers, mine, device, monkeypatch):
    """Also where the call can be repeated: its transaction takes no count back."""
    monkeypatch.setattr(taking, "TRIES", 3)
    for n in range(3):
        body = names(device, device_name=f"guess-{n:06d}")
        assert mine.post("/device-ownerships", body, headers=headers).status_code == 404
    answer = mine.post("/device-ownerships", names(device), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_tries")
    assert int(answer["Retry-After"]) > 0
    assert not Ownership.objects.exists()
    # The negative control: without the counts, the right pair is taken.
    Throttle.objects.all().delete()
    assert mine.post("/device-ownerships", names(device)).status_code == 201


def test_the_list_shows_own_spans_alone_and_filters_them(
    mine, theirs, device, make_devices, customer, other_customer, by
):
    second = make_devices(1)[0]
    ownership.assign([device.pk, second.pk], customer=customer, by=by)
    ownership.unclaim([device.pk], reason="Swap", by=by)
    ownership.assign([device.pk], customer=other_customer, by=by)
    past, here = Ownership.objects.filter(customer=customer).order_by("device", "pk")
    there = Ownership.objects.get(customer=other_customer)

    def ids(caller, **query):
        return {row["id"] for row in caller.get("/device-ownerships", **query).json()["results"]}

    assert (ids(mine), ids(theirs)) == ({past.pk, here.pk}, {there.pk})
    assert ids(mine, current="true") == {here.pk}
    assert ids(mine, current="false") == {past.pk}
    assert ids(mine, device=device.pk) == {past.pk}
    assert ids(mine, serial_number=second.serial_number.lower()) == {here.pk}
    assert ids(mine, manager=other_customer.pk) == set()
    # Half open: what ends at an instant does not touch the time that begins there.
    assert ids(mine, **{"from": past.ended_at.isoformat(), "device": device.pk}) == set()
    assert ids(mine, to=past.started_at.isoformat(), device=device.pk) == set()
    staff = Caller(key_of(by.user))
    assert ids(staff) == {past.pk, here.pk, there.pk}
    assert ids(staff, manager=other_customer.pk) == {there.pk}


def test_a_customer_releases_its_own_and_nobody_else_s(mine, theirs, device, customer):
    pk = mine.post("/device-ownerships", names(device)).json()["id"]
    assert theirs.post(f"/device-ownerships/{pk}/release").status_code == 404
    assert Ownership.objects.get().ended_at is None
    answer = mine.post(f"/device-ownerships/{pk}/release")
    assert answer.status_code == 200
    assert answer.json()["end_time"] < "2999"
    assert (Device.objects.get().customer, Ownership.objects.get().end_reason) == (None, "api")
    assert Event.objects.get(kind="device.released").actor_label == "dana@aalen.example (Backend)"
    assert mine.post(f"/device-ownerships/{pk}/release").json()["code"] == "not_owner"
    assert theirs.post("/device-ownerships", names(device)).status_code == 201


def test_a_key_that_may_only_read_takes_nothing(dana, customer, device):
    reader = Caller(customer_key(dana, customer, "customer.read"))
    assert reader.post("/device-ownerships", names(device)).status_code == 403
    assert not Ownership.objects.exists()
    assert (
        Caller(key_of(factories.make_member(device.organization, "support")))
        .post("/device-ownerships", names(device))
        .status_code
        == 403
    )


def test_a_device_that_was_taken_back_cannot_be_taken_again_by_its_names(mine, theirs, device, customer, by):
    mine.post("/device-ownerships", names(device))
    ownership.unclaim([device.pk], reason="Unpaid", by=by)
    answer = mine.post("/device-ownerships", names(device))
    assert (answer.status_code, answer.json()["code"]) == (409, "taken_back")
    assert Device.objects.get().customer is None
    # Who never had it may, and so may again who has it from the organization.
    pk = theirs.post("/device-ownerships", names(device)).json()["id"]
    theirs.post(f"/device-ownerships/{pk}/release")
    assert theirs.post("/device-ownerships", names(device)).status_code == 201


def test_customers_who_only_saw_a_device_cannot_take_it(mine, device, customer, by):
    ledger.share([device.pk], Act(by), customer=customer, project=projects.default_of(customer), reason="claim")
    assert mine.post("/device-ownerships", names(device)).json()["code"] == "taken_back"
    assert not Ownership.objects.exists()


def test_staff_that_releases_says_why_and_it_counts_as_an_unclaim(mine, device, alice, member, monkeypatch):
    pk = mine.post("/device-ownerships", names(device)).json()["id"]
    staff = Caller(key_of(alice))
    for body in (None, {}, {"reason": "  "}):
        answer = staff.post(f"/device-ownerships/{pk}/release", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "reason_missing")
    assert Ownership.objects.get().ended_at is None
    monkeypatch.setattr(ownership, "UNCLAIMS_AN_HOUR", 0)
    support = Caller(key_of(member("support")))
    limited = support.post(f"/device-ownerships/{pk}/release", {"reason": "Lease over"})
    assert (limited.status_code, limited.json()["code"]) == (403, "unclaim_limit")
    assert Ownership.objects.get().ended_at is None
    assert staff.post(f"/device-ownerships/{pk}/release", {"reason": " Lease over "}).status_code == 200
    span = Ownership.objects.get()
    assert (span.end_reason, span.end_note) == ("unclaim", "Lease over")
    assert Event.objects.filter(kind="device.unclaimed").count() == 1
    again = mine.post("/device-ownerships", names(device))
    assert (again.status_code, again.json()["code"]) == (409, "taken_back")


def test_releases_by_customers_do_not_count_as_unclaims_of_the_creator_of_their_key(
    product, member, customer, monkeypatch
):
    """Staff made the customer's key; the limit of 50 an hour is for what staff takes."""
    monkeypatch.setattr(ownership, "UNCLAIMS_AN_HOUR", 1)
    maker = member("owner")
    made = api_keys.create(name="Depot", scopes=CustomerScope, by=factories.actor_of(maker), customer=customer)
    theirs = Caller(made[1])
    for _n in range(3):
        pk = theirs.post("/device-ownerships", names(factories.make_device(product))).json()["id"]
        assert theirs.post(f"/device-ownerships/{pk}/release").status_code == 200
    limited = Actor(**(vars(factories.actor_of(maker)) | {"permissions": frozenset({"device.unclaim"})}))
    ownership.check_unclaim_limit(1, by=limited)
    with pytest.raises(Refused, match="1 more device"):
        ownership.check_unclaim_limit(2, by=limited)


def test_only_tries_that_fail_are_counted(mine, device, make_devices, monkeypatch):
    monkeypatch.setattr(taking, "TRIES", 2)
    for unit in make_devices(5):
        assert mine.post("/device-ownerships", names(unit)).status_code == 201
    assert mine.post("/device-ownerships", names(device, device_name="guess-1")).status_code == 404
    assert mine.post("/device-ownerships", names(device)).status_code == 201
    assert mine.post("/device-ownerships", names(device, device_name="guess-2")).status_code == 404
    assert mine.post("/device-ownerships", names(device)).status_code == 429


@pytest.mark.parametrize(
    ("query", "field", "status"),
    [
        ({"from": "2026-06-01T00:00:00"}, "from", 400),
        ({"to": "2026-06-31"}, "to", 400),
        ({"to": "yesterday"}, "to", 400),
        ({"from": "2026-06-02T00:00:00Z", "to": "2026-06-01T00:00:00Z"}, "to", 422),
        ({"from": "2026-06-01T00:00:00Z", "to": "2026-06-01T02:00:00+02:00"}, "to", 422),
    ],
)
def test_a_time_without_an_offset_and_one_that_ends_before_it_begins_are_refused(mine, query, field, status):
    answer = mine.get("/device-ownerships", **query)
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (status, [field])


def test_a_call_that_takes_no_body_refuses_one(alice, device):
    answer = Caller(key_of(alice)).delete(f"/devices/{device.pk}", {"reason": "Broken"})
    assert (answer.status_code, answer.json()["errors"]) == (400, [{"field": "", "detail": "This call takes no body."}])
    device.refresh_from_db()
    assert device.archived_at is None


def test_a_refusal_names_the_scope_that_is_missing(alice, device, dana, customer):
    answer = Caller(key_of(alice, "view")).delete(f"/devices/{device.pk}")
    assert answer.json()["title"] == (
        "This key isn't allowed to do that: it requires the scope device.archive and a creator who has that permission."
    )
    answer = Caller(customer_key(dana, customer)).delete(f"/devices/{device.pk}")
    assert answer.json()["title"] == "This call isn't available to a customer’s key."


# Who may take what


def test_a_stranger_with_a_label_takes_nothing(make_devices, organization, alice, erin, other_customer):
    """Whoever claims anything becomes a customer and makes a key; that is no right to what is in stock."""
    from claims.redemption.actions import redemption
    from claims.redemption.actions.redemption import Claimant
    from console.models import User

    public, stock = make_devices(2)
    profile = worlds.make_link_profile(organization, public)
    stranger = User.objects.create_user("stranger@mail.example")
    redemption.redeem_as(
        profile.codes.get(),
        claimant=Claimant(kind="person", name="S"),
        by=factories.actor_of(stranger),
        host="localhost",
    )
    (customer,) = (stranger.customer_users.get().customer,)
    assert customer.may_take is False
    caller = Caller(customer_key(stranger, customer))
    for body in (names(stock), names(stock, device_name="unknown-name")):
        answer = caller.post("/device-ownerships", body)
        assert (answer.status_code, answer.json()["code"]) == (403, "may_not_take")
    assert list(Ownership.objects.values_list("device", flat=True)) == [public.pk]


def test_a_device_that_cannot_be_taken_gets_the_answer_of_an_unknown_one(mine, make_devices, product, organization, by):
    from claims.profiles.actions import codes as claim_codes
    from claims.shipments.actions import contents, shipments

    devices = make_devices(5)
    rotated, packed, scrapped, quarantined, archived = devices
    worlds.make_unit_profile(product)
    claim_codes.replace_for_devices([rotated.pk], reason="label lost", by=by)
    shipment = shipments.create(customer=factories.make_customer(organization, "Other"), lines={}, by=by)
    contents.pack(shipment, [packed], by=by)
    ledger.set_status([scrapped.pk], frm=["in_stock"], to="scrapped")
    ledger.set_status([quarantined.pk], frm=["in_stock"], to="returned")
    device_actions.archive([archived.pk], by=by)
    off = factories.make_device(factories.make_product(organization, "Switched Off"))
    wrong = mine.post("/device-ownerships", names(rotated, device_name="unknown-name"))
    answers = [mine.post("/device-ownerships", names(device)) for device in [*devices, off]]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, wrong.content)}
    assert not Ownership.objects.exists()


def test_a_customer_who_released_a_device_can_take_it_again_despite_its_replaced_code(mine, device, product):
    worlds.make_unit_profile(product)
    pk = mine.post("/device-ownerships", names(device)).json()["id"]
    mine.post(f"/device-ownerships/{pk}/release")
    assert mine.post("/device-ownerships", names(device)).status_code == 201


def test_the_switches_are_set_over_the_api_and_off_for_new_products(alice, product):
    api = Caller(key_of(alice))
    made = api.post("/products", {"name": "Flow Probe"}).json()
    assert made["customers_may_take"] is False
    changed = api.patch(f"/products/{made['slug']}", {"customers_may_take": True}).json()
    assert changed["customers_may_take"] is True
    customer = api.post("/customers", {"name": "New"}).json()
    assert customer["may_take"] is True
    off = api.patch(f"/customers/{customer['id']}", {"may_take": False}).json()
    assert off["may_take"] is False
    assert api.patch(f"/customers/{customer['id']}", {"phone": "1"}).json()["may_take"] is False


def test_the_migration_only_switches_off_customers_created_by_claims(organization, customer, alice, dana):
    from importlib import import_module

    from django.apps import apps

    from console.models import User
    from customers.directory import actions as customers
    from customers.people.actions import newcomers

    stranger = User.objects.create_user("stranger@mail.example")
    came = newcomers.join(organization, user=stranger, kind="person", name="S", by=factories.actor_of(stranger))
    made = customers.create(by=factories.actor_of(alice), kind="company", name="Made")
    Customer.objects.update(may_take=True)
    import_module("customers.migrations.0007_who_came_by_itself_takes_nothing").switch_off(apps, None)
    assert set(Customer.objects.filter(may_take=False)) == {came}
    assert made.pk != came.pk


def test_a_released_device_cannot_be_taken_again_once_someone_else_has_owned_it(
    mine, device, other_customer, organization, by
):
    worlds.make_unit_profile(None, device, organization=organization)
    span = mine.post("/device-ownerships", names(device)).json()["id"]
    mine.post(f"/device-ownerships/{span}/release")
    ownership.assign([device.pk], customer=other_customer, by=by)
    ownership.unclaim([device.pk], reason="Returned", by=by)
    answer = mine.post("/device-ownerships", names(device))
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_device")
    assert Device.objects.get(pk=device.pk).customer is None
