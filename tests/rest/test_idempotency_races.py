"""The same call at once from many: one does it, the others get its answer."""

import pytest

from console.models import Event
from console.rest import idempotency
from devices.models import Product
from tests import processes
from tests.api import Caller, key_of

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
TOKEN = {"Idempotency-Key": "order-7"}


def test_sixteen_who_send_the_same_call_at_once_make_one_product_and_get_one_answer(alice):
    key = key_of(alice)

    def act(caller):
        answer = caller.post("/products", {"name": "Flow Probe"}, headers=TOKEN)
        return answer.status_code, answer.content

    found = processes.run(16, lambda _n: Caller(key), act)
    assert {status for status, _content in found} == {201}
    assert len({content for _status, content in found}) == 1
    assert (Product.objects.count(), Event.objects.filter(kind="product.created").count()) == (1, 1)


def test_without_the_kept_answer_the_others_are_refused(alice, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(idempotency, "once", lambda token, *, key_id, said, act: act())
    key = key_of(alice)
    found = processes.run(
        8,
        lambda _n: Caller(key),
        lambda caller: caller.post("/products", {"name": "Flow Probe"}, headers=TOKEN).status_code,
    )
    assert sorted(found)[0] == 201
    assert set(found) - {201} <= {409, 422}
    assert found.count(201) == 1


def test_a_process_that_dies_after_its_work_has_done_both_or_neither(alice, monkeypatch):
    """The answer is in the transaction of the work: where it can't be kept, the work is not done."""
    original = idempotency.IdempotentAnswer.objects.filter

    def broken(*args, **kwargs):
        if "pk" in kwargs:
            raise RuntimeError("the power is gone")
        return original(*args, **kwargs)

    monkeypatch.setattr(idempotency.IdempotentAnswer.objects, "filter", broken)
    caller = Caller(key_of(alice))
    with pytest.raises(RuntimeError):
        caller.post("/products", {"name": "Flow Probe"}, headers=TOKEN)
    assert not Product.objects.exists()
    monkeypatch.undo()
    assert caller.post("/products", {"name": "Flow Probe"}, headers=TOKEN).status_code == 201
