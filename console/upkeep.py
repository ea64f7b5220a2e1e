"""Upkeep by the workers: requeues interrupted work and deletes expired rows."""

import logging
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import DatabaseError, InterfaceError, connection, models
from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from console import liveness, operations, throttle
from console.imports.files import STORE
from console.models import OutgoingMail
from console.people.actions import sign_in_links
from console.rest import idempotency
from console.slots import Slot
from console.tasks import RETRY_MINUTES, deliver_mail, nudge_webhooks
from console.webhooks import cleanup, kept

log = logging.getLogger("custody.upkeep")
READY, RUNNING, FAILED = "READY", "RUNNING", "FAILED"
MAX_DEATHS = 3
GRACE = timedelta(minutes=1)
ROWS_ANALYSED = 1_000
# What workers delete besides the foundation's own rows. Each returns how many rows or files it deleted.
chores: Slot[[], int] = Slot("console.upkeep.chores")


def go_on() -> None:
    """Requeue interrupted work. Runs every half minute, and when a worker starts."""
    _each([release_tasks, operations.recover, resend_mail, cleanup.release_dead, kept.send_stragglers, nudge_webhooks])


def tidy() -> None:
    """Delete what has expired. Runs every ten minutes."""
    _each(
        [
            delete_old_tasks,
            delete_old_mail,
            delete_old_throttles,
            sign_in_links.delete_old,
            delete_old_sessions,
            delete_old_strangers,
            idempotency.delete_old,
        ]
    )
    _each([cleanup.give_up_old, cleanup.delete_old, kept.delete_old])
    _each([liveness.delete_silent, delete_old_imported_files, *chores, analyse])


def analyse() -> int:
    """Update SQLite's index statistics, without which it reads a whole organization to find a row. Takes milliseconds.

    PostgreSQL does this by itself. Returns 0, because there is nothing to report.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA analysis_limit = {ROWS_ANALYSED}")
            cursor.execute("ANALYZE")
    return 0


def release_tasks() -> int:
    """Return the tasks of dead workers to the queue, and return how many.

    A task during which three workers died is not tried again.
    """
    heard, count = liveness.beating(), 0
    for task in DBTaskResult.objects.filter(status=RUNNING).only("pk", "worker_ids", "started_at"):
        if task.worker_ids and liveness.lives(task.worker_ids[-1], heard):
            continue
        mine = DBTaskResult.objects.filter(pk=task.pk, status=RUNNING, started_at=task.started_at)
        if len(task.worker_ids) < MAX_DEATHS:
            count += mine.update(status=READY)
        else:
            log.error("task %s failed: three workers died running it", task.pk)
            count += mine.update(status=FAILED, finished_at=timezone.now())
    return count


def resend_mail() -> int:
    """Queue the unsent mails that no task will send, so that none is lost. Returns how many.

    Each time counts as a try, and after the last one the mail is given up.
    """
    unsent = OutgoingMail.objects.filter(
        sent_at=None, attempts__lte=len(RETRY_MINUTES), created_at__lt=timezone.now() - GRACE
    )
    waiting = set(unsent.values_list("pk", flat=True))
    lost = waiting - _queued_mail() if waiting else set()
    for mail_id in sorted(lost):
        OutgoingMail.objects.filter(pk=mail_id).update(attempts=F("attempts") + 1)
        deliver_mail.enqueue(mail_id)
    return len(lost)


def delete_old_tasks() -> int:
    """Delete the tasks that ended more than a week ago. Returns how many."""
    ended = DBTaskResult.objects.filter(finished_at__lt=timezone.now() - timedelta(days=7))
    return ended.exclude(status__in=[READY, RUNNING]).delete()[0]


def delete_old_mail() -> int:
    """Delete the mails that are older than 30 days, sent or not. Returns how many."""
    return OutgoingMail.objects.filter(created_at__lt=timezone.now() - timedelta(days=30)).delete()[0]


def delete_old_throttles() -> int:
    """Delete the counts of attempts that began more than two days ago. Returns how many."""
    return throttle.delete_old(time.time() - timedelta(days=2).total_seconds())


def delete_old_sessions() -> int:
    """Delete the expired sessions. Returns how many."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]


def delete_old_strangers() -> int:
    """Delete people who began a claim more than a day ago and never proved their address. Returns how many rows."""
    people = get_user_model().objects.filter(last_login=None, date_joined__lt=timezone.now() - timedelta(days=1))
    for field in _references_to_people():
        rows = field.model._base_manager.filter(**{field.name: OuterRef("pk")})
        people = people.filter(~Exists(rows))
    return people.delete()[0]


def delete_old_imported_files() -> int:
    """Delete the files of imports that are older than 30 days. Returns how many; the imports' results are kept."""
    return STORE.delete_old()


def _references_to_people() -> Iterable["models.Field[Any, Any]"]:
    """Yield the columns, in every app, that refer to people: a person in any of them belongs somewhere."""
    for relation in get_user_model()._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel) and relation.on_delete is models.PROTECT:
            yield relation.field


def _queued_mail() -> set[int]:
    tasks = DBTaskResult.objects.filter(task_path=deliver_mail.module_path, status__in=[READY, RUNNING])
    return {arguments["args"][0] for arguments in tasks.values_list("args_kwargs", flat=True)}


def _each(steps: list[Callable[[], int]]) -> None:
    """Run each step; one for which the database has no time now is left to the next round."""
    for step in steps:
        try:
            count = step()
        except (DatabaseError, InterfaceError) as error:
            log.warning("%s is put off: %s", step.__name__, str(error).strip())
            connection.close()
        else:
            if count:
                log.info("%s: %s", step.__name__, count)
