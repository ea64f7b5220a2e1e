"""A chunk whose COMMIT fails did not happen: it is repeated completely, from its start."""

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from claims.models import ClaimCode
from claims.profiles.actions import codes as claim_codes
from console import operations
from console.models import Operation, OperationRow
from console.operations import beginning, outcome
from console.transactions import retrying
from customers.keys.actions import api_keys
from customers.models import ApiKey
from devices.actions import batches, ownership, undo
from devices.models import Device
from tests import factories
from tests.api import Caller, key_of
from tests.claims.worlds import make_unit_profile

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr("console.operations.outcome.CHUNK", 3)
    monkeypatch.setattr(claim_codes, "BATCH", 3)


@pytest.fixture
def lose_commits(monkeypatch):
    """Roll back and fail the commits with these numbers, counted from now on, as if the server ended the session."""

    def lose(*lost):
        commit, count = BaseDatabaseWrapper._commit, iter(range(1, 10_000))

        def failing(self):
            if next(count) not in lost:
                return commit(self)
            self._rollback()
            raise OperationalError("terminating connection")

        monkeypatch.setattr(BaseDatabaseWrapper, "_commit", failing)

    return lose


def owned(customer):
    return set(Device.objects.filter(customer=customer).values_list("pk", flat=True))


@pytest.mark.parametrize("lost", [(1,), (2,), (2, 3), (3,)])
def test_a_bulk_operation_repeats_the_chunk(lost, make_devices, customer, by, lose_commits):
    ids = [device.pk for device in make_devices(9)]
    operation = batches.assign("id", [*map(str, ids), "4711", str(ids[0])], customer=customer, by=by)
    lose_commits(*lost)
    operations.run(operation.pk)
    operation.refresh_from_db()
    assert (operation.state, operation.succeeded, owned(customer)) == ("done", 9, set(ids))
    assert list(OperationRow.objects.values_list("position", "code")) == [(10, "not_found"), (11, "duplicate")]


def test_without_resetting_the_position_the_chunk_would_be_missing(
    make_devices, customer, by, lose_commits, monkeypatch
):
    """The negative control: retrying from the position that the lost attempt had reached."""
    ids = [device.pk for device in make_devices(9)]
    monkeypatch.setattr(outcome, "_one_chunk", retrying(outcome._one_chunk.__wrapped__))
    monkeypatch.setattr("console.operations.running._retry", lambda operation: None)
    operation = batches.assign("id", list(map(str, ids)), customer=customer, by=by)
    lose_commits(2)
    operations.run(operation.pk)
    operation.refresh_from_db()
    # The counter of the chunk notices that this is not the next one, and nothing of it is kept.
    assert operation.state == "running"
    assert owned(customer) < set(ids)


def test_undoing_and_creating_codes_repeat_the_chunk_too(
    make_devices, product, customer, by, lose_commits, monkeypatch
):
    for module in (claim_codes, beginning):
        monkeypatch.setattr(module, "IN_REQUEST", 0)
    ids = [device.pk for device in make_devices(7)]
    done = batches.assign("id", list(map(str, ids)), customer=customer, by=by)
    operations.run(done.pk)
    done.refresh_from_db()
    back = undo.begin(done, by=by)
    lose_commits(2)
    operations.run(back.pk)
    assert owned(customer) == set()
    profile = make_unit_profile(None, organization=product.organization)
    _count, making = claim_codes.add_units(profile, ids, by=by)
    lose_commits(2)
    operations.run(making.pk)
    assert ClaimCode.objects.filter(profile=profile).count() == 7


def test_revoking_a_key_stops_its_operation_after_the_current_chunk(alice, customer, make_devices, monkeypatch):
    ids = [device.pk for device in make_devices(9)]
    called = (
        Caller(key_of(alice))
        .post(f"/customers/{customer.pk}/devices:assign", {"named_by": "id", "devices": list(map(str, ids))})
        .json()
    )
    original = ownership.assign

    def assign(*args, **kwargs):
        if not owned(customer):
            api_keys.revoke(ApiKey.objects.get(), by=factories.actor_of(alice))
        return original(*args, **kwargs)

    monkeypatch.setattr(ownership, "assign", assign)
    operations.run(called["id"])
    operation = Operation.objects.get(pk=called["id"])
    assert (operation.state, operation.succeeded) == ("failed", 3)
    assert operation.sentence == "The person who started this is no longer allowed to do it."
    assert len(owned(customer)) == 3
    assert connection.in_atomic_block is False
