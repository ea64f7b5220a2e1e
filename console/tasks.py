"""The work that is done outside of requests."""

import logging
import smtplib
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from console import mail, operations
from console.models import OutgoingMail

log = logging.getLogger("custody.mail")
# Minutes to wait after each failed try to send a mail; about two days in all.
RETRY_MINUTES = [1, 5, 15, 60, 240, 720, 1440]


@task(queue_name="mail")
def deliver_mail(mail_id: int) -> None:
    """Send one mail, and try again later if that fails. A mail that left is not sent again."""
    row = OutgoingMail.objects.filter(pk=mail_id, sent_at=None).first()
    if row is None:
        return
    try:
        mail.transmit(row)
    except (OSError, smtplib.SMTPException) as error:
        _put_off(row, error)
        return
    OutgoingMail.objects.filter(pk=row.pk).update(sent_at=timezone.now(), message=b"", error="")


@transaction.atomic
def _put_off(row: OutgoingMail, error: Exception) -> None:
    """Note why a mail could not be sent, and try it again later, until the last wait is over."""
    is_last = row.attempts >= len(RETRY_MINUTES)
    log.warning("mail %s could not be sent%s: %s", row.pk, " and is given up" if is_last else "", error)
    OutgoingMail.objects.filter(pk=row.pk).update(attempts=row.attempts + 1, error=str(error)[:300])
    if not is_last:
        wait = timedelta(minutes=RETRY_MINUTES[row.attempts])
        deliver_mail.using(run_after=timezone.now() + wait).enqueue(row.pk)


@task(queue_name="operations")
def run_operation(operation_id: int) -> None:
    """Run one operation to its end, or go on where a killed worker stopped."""
    operations.run(operation_id)
