"""The demo organization is large enough to look alive, and consistent."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.management import call_command, load_command_class
from django.test import RequestFactory

from claims.demo import load as demo
from claims.models import Claim, ClaimProfile, ClaimStep, Step
from console.models import Event, Member, Organization
from customers.models import Customer, CustomerUser
from devices.identifiers import clean_iccid, clean_imei, clean_mac
from devices.models import Device, Message, Ownership, Product

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_the_demo_looks_alive_and_is_loaded_only_once():
    assert demo.load(now=NOW) is True
    facts = [model.objects.count() for model in (Product, Device, Customer, ClaimProfile, Member)]
    assert Message.objects.count() > 3_000
    assert facts == [3, 2000, 12, 7, 6]
    assert_people_can_sign_in()
    assert_claims_fill_the_last_ninety_days()
    assert_devices_came_back_and_went_out_again()
    assert_everything_lies_in_the_past_and_in_order()
    assert_identifiers_are_valid()
    counts = [model.objects.count() for model in (Event, Ownership, Claim, ClaimStep)]
    assert demo.load(now=NOW) is False
    assert [model.objects.count() for model in (Event, Ownership, Claim, ClaimStep)] == counts
    assert Organization.objects.count() == 1


def assert_people_can_sign_in():
    said = StringIO()
    call_command("load_demo", stdout=said)
    for _role, email, password in demo.sign_ins()[:-1]:
        assert f"{email}" in said.getvalue()
        assert authenticate(RequestFactory().get("/"), email=email, password=password).email == email
    assert CustomerUser.objects.filter(user__email="dana@aalen.example", role="admin").exists()
    assert set(Member.objects.values_list("role", flat=True)) == {
        "owner",
        "administrator",
        "product_manager",
        "fulfilment",
        "support",
        "viewer",
    }


def assert_claims_fill_the_last_ninety_days():
    days = {(NOW - claim.at).days for claim in Claim.objects.all()}
    assert Claim.objects.count() > 200
    assert len(days) > 60
    assert max(days) <= 92
    steps = {step: ClaimStep.objects.filter(step=step).count() for step in Step.values}
    assert steps["scan"] > steps["sign_in"] > steps["claim"] == Claim.objects.count()
    assert steps["refusal"] > 20
    kinds = set(ClaimProfile.objects.values_list("scope", "grant", "is_enabled"))
    assert kinds == {
        ("unit", "ownership", True),
        ("link", "access", True),
        ("link", "access", False),
        ("link", "ownership", True),
    }
    used_up = ClaimProfile.objects.get(slug="starter-kit-munich")
    assert (used_up.claim_count, used_up.max_claims) == (1, 1)


def assert_devices_came_back_and_went_out_again():
    back = Ownership.objects.filter(end_reason="unclaim")
    assert back.count() == 64
    assert Ownership.objects.filter(device__in=back.values("device"), ended_at=None).count() > 10
    assert Device.objects.filter(status="returned").count() > 3
    assert Device.objects.filter(is_development=True).count() == 12


def assert_everything_lies_in_the_past_and_in_order():
    times = list(Event.objects.order_by("pk").values_list("at", flat=True))
    assert times == sorted(times)
    assert times[-1] < NOW
    assert times[0] > NOW - timedelta(days=160)
    assert not Ownership.objects.filter(started_at__gt=NOW).exists()
    assert not ClaimStep.objects.filter(at__gt=NOW).exists()


def assert_identifiers_are_valid():
    for device in Device.objects.all():
        assert clean_mac(device.mac) == device.mac
        if device.imei:
            assert (clean_imei(device.imei), clean_iccid(device.iccid)) == (device.imei, device.iccid)


def test_the_demo_command_simulates_some_of_its_devices():
    (command,) = settings.DEMO_ALSO.values()
    parser = load_command_class("devices", command[0]).create_parser("manage.py", command[0])
    asked = parser.parse_args(command[1:])
    assert (command[0], asked.organization) == ("simulate", demo.SLUG)
    assert 0 < asked.devices <= demo.TALKING
