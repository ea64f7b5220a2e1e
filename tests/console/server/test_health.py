"""What is watched from outside."""

import errno
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from console import liveness
from console.models import WorkerHeartbeat
from console.server import health, outage
from customers.keys import credentials as keys

pytestmark = pytest.mark.django_db
SQLITE, POSTGRESQL = connection.vendor == "sqlite", connection.vendor == "postgresql"


@pytest.fixture(autouse=True)
def tried_anew():
    health.forget()


def test_a_living_process_says_so_without_the_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_a_server_with_all_it_needs_is_ready(client):
    liveness.beat("mail")
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "checks": {"database": "ok", "writes": "ok", "migrations": "ok", "worker": "ok"},
    }


def test_a_silent_worker_makes_it_not_ready(client):
    WorkerHeartbeat.objects.create(worker="w", queues="mail", at=timezone.now() - timedelta(seconds=61))
    response = client.get("/readyz")
    assert (response.status_code, response.json()["checks"]["worker"]) == (503, "silent")


def test_a_migration_that_was_not_applied_makes_it_not_ready(client):
    liveness.beat("mail")
    MigrationRecorder.Migration.objects.filter(app="console").order_by("-pk")[0].delete()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["checks"]["migrations"]) == (503, "pending")


def test_a_database_that_is_gone_makes_it_not_ready(client, monkeypatch):
    def gone():
        raise OperationalError("password=secret")

    for name in ("_database", "_writes", "_migrations", "_worker"):
        monkeypatch.setattr(health, name, gone)
    response = client.get("/readyz")
    assert (response.status_code, set(response.json()["checks"].values())) == (503, {"unreachable"})
    assert "secret" not in response.content.decode()


def test_a_monitor_needs_no_session_and_no_cookie_disturbs_it(client, django_assert_num_queries):
    client.cookies["custody"], client.cookies["custody_tz"] = "x" * 32, "a/" * 3000
    with django_assert_num_queries(0):
        assert client.get("/healthz").status_code == 200


@pytest.mark.skipif(not SQLITE, reason="This is how SQLite is made read-only; PostgreSQL has its own test below.")
def test_a_database_that_only_reads_is_a_503_and_not_ready(client, organization, dana):
    liveness.beat("mail")
    client.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only=1")
    try:
        page = client.post("/account/login/code/", {"email": "dana@aalen.example"})
        ready = client.get("/readyz")
        alive = client.get("/healthz")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only=0")
    _is_unavailable(page)
    assert (ready.status_code, ready.json()["checks"]["writes"]) == (503, "refused")
    assert ready.json()["checks"]["database"] == "ok"
    assert alive.status_code == 200


@pytest.mark.skipif(not SQLITE, reason="PostgreSQL can't be filled up without filling the machine's disk.")
def test_a_full_disk_is_an_outage_and_a_fault_of_ours_is_none():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count=1")
        try:
            with pytest.raises(OperationalError) as full, transaction.atomic():
                cursor.execute("CREATE TABLE filler AS SELECT zeroblob(50000000)")
        finally:
            cursor.execute("PRAGMA max_page_count=4294967294")
        with pytest.raises(OperationalError) as fault, transaction.atomic():
            cursor.execute("SELECT 1 FROM nowhere")
    assert outage.is_outage(full.value)
    assert not outage.is_conflict(full.value)
    assert not outage.is_outage(fault.value)
    assert outage.is_outage(OSError(errno.ENOSPC, "No space left on device"))
    assert not outage.is_outage(ValueError("no"))


def _is_unavailable(response):
    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert "Custody is unavailable right now" in response.content.decode()


@pytest.mark.skipif(not POSTGRESQL, reason="This is how PostgreSQL is made read-only; SQLite has its own test above.")
def test_a_postgresql_that_only_reads_is_a_503_and_not_ready(client, organization, dana):
    liveness.beat("mail")
    client.raise_request_exception = False
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        page = client.post("/account/login/code/", {"email": "dana@aalen.example"})
        ready = client.get("/readyz")
        transaction.set_rollback(True)
    _is_unavailable(page)
    assert (ready.status_code, ready.json()["checks"]["writes"]) == (503, "refused")


@contextmanager
def away():
    """The database is gone: no connection is there and none can be made."""

    def refuse(*_arguments, **_more):
        raise OperationalError("connection refused: password=secret")

    with patch.object(BaseDatabaseWrapper, "cursor", refuse):
        yield


@pytest.mark.parametrize("address", ["/devices/", "/c/AAAA", "/portal/", "/account/login/"])
def test_a_page_without_its_database_says_so(address):
    visitor = Client(raise_request_exception=False)
    visitor.cookies["custody"] = "x" * 32
    with away():
        response = visitor.get(address)
    _is_unavailable(response)
    assert "secret" not in response.content.decode()


@pytest.mark.parametrize("address", ["/api/v1/devices", "/device/v1/state"])
def test_a_program_gets_the_same_as_a_problem_document(address):
    key, secret = f"Bearer {keys.generate()}", "Basic YWJjZGVmOnh5eg=="
    visitor = Client(raise_request_exception=False)
    with away():
        response = visitor.get(address, headers={"Authorization": key if "api" in address else secret})
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response["Retry-After"] == "30"
