"""Mail is sent through an outbox: a row in the transaction that causes it, sent by the worker."""

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage as ParsedMessage
from email.utils import parseaddr
from pathlib import Path
from smtplib import SMTP
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from console import addresses
from console.models import OutgoingMail
from console.slots import One

# Queues the mail with this id for the worker.
enqueue: One[[int], Any] = One("console.mail.enqueue")


class OutboxBackend(BaseEmailBackend):
    """Django's mail backend that writes rows, which `console.tasks.deliver_mail` sends."""

    def send_messages(self, email_messages: Any) -> int:
        for message in email_messages:
            for recipient in message.recipients():
                # Mail servers refuse bare line feeds, and nothing later on would fix them.
                text = message.message().as_bytes(linesep="\r\n")
                row = OutgoingMail.objects.create(recipient=recipient, message=text)
                enqueue(row.pk)
        return len(email_messages)


def send(template: str, recipient: str, context: dict[str, Any]) -> None:
    """Mail the template `mail/<template>.txt` (first line: subject) to an address once this transaction commits."""
    subject, _, body = render_to_string(f"mail/{template}.txt", context).strip().partition("\n")
    EmailMultiAlternatives(subject.strip(), body.strip() + "\n", settings.DEFAULT_FROM_EMAIL, [recipient]).send()


@transaction.atomic
def withhold(message: Any) -> None:
    """Write a mail that is never sent, so that the response time does not reveal that none was sent."""
    message.message().as_bytes(linesep="\r\n")
    row = OutgoingMail.objects.create(
        recipient=message.to[0], message=b"", sent_at=timezone.now(), error="Withheld: asked for too often."
    )
    enqueue(row.pk)


def transmit(row: OutgoingMail) -> None:
    """Hand one mail to the mail server, or store it in a file if no server is configured."""
    if settings.MAIL_URL:
        connection = get_connection("django.core.mail.backends.smtp.EmailBackend", timeout=20)
        connection.open()
        try:
            server: SMTP = connection.connection  # type: ignore[attr-defined]  # SMTP's backend alone has one
            sender = addresses.envelope(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
            server.sendmail(sender, [addresses.envelope(row.recipient)], bytes(row.message))
        finally:
            connection.close()
        return
    settings.MAIL_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    safe = re.sub(r"[^a-z0-9@.+-]", "_", row.recipient.lower())[:80]
    path = settings.MAIL_DIR / f"{row.pk:08d}-{safe}.eml"
    # Readers see the whole mail or none.
    path.with_suffix(".part").write_bytes(bytes(row.message))
    path.with_suffix(".part").replace(path)


def kept(limit: int = 100) -> list[dict[str, Any]]:
    """Return the newest mails that are stored in files: name, recipient, subject, date and text of each."""
    files = sorted(settings.MAIL_DIR.glob("*.eml"), reverse=True)[:limit] if settings.MAIL_DIR.exists() else []
    return [_read(path) for path in files]


def _read(path: Path) -> dict[str, Any]:
    message: ParsedMessage = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    return {
        "name": path.stem,
        "to": str(message["to"] or ""),
        "subject": str(message["subject"] or ""),
        "at": _written_at(message, path),
        "text": body.get_content() if body else "",
    }


def _written_at(message: ParsedMessage, path: Path) -> datetime:
    """Return the date of the mail, in UTC if it names no zone; the date of the file if it has none."""
    at = getattr(message["date"], "datetime", None) or datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
