"""What the workers do on the side: what is spent goes, what is needed stays."""

import time
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from console import throttle, upkeep, worker
from console.models import OutgoingMail, Throttle, User, WorkerHeartbeat
from console.tasks import deliver_mail

pytestmark = pytest.mark.django_db


def ago(**units):
    return timezone.now() - timedelta(**units)


def test_finished_tasks_go_after_a_week_and_waiting_ones_stay():
    for _each in range(4):
        deliver_mail.enqueue(0)
    old, recent, waiting, failed = DBTaskResult.objects.order_by("enqueued_at")
    DBTaskResult.objects.filter(pk=old.pk).update(status="SUCCESSFUL", finished_at=ago(days=8))
    DBTaskResult.objects.filter(pk=failed.pk).update(status="FAILED", finished_at=ago(days=8))
    DBTaskResult.objects.filter(pk=recent.pk).update(status="SUCCESSFUL", finished_at=ago(days=6))
    DBTaskResult.objects.filter(pk=waiting.pk).update(enqueued_at=ago(days=30))
    assert upkeep.delete_old_tasks() == 2
    assert set(DBTaskResult.objects.values_list("pk", flat=True)) == {recent.pk, waiting.pk}


def test_mail_goes_after_a_month():
    for days in (31, 29):
        OutgoingMail.objects.create(recipient="dana@aalen.example", message=b"x", created_at=ago(days=days))
    assert upkeep.delete_old_mail() == 1
    assert OutgoingMail.objects.count() == 1


def test_spent_counts_go_and_those_that_are_only_taken_turns_at_stay():
    now = time.time()
    throttle.spend("claim", "old", limit=5, seconds=60, at=now - 3 * 86400)
    throttle.spend("claim", "recent", limit=5, seconds=60, at=now)
    throttle.take_turn("unclaim", "bob")
    assert upkeep.delete_old_throttles() == 1
    assert Throttle.objects.count() == 2


def test_sessions_go_when_they_are_over():
    for key, expires in (("over", ago(minutes=1)), ("on", timezone.now() + timedelta(days=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=expires)
    assert upkeep.delete_old_sessions() == 1
    assert Session.objects.get().session_key == "on"


def test_people_who_never_verified_their_address_are_deleted_after_a_day(alice, dana):
    stranger = User.objects.create_user("stranger@mail.example", date_joined=ago(days=2))
    User.objects.create_user("today@mail.example")
    signed_in = User.objects.create_user("signed-in@mail.example", date_joined=ago(days=2))
    User.objects.filter(pk=signed_in.pk).update(last_login=ago(days=2))
    User.objects.filter(pk__in=[alice.pk, dana.pk]).update(date_joined=ago(days=9))
    assert upkeep.delete_old_strangers() == 1
    assert not User.objects.filter(pk=stranger.pk).exists()
    assert User.objects.count() == 4


def test_heartbeats_of_yesterday_go():
    for name, at in (("old", ago(days=2)), ("recent", ago(hours=2))):
        WorkerHeartbeat.objects.create(worker=name, queues="*", at=at)
    upkeep.tidy()
    assert WorkerHeartbeat.objects.get().worker == "recent"


def test_a_step_that_fails_does_not_stop_the_others(monkeypatch):
    def busy():
        raise OperationalError("database is locked")

    monkeypatch.setattr(upkeep, "connection", type("Connection", (), {"close": staticmethod(lambda: None)}))
    done = []
    upkeep._each([busy, lambda: done.append(1) or 0])
    assert done == [1]


def test_a_worker_survives_a_database_that_is_away(monkeypatch):
    serving = worker.QueueWorker(["mail"])
    answers = iter([OperationalError("gone"), OperationalError("gone"), None])

    def step():
        if (answer := next(answers)) is not None:
            raise answer
        serving.running = False

    monkeypatch.setattr(worker, "PAUSE_WITHOUT_DATABASE", 0)
    monkeypatch.setattr(worker, "connection", type("Connection", (), {"close": staticmethod(lambda: None)}))
    monkeypatch.setattr(serving, "step", step)
    serving.run()
    assert next(answers, "all were asked") == "all were asked"


def test_a_task_whose_end_could_not_be_written_is_given_back():
    deliver_mail.enqueue(0)
    serving = worker.QueueWorker(["mail"])
    serving.unfinished = serving.take()
    serving.hand_back()
    assert DBTaskResult.objects.get().status == "READY"
    assert serving.unfinished is None


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL counts by itself what its indexes hold")
def test_sqlite_learns_what_its_indexes_hold(product, make_devices):
    make_devices(5)
    upkeep.tidy()
    with connection.cursor() as cursor:
        cursor.execute("SELECT stat FROM sqlite_stat1 WHERE idx = 'device_by_serial'")
        assert cursor.fetchone()[0].startswith("5 ")
