"""Counts up to a cap, and what is remembered of them."""

import pytest

from console import counts
from customers.models import Customer
from devices.models import Device
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_at_most(monkeypatch):
    monkeypatch.setattr(counts, "CAP", 3)


def test_a_count_is_exact_up_to_the_cap_and_one_more_beyond(make_devices):
    assert counts.of(Device.objects.all()) == 0
    make_devices(3)
    assert counts.of(Device.objects.all()) == 3
    make_devices(2)
    assert counts.of(Device.objects.all()) == 4


def test_only_what_is_beyond_the_cap_is_remembered(make_devices, django_assert_num_queries):
    make_devices(2)
    rows = Device.objects.all()
    with django_assert_num_queries(2):
        assert [counts.of(rows), counts.of(rows)] == [2, 2]
    make_devices(2)
    with django_assert_num_queries(1):
        assert [counts.of(rows), counts.of(rows)] == [4, 4]


def test_what_is_remembered_is_of_these_rows_alone(make_devices):
    devices = make_devices(4)
    assert counts.of_each([Device.objects.all(), Device.objects.filter(pk=devices[0].pk)]) == [4, 1]
    assert counts.of_each([Device.objects.filter(pk=devices[0].pk), Device.objects.all()]) == [1, 4]


def test_remembered_counts_are_counted_again_after_half_a_minute(make_devices, monkeypatch):
    now = 1_000.0
    monkeypatch.setattr(counts.time, "monotonic", lambda: now)
    devices = make_devices(4)
    assert counts.of(Device.objects.all()) == 4
    Device.objects.filter(pk=devices[0].pk).purge()
    assert counts.of(Device.objects.all()) == 4
    now += counts.SECONDS_KEPT + 1
    assert counts.of(Device.objects.all()) == 3


def test_rows_that_cannot_be_are_none(product):
    assert counts.of(Device.objects.none()) == 0
    assert counts.of_parents(Customer, [1, 2], Device.objects.none(), "customer_id") == {1: 0, 2: 0}


def test_each_parent_is_counted_and_remembered_by_itself(product, organization, customer, actor):
    from devices.actions import ownership

    by, other_customer = actor("owner"), factories.make_customer(organization, "Vineyard")
    many, few = (
        [factories.make_device(product, f"{name}-{n}").pk for n in range(count)] for name, count in (("M", 5), ("F", 2))
    )
    ownership.assign(many, customer=customer, by=by)
    ownership.assign(few, customer=other_customer, by=by)
    ids = [customer.pk, other_customer.pk]
    expected = {customer.pk: 4, other_customer.pk: 2}
    for _time in range(2):
        assert counts.of_parents(Customer, ids, Device.objects.all(), "customer_id") == expected
