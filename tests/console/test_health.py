"""What is watched from outside."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from console import health, liveness
from console.models import WorkerHeartbeat

pytestmark = pytest.mark.django_db


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
        "checks": {"database": "ok", "migrations": "ok", "worker": "ok"},
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

    for name in ("_database", "_migrations", "_worker"):
        monkeypatch.setattr(health, name, gone)
    response = client.get("/readyz")
    assert (response.status_code, set(response.json()["checks"].values())) == (503, {"unreachable"})
    assert "secret" not in response.content.decode()
