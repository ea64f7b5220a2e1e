"""A wipe stays requested until the device confirms it, whoever owns it then; pages show since when and for whom."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.urls import reverse
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from console import operations
from console.access import Permission
from console.errors import Refused
from console.models import Event
from customers.projects.actions import projects
from devices import ledger, ledger_check, spans, wiping
from devices.actions import ownership, undo
from devices.actions import take_ownership as taking
from devices.acts import Act
from devices.device_api import actions as reports
from devices.messages.actions import Publisher
from devices.models import Device, Product
from tests import factories
from tests.api import Caller, customer_key, key_of
from tests.claims import worlds
from tests.devices.telling import Unit
from tests.devices.test_ledger_machine import BLIND, DEVICES, QUICK, LedgerMachine
from tests.extent import extent

pytestmark = pytest.mark.django_db
NOON, HOUR = datetime(2026, 11, 1, 12, tzinfo=UTC), timedelta(hours=1)
migration = import_module("devices.migrations.0043_wipes_that_were_lost")


@pytest.fixture
def third_customer(organization):
    return factories.make_customer(organization, "Kettle Plumbing")


def held_by(device, customer, by, begin, end):
    """Assign and unclaim the device while it stays switched off."""
    ownership.assign([device.pk], customer=customer, by=by, at=begin)
    ownership.unclaim([device.pk], reason="back", by=by, at=end)


def wipe_of(device):
    row = Device.objects.get(pk=device.pk)
    return row.wipe_since, row.wipe_asked_at, row.wipe_confirmed_at


def confirm(device, asked_at, at=None):
    reports.confirm_wipe(asked_at, by=Publisher(device.pk, device.organization_id), at=at)


def owners(device):
    return wiping.named(wiping.owners_of(Device.objects.get(pk=device.pk)))


# What must not lose the request


def test_a_wipe_request_survives_the_next_assignment(device, customer, other_customer, by):
    held_by(device, customer, by, NOON, NOON + HOUR)
    ownership.assign([device.pk], customer=other_customer, by=by, at=NOON + 2 * HOUR)
    assert wipe_of(device) == (NOON + HOUR, NOON + HOUR, None)
    assert owners(device) == "Stadtwerke Aalen"


def test_a_transfer_requests_a_wipe(device, customer, other_customer, by):
    ownership.assign([device.pk], customer=customer, by=by, at=NOON)
    ledger.transfer(
        [device.pk],
        Act(by, at=NOON + HOUR),
        source=customer,
        customer=other_customer,
        project=projects.default_of(other_customer),
    )
    assert wipe_of(device) == (NOON + HOUR, NOON + HOUR, None)
    assert owners(device) == "Stadtwerke Aalen"


def test_a_device_that_stays_off_is_asked_to_wipe_for_all_its_owners(
    device, customer, other_customer, third_customer, by
):
    held_by(device, customer, by, NOON, NOON + HOUR)
    held_by(device, other_customer, by, NOON + 2 * HOUR, NOON + 3 * HOUR)
    assert wipe_of(device) == (NOON + HOUR, NOON + 3 * HOUR, None)
    assert owners(device) == "Stadtwerke Aalen and Hallberg Utilities"
    held_by(device, third_customer, by, NOON + 4 * HOUR, NOON + 5 * HOUR)
    assert owners(device) == "Stadtwerke Aalen, Hallberg Utilities and Kettle Plumbing"
    held_by(device, factories.make_customer(device.organization, "D"), by, NOON + 6 * HOUR, NOON + 7 * HOUR)
    assert owners(device) == "Stadtwerke Aalen and 3 more owners"


def test_claims_swaps_shipments_and_takes_keep_the_request(make_devices, product, customer, other_customer, by, alice):
    from claims.redemption.actions import redemption as claims
    from claims.returns.actions import swaps
    from claims.shipments.actions import contents, shipments, shipping
    from console.access import Actor

    claimed, swapped, shipped, taken, old = make_devices(5)
    four = (claimed, swapped, shipped, taken)
    for device in four:
        held_by(device, customer, by, NOON, NOON + HOUR)
    profile = worlds.make_link_profile(device.organization, claimed)
    claims.redeem(profile.codes.get(), customer=other_customer, by=by, host="testserver")
    ownership.assign([old.pk], customer=other_customer, by=by)
    swaps.swap(old, swapped, reason="Defective", by=by)
    shipment = shipments.create(customer=other_customer, lines={}, by=by)
    contents.pack(shipment, [shipped], by=by)
    shipping.ship(shipment, by=by)
    theirs = Actor(
        kind="customer", customers=frozenset({other_customer.pk}), organization=device.organization, label="key"
    )
    Product.objects.update(customers_may_take=True)
    taking.take(serial_number=taken.serial_number, device_name=taken.device_name, by=theirs)
    assert Device.objects.filter(customer=other_customer).count() == 4
    assert [wipe_of(device) for device in four] == [(NOON + HOUR, NOON + HOUR, None)] * 4


def test_a_span_that_ended_a_tick_later_is_requested_for_that_tick(device, customer, by):
    """The request is identified by the exact end of the ownership, so that each has its own time."""
    ownership.assign([device.pk], customer=customer, by=by, at=NOON)
    ownership.unclaim([device.pk], reason="back", by=by, at=NOON)
    tick = NOON + timedelta(microseconds=1)
    assert wipe_of(device) == (tick, tick, None)


def test_a_report_during_the_end_of_a_span_moves_the_request_to_that_end(
    device, customer, other_customer, by, monkeypatch
):
    """On PostgreSQL a report can come between the two statements, and the span ends after it."""
    honest = spans.close

    def later(model, column, ids, act, reason):
        return honest(model, column, ids, replace(act, at=act.at + timedelta(seconds=1)), reason)

    monkeypatch.setattr(spans, "close", later)
    second = timedelta(seconds=1)
    held_by(device, customer, by, NOON, NOON + HOUR)
    assert wipe_of(device) == (NOON + HOUR + second, NOON + HOUR + second, None)
    held_by(device, other_customer, by, NOON + 2 * HOUR, NOON + 3 * HOUR)
    assert wipe_of(device) == (NOON + HOUR + second, NOON + 3 * HOUR + second, None)


# Undo


def bulk_unclaim(devices, by):
    return operations.perform(
        "device.unclaim",
        "Unclaim",
        by=by,
        permission=Permission.DEVICE_UNCLAIM,
        total=len(devices),
        payload={"ids": [d.pk for d in devices], "reason": "wrong list"},
        undo_route=undo.UNCLAIM,
    )


def test_an_undone_unclaim_only_withdraws_its_own_request(make_devices, customer, other_customer, by):
    fresh, used = make_devices(2)
    held_by(used, customer, by, NOON, NOON + HOUR)
    ownership.assign([fresh.pk, used.pk], customer=other_customer, by=by, at=NOON + 2 * HOUR)
    undo.begin(bulk_unclaim([fresh, used], by), by=by)
    assert wipe_of(fresh) == (None, None, None)
    assert wipe_of(used) == (NOON + HOUR, NOON + HOUR, None)
    assert owners(used) == "Stadtwerke Aalen"


def test_an_undone_unclaim_leaves_nothing_to_confirm_if_the_wipe_was_confirmed_meanwhile(
    device, customer, other_customer, by
):
    held_by(device, customer, by, NOON, NOON + HOUR)
    ownership.assign([device.pk], customer=other_customer, by=by, at=NOON + 2 * HOUR)
    operation = bulk_unclaim([device], by)
    confirm(device, wipe_of(device)[1])
    undo.begin(operation, by=by)
    assert wipe_of(device) == (None, None, None)


# Confirming


def test_confirming_an_older_request_confirms_nothing(device, customer, other_customer, by):
    held_by(device, customer, by, NOON, NOON + HOUR)
    held_by(device, other_customer, by, NOON + 2 * HOUR, NOON + 3 * HOUR)
    with pytest.raises(Refused) as refusal:
        confirm(device, NOON + HOUR)
    assert refusal.value.code == "not_asked"
    assert wipe_of(device) == (NOON + HOUR, NOON + 3 * HOUR, None)
    confirm(device, NOON + 3 * HOUR, at=NOON + 4 * HOUR)
    assert wipe_of(device) == (None, NOON + 3 * HOUR, NOON + 4 * HOUR)
    told = Event.objects.get(kind="device.wiped")
    assert told.data == {"note": "Data of Stadtwerke Aalen and Hallberg Utilities"}


def test_a_device_learns_of_the_request_while_its_new_owner_has_it(device, customer, other_customer, by):
    held_by(device, customer, by, NOON, NOON + HOUR)
    ownership.assign([device.pk], customer=other_customer, by=by, at=NOON + 2 * HOUR)
    state = Unit(device).get("state").json()
    assert (state["owned"], state["wipe"]) == (True, {"asked_at": "2026-11-01T13:00:00.000000Z", "confirmed_at": None})


def test_the_database_refuses_a_pending_wipe_without_a_date(device):
    for values in (
        {"wipe_asked_at": NOON},
        {"wipe_since": NOON},
        {"wipe_asked_at": NOON, "wipe_since": NOON + HOUR},
        {"wipe_asked_at": NOON, "wipe_since": NOON, "wipe_confirmed_at": NOON},
        {"wipe_confirmed_at": NOON},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Device.objects.filter(pk=device.pk).update(**values)


# The ledger check and the migration


def test_the_ledger_check_finds_lost_and_unfounded_requests(make_devices, customer, other_customer, by):
    lost, groundless = make_devices(2)
    for device in (lost, groundless):
        held_by(device, customer, by, NOON, NOON + HOUR)
        held_by(device, other_customer, by, NOON + 2 * HOUR, NOON + 3 * HOUR)
    Device.objects.filter(pk=lost.pk).update(wipe_asked_at=NOON + HOUR)
    Device.objects.filter(pk=groundless.pk).update(wipe_since=NOON)
    assert ledger_check.check() == [
        f"Device {groundless.pk} ({groundless}) is asked to wipe itself since a time at which no ownership ended.",
        f"Device {lost.pk} ({lost}) is not asked to wipe itself for the last ownership that ended.",
    ]
    Device.objects.update(wipe_asked_at=NOON + 3 * HOUR, wipe_since=NOON + HOUR)


def test_the_migration_restores_lost_requests_and_nothing_else(make_devices, customer, other_customer, by):
    lost, twice, confirmed, since, corrected, fresh, pending = make_devices(7)
    for device in (lost, twice, confirmed, since, pending):
        held_by(device, customer, by, NOON, NOON + HOUR)
    held_by(twice, other_customer, by, NOON + 2 * HOUR, NOON + 3 * HOUR)
    for device in (confirmed, since):
        confirm(device, NOON + HOUR, at=NOON + HOUR)
    held_by(since, other_customer, by, NOON + 2 * HOUR, NOON + 3 * HOUR)
    ownership.assign([corrected.pk], customer=customer, by=by, at=NOON, evidence="operation:9")
    ledger.retract([corrected.pk], Act(by, at=NOON + HOUR), began="operation:9")
    ownership.assign([lost.pk, confirmed.pk], customer=other_customer, by=by, at=NOON + 4 * HOUR)
    right = {device.pk: wipe_of(device) for device in (lost, twice, since, corrected, fresh, pending)}
    Device.objects.update(wipe_since=None, wipe_asked_at=None, wipe_confirmed_at=None)
    migration.ask_again(apps, None)
    assert {pk: wipe_of(Device.objects.get(pk=pk)) for pk in right} == right
    assert right[twice.pk] == (NOON + HOUR, NOON + 3 * HOUR, None)
    assert right[since.pk] == (NOON + 3 * HOUR, NOON + 3 * HOUR, None)
    assert wipe_of(confirmed) == (None, None, None)


# Pages and API


def test_the_device_page_says_since_when_and_for_whom_a_wipe_is_pending(
    client_for, alice, device, customer, other_customer, by
):
    held_by(device, customer, by, NOON, NOON + HOUR)
    ownership.assign([device.pk], customer=other_customer, by=by)
    html = client_for(alice).get(device.get_absolute_url()).content.decode()
    assert "has not confirmed erasing the data of Stadtwerke Aalen." in html
    confirm(device, NOON + HOUR)
    html = client_for(alice).get(device.get_absolute_url()).content.decode()
    assert "has not confirmed" not in html
    assert "that it erased its former owners&#x27; data" in html or "that it erased its former owners' data" in html


def test_the_new_owner_is_informed_without_the_former_owners_name(
    client_for, erin, device, customer, other_customer, by
):
    held_by(device, customer, by, NOON, NOON + HOUR)
    ownership.assign([device.pk], customer=other_customer, by=by)
    address = reverse("portal:device_detail", args=[device.pk])
    html = client_for(erin).get(address).content.decode()
    assert "has not confirmed erasing the previous owner" in html
    assert "Stadtwerke Aalen" not in html
    german = client_for(erin).get(address, headers={"accept-language": "de"}).content.decode()
    assert "Das Gerät hat noch nicht bestätigt" in german
    confirm(device, NOON + HOUR)
    assert "has not confirmed" not in client_for(erin).get(address).content.decode()


def test_an_owner_who_gets_the_device_back_is_not_informed_about_another_owner(client_for, dana, device, customer, by):
    held_by(device, customer, by, NOON, NOON + HOUR)
    ownership.assign([device.pk], customer=customer, by=by)
    html = client_for(dana).get(reverse("portal:device_detail", args=[device.pk])).content.decode()
    assert "has not confirmed" not in html


def test_the_api_returns_the_times_to_the_organization_but_not_to_the_owner(
    device, customer, other_customer, by, alice, erin
):
    held_by(device, customer, by, NOON, NOON + HOUR)
    ownership.assign([device.pk], customer=other_customer, by=by)
    names = ("wipe_pending", "wipe_since", "wipe_asked_at", "wipe_confirmed_at")
    ours = Caller(key_of(alice)).get(f"/devices/{device.pk}").json()
    assert [ours[name] for name in names] == [True, "2026-11-01T13:00:00.000000Z", "2026-11-01T13:00:00.000000Z", None]
    theirs = Caller(customer_key(erin, other_customer)).get(f"/devices/{device.pk}").json()
    assert [theirs[name] for name in names] == [True, None, None, None]


# Random handovers


class WipingMachine(LedgerMachine):
    """Derive the pending wipes from the spans of the model and from what the device has confirmed."""

    # Its own test checks these; here they would only cost time.
    each_instant_belongs_to_one_owner_at_most = the_device_says_what_the_ledger_says = None
    the_spans_are_those_of_the_model = None

    @precondition(lambda self: any(self.model))
    @rule(n=st.integers(0, DEVICES - 1), back=st.integers(0, 2))
    def a_device_confirms(self, n, back):
        ended = self.ended(n)
        if not ended:
            return
        token, newest = ended[-min(back + 1, len(ended))], (self.pending(n) or [None])[-1]
        device = self.devices[n]
        try:
            confirm(device, token)
        except Refused as refusal:
            assert refusal.code == "not_asked" and token != newest
        else:
            self.confirmed(n).update(ended if token == newest else ())

    @invariant()
    def what_is_pending_is_what_the_model_says(self):
        for n, device in enumerate(getattr(self, "devices", ())):
            since, asked_at, confirmed_at = wipe_of(device)
            # An undone end is no longer confirmed; another one may come at the same time.
            self.confirmed(n).intersection_update(self.ended(n))
            pending = self.pending(n)
            assert (since, asked_at if since else None) == ((pending[0], pending[-1]) if pending else (None, None))
            assert confirmed_at is None or since is None

    def ended(self, n):
        return [end for _c, _start, end, _began, evidence in self.model[n] if end and evidence != "undo"]

    def confirmed(self, n):
        if not hasattr(self, "said"):
            self.said = [set() for _n in range(DEVICES)]
        return self.said[n]

    def pending(self, n):
        return [end for end in self.ended(n) if end not in self.confirmed(n)]


SHORT = settings(QUICK, max_examples=extent(5, 12), stateful_step_count=20, phases=[Phase.generate])


def test_no_handover_or_undo_loses_or_invents_a_request():
    run_state_machine_as_test(WipingMachine, settings=SHORT)


def test_the_machine_detects_an_assignment_that_drops_the_request(monkeypatch):
    """The negative control: the former behavior, in which an assignment withdraws the request."""
    honest = ledger.assign

    def forgetful(device_ids, act, **how):
        outcome = honest(device_ids, act, **how)
        Device.objects.filter(pk__in=outcome.done).update(wipe_asked_at=None, wipe_since=None, wipe_confirmed_at=None)
        return outcome

    monkeypatch.setattr(ledger, "assign", forgetful)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(WipingMachine, settings=BLIND)
