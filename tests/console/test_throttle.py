"""The count of tries: a window that slides, exact also where many try at once."""

import threading

import pytest
from django.db import connection, connections

from console import throttle
from console.errors import Refused
from console.models import Throttle
from tests import processes

LIMIT = {"limit": 6, "seconds": 60}


def tries(*times: float) -> list[bool]:
    return [throttle.has_left("guess", "dana", **LIMIT, at=at) for at in times]


@pytest.mark.django_db
def test_no_stretch_of_the_window_holds_more_than_the_limit():
    """A window that starts over each minute would allow all six at 59 s, and all six again at 61 s."""
    taken = [at / 2 for at in range(0, 600) if throttle.has_left("guess", "dana", **LIMIT, at=at / 2)]
    assert max(sum(start <= at < start + 60 for at in taken) for start in taken) == 6
    # And whoever waits is not kept waiting much longer than that.
    assert len(taken) >= 6 * 4


@pytest.mark.django_db
def test_what_was_tried_at_the_end_of_a_minute_counts_at_the_beginning_of_the_next():
    assert tries(59, 59, 59, 59, 59, 59, 61, 90, 113) == [True] * 6 + [False] * 3
    assert tries(126) == [True]


@pytest.mark.django_db
def test_a_refusal_says_when_to_try_again_and_it_works_then():
    tries(*[100] * 6)
    with pytest.raises(Refused) as refusal:
        throttle.spend("guess", "dana", **LIMIT, at=110)
    wait = int(refusal.value.headers["Retry-After"])
    assert tries(110 + wait - 2, 110 + wait) == [False, True]


@pytest.mark.django_db
def test_a_refused_try_does_not_make_the_wait_longer():
    tries(*[100] * 6)
    assert tries(*[150] * 50) == [False] * 50
    assert tries(167) == [True]


@pytest.mark.django_db
def test_a_try_that_was_no_guess_is_given_back():
    tries(*[100] * 6)
    throttle.give_back("guess", "dana")
    throttle.give_back("guess", "erin")
    assert tries(101, 101) == [True, False]


@pytest.mark.django_db
def test_places_are_counted_apart_and_a_place_has_one_row():
    tries(*range(1000, 1060))
    assert throttle.has_left("guess", "erin", **LIMIT, at=1060)
    assert throttle.has_left("other", "dana", **LIMIT, at=1060)
    assert Throttle.objects.count() == 3


@pytest.mark.django_db
def test_asking_whether_there_is_room_counts_nothing():
    tries(*[100] * 5)
    assert [throttle.has_room("guess", "dana", **LIMIT, at=100) for _each in range(3)] == [True] * 3
    tries(100)
    assert not throttle.has_room("guess", "dana", **LIMIT, at=100)
    assert throttle.has_room("guess", "dana", **LIMIT, at=167)


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_of_many_processes_no_more_get_through_than_the_limit():
    results = processes.run(
        8,
        lambda index: index,
        lambda _index: sum(throttle.has_left("guess", "dana", **LIMIT, at=100) for _each in range(5)),
    )
    assert sum(results) == 6


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_without_holding_the_row_more_would_get_through(monkeypatch):
    """The control: two who read at once both find room for the last one."""
    tries(*[100] * 5)
    barrier, read, results = threading.Barrier(2), throttle._read, []

    def read_together(key: str) -> list:
        found = read(key)
        barrier.wait(30)
        return found

    # A transaction alone keeps them apart on SQLite; holding the row does on PostgreSQL.
    monkeypatch.setattr(throttle, "_hold", lambda key: 1)
    monkeypatch.setattr(throttle, "_read", read_together)
    monkeypatch.setattr(throttle.transaction, "atomic", Together)

    def act() -> None:
        results.append(throttle.has_left("guess", "dana", **LIMIT, at=100))
        connections.close_all()

    threads = [threading.Thread(target=act) for _each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    monkeypatch.undo()
    assert results == [True, True]
    assert connection.is_usable()


class Together:
    """No transaction."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_args: object) -> None:
        pass
