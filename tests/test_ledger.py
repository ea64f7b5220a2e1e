"""The comparison that follows every test finds what the checks find, even after it found nothing in the same rows."""

import pytest
from django.db import connection, transaction
from django.utils import timezone

from claims.models import ClaimCode, Return, Shipment
from console import ledger_check
from console.models import NameWord, Organization
from console.slots import path
from customers.models import ProjectMember
from devices.models import Device, Message
from tests import ledger
from tests.access_world import rows

pytestmark = pytest.mark.django_db

# What makes each check find something in the world of the access table.
BREAKS = {
    "customers.projects.ledger_check.check": lambda: ProjectMember.objects.update(
        organization=Organization.objects.last()
    ),
    "customers.directory.word_check.check": lambda: NameWord.objects.filter(kind="customer").delete(),
    "devices.word_check.check": lambda: NameWord.objects.filter(kind="product").delete(),
    "devices.ledger_check.check": lambda: Device.objects.update(customer=None, status="in_stock"),
    "claims.redemption.ledger_check.check": lambda: ClaimCode.objects.update(version=2),
    "claims.returns.ledger_check.check": lambda: Return.objects.update(state="received"),
    "claims.shipments.ledger_check.check": lambda: Shipment.objects.update(unit_count=7),
    "devices.messages.ledger_check.check": lambda: Message.objects.update(project=None),
}

# These compare rows in Python, so they read some although all is well.
READ_ROWS = ["customers.directory.word_check.check", "devices.word_check.check", "claims.redemption.ledger_check.check"]


@pytest.fixture
def world(organization, other_organization, device, customer, dana, product, alice, make_devices):
    """One row of each kind. Nothing of the broken one is left for the comparison after the test."""
    owned = make_devices(1)[0]
    made = rows(organization, device, customer, dana, product, alice, owned)
    Message.objects.create(organization=organization, device=owned, project=made["project"], at=timezone.now())
    return made


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_is_found_though_nothing_was_found_before(name, world):
    (check,) = [check for check in ledger_check.checks if path(check) == name]
    assert (ledger.problems(), ledger.problems()) == ([], [])
    for _again in range(2):
        with transaction.atomic():
            BREAKS[name]()
            found = list(check())
            assert found
            assert set(found) <= set(ledger.problems())
            transaction.set_rollback(True)
        assert ledger.problems() == []


def test_each_check_is_broken_once():
    assert set(BREAKS) == {path(check) for check in ledger_check.checks} == set(ledger.ROOTS)


def test_a_check_is_not_asked_again_for_what_it_has_read(world, monkeypatch):
    assert ledger.problems() == []
    asked = []
    monkeypatch.setattr(ledger, "_ask", lambda check: asked.append(path(check)) or [])
    assert ledger.problems() == []
    # On PostgreSQL, what was read with rows is read by the check itself.
    assert set(asked) <= ({*READ_ROWS} if connection.vendor == "postgresql" else set())
