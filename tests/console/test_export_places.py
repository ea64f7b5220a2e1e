"""Exports leave threads to everyone else: few run at once per process, fewer per person, and HEAD builds none."""

import gc
import threading
from types import SimpleNamespace

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections
from django.urls import reverse

from console import export, places
from console.errors import Refused
from console.models import Event
from tests.api import Caller, key_of
from tests.claims import worlds
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty():
    gc.collect()
    assert places.taken() == 0
    # As Django's test client does: the end of an answer is not the end of the test's transaction.
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)
    gc.collect()
    assert places.taken() == 0


@pytest.fixture
def ask(rf):
    """An export of a person, begun and not read to its end."""

    def begin(who, form="csv", rows=((1,), (2,))):
        request = rf.get("/", {"format": form})
        request.actor = SimpleNamespace(user_id=who, key_id=None)
        return export.stream(request, "x", ["n"], iter([list(row) for row in rows]))

    return begin


def refusal(begin):
    with pytest.raises(Refused) as refused:
        begin()
    assert refused.value.headers == {"Retry-After": "15"}
    return refused.value.status, refused.value.code


def test_nobody_holds_more_than_a_few_places(ask):
    held = [ask(1) for _each in range(places.OF_ONE)]
    assert refusal(lambda: ask(1)) == (429, "export_running")
    # Another person is served, and the first again when one of theirs is over.
    ask(2).close()
    assert b"".join(held.pop()) == b"\xef\xbb\xbfn\r\n1\r\n2\r\n"
    ask(1).close()


def test_all_together_leave_threads_to_those_who_export_nothing(ask):
    held = [ask(who) for who in range(places.PLACES)]
    assert refusal(lambda: ask(99)) == (503, "exports_busy")
    held.pop().close()
    ask(99).close()


def test_of_excel_files_there_are_fewer(ask):
    held = [ask(who, "xlsx") for who in range(places.HEAVY_PLACES)]
    assert refusal(lambda: ask(99, "xlsx")) == (503, "exports_busy")
    assert refusal(lambda: ask(0, "xlsx")) == (429, "export_running")
    ask(99, "csv").close()
    del held


def test_a_place_is_free_again_whatever_became_of_the_answer(ask):
    ask(1).close()
    answer = ask(1)
    next(iter(answer))
    answer.close()
    answer.close()
    del answer
    ask(1)
    gc.collect()
    assert places.taken() == 0


@pytest.mark.parametrize("is_limited", [True, False])
def test_sixteen_exports_of_one_person_hold_two_threads(monkeypatch, is_limited):
    """With its negative control."""
    if not is_limited:
        monkeypatch.setattr(places, "occupy", lambda answer, who, is_heavy: answer)
    go_on, running, over = threading.Event(), threading.Semaphore(0), threading.Semaphore(0)
    found = []

    def rows():
        running.release()
        go_on.wait(PATIENCE)
        yield ["1"]

    def download():
        try:
            request = SimpleNamespace(GET={}, actor=SimpleNamespace(user_id=1, key_id=None))
            answer = export.stream(request, "x", ["n"], rows())
            b"".join(answer)
            answer.close()
        except Refused as refused:
            found.append(refused.code)
        over.release()

    threads = [threading.Thread(target=download) for _each in range(16)]
    for thread in threads:
        thread.start()
    expected = places.OF_ONE if is_limited else 16
    assert all(running.acquire(timeout=PATIENCE) for _each in range(expected))
    assert all(over.acquire(timeout=PATIENCE) for _each in range(16 - expected))
    assert found == ["export_running"] * (16 - expected)
    go_on.set()
    for thread in threads:
        thread.join()


def test_a_busy_export_is_refused_in_the_console_and_over_rest(alice, client_for, monkeypatch):
    monkeypatch.setattr(places, "OF_ONE", 0)
    answer = client_for(alice).get(reverse("devices:device_export"))
    assert (answer.status_code, answer["Retry-After"]) == (429, "15")
    assert "Another of your downloads is still running." in answer.content.decode()
    answer = Caller(key_of(alice)).get("/devices.csv")
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (429, "export_running", "15")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_head_request_is_answered_without_the_file_and_reveals_nothing(form, alice, client_for, product, monkeypatch):
    profile = worlds.make_unit_profile(product)
    for name in ("_csv", "_xlsx"):
        monkeypatch.setattr(export, name, build_nothing)
    client, api = client_for(alice), Caller(key_of(alice))
    for url in ("/devices/export/", "/customers/export/", "/activity/export/", "/returns/export/"):
        answer = client.head(url, {"format": form})
        assert (answer.status_code, b"".join(answer)) == (200, b"")
        assert answer["Content-Disposition"].endswith(f'.{form}"')
    for url in ("/devices", "/events", f"/claim-profiles/{profile.pk}/units"):
        answer = api.client.head(f"/api/v1{url}.{form}", headers=api.headers)
        assert (answer.status_code, b"".join(answer)) == (200, b"")
    assert not Event.objects.filter(kind="claim_profile.codes_exported").exists()


def build_nothing(*_terms):
    raise AssertionError("it was built")
    yield
