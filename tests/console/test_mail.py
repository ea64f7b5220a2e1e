"""Mail leaves through an outbox, once, and none is lost; until a mail server is set it is kept in files."""

import socketserver
import threading
from datetime import timedelta

import pytest
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from console import environment, mail, upkeep, worker
from console.models import OutgoingMail
from console.tasks import RETRY_MINUTES, deliver_mail

pytestmark = pytest.mark.django_db
DEAD = "elsewhere/1:1:1"


class MailServer(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs. What arrives is kept as it came over the wire."""

    def handle(self):
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline().upper():
            if line.startswith(b"RCPT"):
                self.server.recipients.append(line.strip())
            if line.startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                self.server.texts.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            self.wfile.write(b"221 bye\r\n" if line.startswith(b"QUIT") else b"250 fine\r\n")
            if line.startswith(b"QUIT"):
                return


@pytest.fixture(autouse=True)
def the_real_backend(settings):
    """Django's test runner puts another one in its place."""
    settings.EMAIL_BACKEND = "console.mail.OutboxBackend"


@pytest.fixture
def mail_server(settings):
    server = socketserver.TCPServer(("127.0.0.1", 0), MailServer)
    server.recipients, server.texts = [], []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    settings.MAIL_URL = f"smtp://127.0.0.1:{server.server_address[1]}"
    for name, value in environment.mail(settings.MAIL_URL).items():
        setattr(settings, name, value)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def mail_folder(settings, tmp_path):
    settings.MAIL_DIR = tmp_path / "mail"
    return settings.MAIL_DIR


@pytest.fixture
def nobody_listens(settings):
    with socketserver.TCPServer(("127.0.0.1", 0), MailServer) as server:
        port = server.server_address[1]
    settings.MAIL_URL = f"smtp://127.0.0.1:{port}"
    for name, value in environment.mail(settings.MAIL_URL).items():
        setattr(settings, name, value)


def write(to="dana@aalen.example", text="Your code is 123456.\nIt works for ten minutes.\n"):
    EmailMessage("Your code – Grüße", text, "Custody <custody@northlake.example>", [to]).send()
    return OutgoingMail.objects.order_by("-pk").first()


def work():
    """Send what is queued, without waiting for what is put off."""
    DBTaskResult.objects.filter(status="READY").update(run_after=timezone.now() - timedelta(seconds=1))
    worker.QueueWorker(["mail"], batch=True).run()


def test_a_mail_is_kept_in_a_file_while_no_server_is_set(mail_folder):
    row = write()
    work()
    (kept,) = mail.kept()
    assert (kept["to"], kept["subject"]) == ("dana@aalen.example", "Your code – Grüße")
    assert kept["text"].splitlines() == ["Your code is 123456.", "It works for ten minutes."]
    assert [path.name for path in mail_folder.iterdir()] == [f"{row.pk:08d}-dana@aalen.example.eml"]
    assert mail_folder.stat().st_mode & 0o777 == 0o700


def test_the_newest_mails_come_first(mail_folder):
    for number in range(3):
        write(text=f"Mail {number}")
    work()
    assert [kept["text"].strip() for kept in mail.kept(limit=2)] == ["Mail 2", "Mail 1"]


def test_no_recipient_leads_out_of_the_folder(mail_folder):
    row = OutgoingMail.objects.create(recipient="../../etc/x@y.example", message=b"Subject: x\r\n\r\nx")
    mail.transmit(row)
    assert [path.name for path in mail_folder.iterdir()] == [f"{row.pk:08d}-.._.._etc_x@y.example.eml"]


def test_a_mail_leaves_only_if_the_transaction_that_writes_it_commits(mail_folder):
    with pytest.raises(RuntimeError), transaction.atomic():
        write()
        raise RuntimeError
    work()
    assert not OutgoingMail.objects.exists()
    assert mail.kept() == []


def test_a_mail_reaches_the_server_with_the_line_ends_of_the_standard(mail_server):
    row = write()
    work()
    row.refresh_from_db()
    (text,) = mail_server.texts
    assert mail_server.recipients == [b"RCPT TO:<DANA@AALEN.EXAMPLE>"]
    assert b"Your code is 123456.\r\n" in text
    assert b"\n" not in text.replace(b"\r\n", b"")
    assert row.sent_at is not None


def test_the_text_of_a_mail_is_erased_when_it_left(mail_folder):
    row = write()
    assert b"123456" in bytes(row.message)
    work()
    row.refresh_from_db()
    assert bytes(row.message) == b""


def test_a_mail_is_not_sent_twice(mail_server):
    row = write()
    deliver_mail.enqueue(row.pk)
    work()
    assert len(mail_server.texts) == 1


def test_a_mail_that_the_server_does_not_take_is_tried_again_later(nobody_listens):
    row = write()
    worker.QueueWorker(["mail"], batch=True).run()
    row.refresh_from_db()
    assert (row.attempts, row.sent_at) == (1, None)
    assert "refused" in row.error
    task = DBTaskResult.objects.get(status="READY")
    assert timedelta(seconds=50) < task.run_after - timezone.now() <= timedelta(minutes=1)


def test_a_mail_is_given_up_after_the_last_try(nobody_listens):
    row = write()
    for _try in range(len(RETRY_MINUTES) + 3):
        work()
    row.refresh_from_db()
    assert row.attempts == len(RETRY_MINUTES) + 1
    assert not DBTaskResult.objects.filter(status="READY").exists()
    OutgoingMail.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert upkeep.resend_mail() == 0


def test_a_mail_whose_worker_died_is_sent_by_another(mail_folder):
    write()
    DBTaskResult.objects.update(status="RUNNING", worker_ids=[DEAD], started_at=timezone.now())
    work()
    assert mail.kept() == []
    upkeep.go_on()
    work()
    assert len(mail.kept()) == 1


def test_a_mail_without_a_task_is_queued_again_after_a_minute(mail_folder):
    row = write()
    DBTaskResult.objects.all().delete()
    assert upkeep.resend_mail() == 0
    OutgoingMail.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    assert upkeep.resend_mail() == 1
    assert upkeep.resend_mail() == 0
    work()
    row.refresh_from_db()
    assert (row.attempts, bytes(row.message)) == (1, b"")
    assert len(mail.kept()) == 1


def test_a_mail_that_no_program_can_send_is_not_tried_for_ever(mail_folder, monkeypatch):
    monkeypatch.setattr(mail, "transmit", lambda row: 1 / 0)
    write()
    OutgoingMail.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    tries = 0
    while DBTaskResult.objects.filter(status="READY").exists():
        work()
        upkeep.resend_mail()
        tries += 1
    assert tries == len(RETRY_MINUTES) + 1
