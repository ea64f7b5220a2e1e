"""Concurrent changes to one customer, in separate processes. Without its guard, each race is lost."""

from collections import Counter

import pytest
from django.db import connection

from console.access import system
from console.errors import Refused
from console.models import Event
from customers.directory import actions as customers
from customers.imports.actions import IMPORTER as imports
from customers.models import Customer, CustomerImport, CustomerUser
from customers.people.actions import people
from devices.actions import ownership
from devices.models import Device
from tests import factories, processes
from tests.extent import extent
from tests.waiting import until

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
EACH = 8


def answered(act, *arguments, **named) -> str:
    try:
        act(*arguments, **named)
    except Refused as refusal:
        return refusal.code
    return "done"


def race_of_archiving_and_assigning(organization, product) -> list[Customer]:
    """Archive each customer in one process while another assigns a device to it. Return those that break the rule."""
    by = system(organization)
    made = [factories.make_customer(organization, f"Customer {n}") for n in range(EACH)]
    units = [factories.make_device(product) for _each in range(EACH)]

    def act(number: int) -> str:
        customer, device = made[number // 2], units[number // 2]
        if number % 2:
            return answered(customers.archive, customer, by=by)
        return answered(ownership.assign, [device.pk], customer=customer, by=by)

    answers = processes.run(2 * EACH, lambda number: number, act)
    assert set(answers) <= {"done", "archived", "owns_devices"}, answers
    return list(Customer.objects.owning().exclude(archived_at=None))


def test_an_archived_customer_never_owns_a_device_however_close_the_race(organization, product):
    for _round in range(extent(1, 4)):
        assert race_of_archiving_and_assigning(organization, product) == []


def test_without_the_lock_an_archived_customer_can_own_a_device(organization, product, monkeypatch):
    """The negative control: the customer is read without a lock, and the assignment takes a moment."""
    meet = processes.meeting(2 * EACH)

    def look(customer: Customer) -> None:
        if not Customer.objects.filter(pk=customer.pk, archived_at=None).exists():
            raise Refused("archived", "It is archived.")
        meet()
        until(Customer.objects.filter(pk=customer.pk).exclude(archived_at=None).exists)

    def careless(customer: Customer, *, by, at=None) -> None:
        meet()
        if not Device.objects.filter(customer=customer).exists():
            Customer.objects.filter(pk=customer.pk).update(archived_at="2026-11-01T00:00Z")

    if connection.vendor == "sqlite":
        # SQLite has one writer at a time; unless the lock is taken at the start, it is just as blind.
        monkeypatch.setattr(ownership, "assign", ownership.assign.__wrapped__)
    monkeypatch.setattr(customers, "lock", look)
    monkeypatch.setattr(customers, "archive", careless)
    assert race_of_archiving_and_assigning(organization, product)


def test_thirty_two_concurrent_invitations_create_one_person(organization):
    customer, by = factories.make_customer(organization), system(organization)

    def invite(number: int) -> str:
        return answered(people.invite, customer, email="eva@aalen.example", role="viewer", by=by)

    answers = Counter(processes.run(32, lambda number: number, invite))
    assert set(answers) <= {"done", "busy"}, answers
    assert CustomerUser.objects.count() == 1
    assert Event.objects.filter(kind="customer.person_invited").count() == 1


def test_sixteen_concurrent_requests_for_a_reference_create_one_customer(organization):
    by = system(organization)

    def make(number: int) -> str:
        return answered(customers.create, by=by, name=f"Customer {number}", reference="K-1")

    answers = Counter(processes.run(16, lambda number: number, make))
    assert (answers, Customer.objects.count()) == ({"done": 1, "duplicate": 15}, 1)


def test_a_file_applied_sixteen_times_at_once_is_applied_once(organization):
    by = system(organization)
    row = imports.receive("customers.csv", [b"name\n" + b"".join(b"C%d\n" % n for n in range(50))], by=by)
    imports.check(row, by=by)

    def apply(row: CustomerImport) -> str:
        return answered(imports.apply, row, version=row.version, by=by)

    fresh = CustomerImport.objects.select_related("organization", "operation")
    answers = Counter(processes.run(16, lambda number: fresh.get(), apply))
    assert (answers, Customer.objects.count()) == ({"done": 1, "applied_already": 15}, 50)
