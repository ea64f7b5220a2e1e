"""Lists that are asked for one customer: an id is an id, and never the beginning of a name."""

import pytest

from console.rest import forms
from devices.actions import ownership
from tests import factories
from tests.api import Caller, key_of

pytestmark = pytest.mark.django_db

LISTS = ["/devices", "/returns", "/shipments", "/label-queue"]


@pytest.fixture
def named_by_digits(organization):
    """A customer whose name begins with digits that are no customer's id."""
    return factories.make_customer(organization, "987654 Utilities")


@pytest.mark.parametrize("path", LISTS)
def test_an_id_that_no_customer_has_is_not_taken_for_the_beginning_of_a_name(path, alice, named_by_digits):
    answer = Caller(key_of(alice)).get(path, customer="987654")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "customer", "detail": "There is none with this ID."}]


def test_without_the_comparison_the_name_would_be_found(alice, named_by_digits, monkeypatch):
    monkeypatch.setattr(forms, "Model", ())
    assert Caller(key_of(alice)).get("/devices", customer="987654").status_code == 200


@pytest.mark.parametrize("path", LISTS)
def test_an_id_is_not_cut_down_to_one_that_is_there(path, alice, organization):
    factories.make_customer(organization, pk=123_456_789_012_345_678)
    caller = Caller(key_of(alice))
    assert caller.get(path, customer="123456789012345678").status_code == 200
    assert caller.get(path, customer="1234567890123456789").status_code == 422


def test_the_devices_of_a_customer_are_listed_by_its_id(alice, device, named_by_digits):
    ownership.assign([device.pk], customer=named_by_digits, by=factories.actor_of(alice))
    answer = Caller(key_of(alice)).get("/devices", customer=str(named_by_digits.pk))
    assert [row["id"] for row in answer.json()["results"]] == [device.pk]
