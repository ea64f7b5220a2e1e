"""What tests see after they killed a process: nothing of it happens any more."""

import pytest
from django.db import connection

from console.models import Throttle
from tests import killing

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


def write_slowly():
    """One statement that writes at its end, some seconds after it began, and commits by itself."""
    Throttle.objects.create(key="begun", window=0)
    with connection.cursor() as cursor:
        cursor.execute(
            'WITH late AS MATERIALIZED (SELECT pg_sleep(4)) INSERT INTO console_throttle (key, "window", count, tries)'
            " SELECT 'late', 0, 1, '[]' FROM late"
        )


def is_at_it():
    with connection.cursor() as cursor:
        # Of this database: the same test may run in another one of this server.
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'WITH late%' AND state = 'active'"
            " AND datname = current_database()"
        )
        return cursor.fetchone() is not None


@pytest.fixture
def server():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no server that could go on after its asker's death")


def test_what_the_server_still_did_for_a_killed_process_is_seen(server):
    assert killing.run_and_kill(write_slowly, is_at_it)
    assert set(Throttle.objects.values_list("key", flat=True)) == {"begun", "late"}


def test_without_waiting_for_the_server_it_is_not_yet_seen(server, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(killing, "_sessions", list)
    assert killing.run_and_kill(write_slowly, is_at_it)
    assert set(Throttle.objects.values_list("key", flat=True)) == {"begun"}
