"""Background tasks, run outside of requests."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from console import liveness, mail, operations
from console.models import OutgoingMail
from console.webhooks import delivery

log = logging.getLogger("custody.mail")
# Minutes to wait after each failed try to send a mail; about two days in all.
RETRY_MINUTES = [1, 5, 15, 60, 240, 720, 1440]
WEBHOOK_SECONDS, SHORT_WAIT = 20.0, timedelta(seconds=1)


@task(queue_name="mail")
def deliver_mail(mail_id: int) -> None:
    """Send one mail, and try again later if that fails. A mail that was sent is not sent again."""
    row = OutgoingMail.objects.filter(pk=mail_id, sent_at=None).first()
    if row is None:
        return
    try:
        mail.transmit(row)
    except Exception as error:
        # Whatever the error is, it is recorded on the row, and the other mails are not held up.
        _put_off(row, error)
        return
    OutgoingMail.objects.filter(pk=row.pk).update(sent_at=timezone.now(), message=b"", error="")


@transaction.atomic
def _put_off(row: OutgoingMail, error: Exception) -> None:
    """Record why a mail could not be sent, and try again later, until the last wait is over."""
    is_last = row.attempts >= len(RETRY_MINUTES)
    # The text of an address may be invalid in UTF-8, and a log must accept it all the same.
    why = str(error).encode("utf-8", "backslashreplace").decode()
    log.warning("mail %s could not be sent%s: %s", row.pk, " and is given up" if is_last else "", why)
    OutgoingMail.objects.filter(pk=row.pk).update(attempts=row.attempts + 1, error=_said(error))
    if not is_last:
        wait = timedelta(minutes=RETRY_MINUTES[row.attempts])
        deliver_mail.using(run_after=timezone.now() + wait).enqueue(row.pk)


def _said(error: Exception) -> str:
    """Return the text of an error, in a form that every database accepts."""
    text = str(error) or type(error).__name__
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:300]


@task(queue_name="operations")
def run_operation(operation_id: int) -> None:
    """Run one operation to its end, or continue where a killed worker stopped."""
    operations.run(operation_id)


def queue_operation(operation_id: int, after: timedelta | None) -> None:
    """Queue one operation, to be run after the given time."""
    run_operation.using(run_after=timezone.now() + after if after else None).enqueue(operation_id)


def queued_operations() -> set[int]:
    """Return the operations that a task will run or is about to run."""
    tasks = DBTaskResult.objects.filter(task_path=run_operation.module_path, status__in=["READY", "RUNNING"])
    return {arguments["args"][0] for arguments in tasks.values_list("args_kwargs", flat=True)}


@task(queue_name="webhooks")
def deliver_webhooks() -> None:
    """Send the webhook deliveries that are due, and schedule the rest for when it is due.

    A worker that serves only this queue sends as long as there is something to send. If other queues wait for the
    worker, it ends in time.
    """
    delivery.run(seconds=None if liveness.serves_alone(deliver_webhooks.queue_name) else WEBHOOK_SECONDS)
    # Deliveries that are due but were not sent wait for the lines of another worker.
    nudge_webhooks(timezone.now() + SHORT_WAIT)


def nudge_webhooks(earliest: datetime | None = None) -> int:
    """Queue the sending of webhooks for when the next delivery is due, unless it is queued. Returns whether it was not.

    Call it after the transaction that wrote the deliveries: a task that is still waiting then will see them.
    """
    at = delivery.next_due()
    if at is None:
        return 0
    at = max(at, earliest) if earliest else at
    queued = DBTaskResult.objects.filter(task_path=deliver_webhooks.module_path, status="READY", run_after__lte=at)
    if queued.exists():
        return 0
    deliver_webhooks.using(run_after=at).enqueue()
    return 1
