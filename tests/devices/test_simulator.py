"""The simulator against a real server: it publishes, answers, reports and wipes like a device, and uses no other's."""

import stat
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from random import Random
from threading import Event, Thread

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command, load_command_class

from devices import demo_messages, ledger
from devices.acts import Act
from devices.calls import actions as calls
from devices.device_api import authentication
from devices.messages.ledger_check import check
from devices.models import Call, Device, DeviceReport, Message
from devices.simulator import fleet
from devices.simulator.unit import Unit
from tests import factories
from tests.devices.telling import fresh, give_secret
from tests.waiting import PATIENCE, until


@pytest.fixture(autouse=True)
def apart(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    authentication.forget()


def run_until(units, condition):
    """Run the simulated devices until the condition holds."""
    over = Event()
    thread = Thread(target=fleet.run, args=(units, over, PATIENCE))
    thread.start()
    try:
        until(condition)
    finally:
        over.set()
        thread.join()


def all_told(devices):
    told = set(Message.objects.values_list("device", flat=True))
    is_wiped = fresh(devices[0]).wipe_confirmed_at is not None
    return is_wiped and told == {device.pk for device in devices} and DeviceReport.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_simulated_devices_behave_like_devices(live_server, organization, customer, alice, make_devices):
    by, devices = factories.actor_of(alice), make_devices(2)
    ledger.assign([devices[0].pk], Act(by), customer=customer, project=customer.projects.get(), reason="assignment")
    ledger.release([devices[0].pk], Act(by), reason="unclaim")
    asked = [
        calls.ask(devices[0], kind=kind, name=name, by=by, timeout=300)
        for kind, name in (("variable", "battery"), ("function", "identify"), ("variable", "nothing"))
    ]
    units = fleet.make(fleet.choose(organization, 2), live_server.url, seed=1, every=0.5)
    run_until(units, lambda: sum(unit.answered for unit in units) == 3 and all_told(devices))
    assert all(unit.published for unit in units)
    assert set(Message.objects.values_list("device", flat=True)) == {device.pk for device in devices}
    assert DeviceReport.objects.count() == 2
    assert fresh(devices[0]).wipe_confirmed_at is not None
    states = [Call.objects.get(pk=call.pk) for call in asked]
    assert [call.state for call in states] == ["answered", "answered", "failed"]
    assert states[1].result is True
    assert sum(unit.answered for unit in units) == 3


@pytest.mark.django_db
def test_a_device_with_its_own_secret_is_left_alone(organization, make_devices):
    real, other = make_devices(2)
    secret = give_secret(real)
    kept = fresh(real).secret_sha256
    found = fleet.choose(organization, 5)
    assert [name for name, _secret in found] == [other.device_name]
    assert fresh(real).secret_sha256 == kept
    # The next time it is the same device, with the same secret.
    assert fleet.choose(organization, 5) == found
    assert secret not in (fleet._path()).read_text()
    assert stat.S_IMODE(fleet._path().stat().st_mode) == 0o600


@pytest.mark.parametrize(("waiting", "expected"), [(0, 0), (1, 1), (2, 2), (99, 3), (None, 3)])
def test_a_limited_number_waits_at_the_server_and_the_others_poll(waiting, expected):
    found = [(f"unit-{n}", "secret") for n in range(3)]
    units = fleet.make(found, "http://127.0.0.1:9", seed=1, every=30, waiting=waiting)
    assert [unit.pause for unit in units] == [0] * expected + [fleet.PAUSE] * (3 - expected)


def test_devices_poll_less_often_if_there_are_many():
    units = fleet.make([("unit", "secret")] * 200, "http://127.0.0.1:9", seed=1, every=30, waiting=2)
    assert units[-1].pause == 200 / fleet.ASKED_A_SECOND


@pytest.mark.parametrize(("pause", "asked"), [(0.01, {0}), (0, {1})])
def test_a_polling_device_asks_without_a_wait(pause, asked, monkeypatch):
    unit, over, seconds = Unit("name", "secret", "http://127.0.0.1:9", chance=Random(1), pause=pause), Event(), []

    def waiting(wait):
        seconds.append(wait)
        over.set()
        return [], 0.0

    monkeypatch.setattr(unit, "waiting", waiting)
    monkeypatch.setattr("devices.simulator.unit.LONGEST_WAIT", 1)
    unit.listen(over, time.monotonic() + PATIENCE)
    assert set(seconds) == asked


@pytest.mark.django_db(transaction=True)
def test_a_polling_device_answers_its_calls_too(live_server, organization, device, alice, monkeypatch):
    monkeypatch.setattr(fleet, "PAUSE", 0.1)
    call = calls.ask(device, kind="variable", name="battery", by=factories.actor_of(alice), timeout=300)
    units = fleet.make(fleet.choose(organization, 1), live_server.url, seed=1, every=0.5, waiting=0)
    run_until(units, lambda: Call.objects.filter(pk=call.pk, state="answered").exists())
    assert Call.objects.get(pk=call.pk).state == "answered"


def test_the_demo_leaves_waiting_places_for_other_devices():
    (command,) = settings.DEMO_ALSO.values()
    parser = load_command_class("devices", command[0]).create_parser("manage.py", command[0])
    asked = parser.parse_args(command[1:])
    assert 0 < asked.waiting < settings.DEVICE_WAITS
    assert 0 < parser.get_default("waiting") < settings.DEVICE_WAITS


@pytest.mark.django_db
def test_an_unavailable_server_is_tried_again(organization, device):
    over = Event()
    unit = Unit("name-of-it", "secret", "http://127.0.0.1:9", chance=Random(1), every=0.1)
    thread = Thread(target=unit.live, args=(over, float("inf")), daemon=True)
    thread.start()
    over.wait(0.5)
    assert thread.is_alive()
    over.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.django_db
def test_the_command_says_what_is_missing(organization, other_organization):
    with pytest.raises(CommandError, match="--organization"):
        call_command("simulate", "--for", "0", stdout=StringIO())
    with pytest.raises(CommandError, match="No device"):
        call_command("simulate", "--for", "0", "--organization", organization.slug, stdout=StringIO())


@pytest.mark.django_db
@pytest.mark.parametrize(("option", "number"), [("--devices", "0"), ("--devices", "-3"), ("--waiting", "-1")])
def test_invalid_numbers_are_refused_with_the_allowed_range(device, option, number):
    with pytest.raises(CommandError, match=f"The number of .*{option} must be . or more"):
        call_command("simulate", "--for", "0", option, number, stdout=StringIO())
    assert fresh(device).secret_sha256 == ""


@pytest.mark.django_db
@pytest.mark.parametrize(("number", "is_told"), [(2, False), (5, True)])
def test_the_command_says_how_many_devices_it_uses_if_there_are_fewer_than_requested(
    make_devices, number, is_told, monkeypatch
):
    make_devices(2)
    monkeypatch.setattr(fleet, "run", lambda units, over, seconds: None)
    monkeypatch.setattr("signal.signal", lambda *args: None)
    # This connection belongs to the test.
    monkeypatch.setattr("devices.management.commands.simulate.connection.close", lambda: None)
    said = StringIO()
    call_command("simulate", "--for", "0", "--devices", str(number), stdout=said)
    assert ("Only 2 of 5 devices can be simulated" in said.getvalue()) is is_told
    assert "2 devices call " in said.getvalue()


@pytest.mark.django_db
def test_the_demo_gets_days_of_messages_in_their_projects(customer, alice, make_devices):
    at, devices = datetime(2026, 11, 20, 12, tzinfo=UTC), make_devices(2)
    Device.objects.update(created_at=at - timedelta(days=30))
    ledger.assign(
        [devices[0].pk],
        Act(factories.actor_of(alice), at=at - timedelta(days=1)),
        customer=customer,
        project=customer.projects.get(),
        reason="assignment",
    )
    count = demo_messages.load([fresh(device) for device in devices], at, Random(1))
    assert count == Message.objects.count() > 200
    assert list(check()) == []
    owned = Message.objects.filter(project=customer.projects.get())
    assert 0 < owned.count() < Message.objects.filter(device=devices[0]).count()
    assert not Message.objects.filter(at__gte=at).exists()
