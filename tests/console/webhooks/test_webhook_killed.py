"""Workers that are killed with -9 at random moments while they send: nothing is lost, and each event keeps its id."""

import hashlib
import http.client
import json
import multiprocessing
import os
import random
import signal
from collections import Counter

import pytest
from django.db import connection, connections
from django.utils import timezone

from console.access import system
from console.audit.public import Occurrence
from console.models import DeliveryState, WebhookDelivery
from console.webhooks import actions as webhooks
from console.webhooks import cleanup, delivery, fanout
from devices.messages.events import PUBLISHED
from tests.console.webhook_receiver import LOCAL, Handler, Receiver
from tests.extent import extent
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
KILLS, EVENTS = extent((10, 1_000), (100, 10_000))
# The same on the embedded database, in a fifth of the time.
FEW_KILLS, FEW_EVENTS = extent((5, 500), (20, 2_000))


class Teller(Handler):
    """Tells by GET what was verified: each id with how often it came and how many texts it had."""

    def do_GET(self) -> None:
        counts, texts = Counter(self.server.ids), {}
        for message_id, _told, _headers, raw in self.server.calls:
            texts.setdefault(message_id, set()).add(hashlib.sha256(raw).hexdigest())
        body = json.dumps(
            {
                "counts": counts,
                "texts": {key: len(value) for key, value in texts.items()},
                "refused": self.server.refused,
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(port: "multiprocessing.Queue", secret: "multiprocessing.Queue") -> None:
    receiver = Receiver()
    receiver.RequestHandlerClass = Teller
    port.put(receiver.server_port)
    receiver.secret = secret.get()
    signal.pause()


@pytest.fixture
def receiver(settings, transactional_db):
    """In a process of its own, so that nobody is forked while it holds a lock."""
    settings.WEBHOOK_NETWORKS = LOCAL
    connections.close_all()
    context = multiprocessing.get_context("fork")
    port, secret = context.Queue(), context.Queue()
    process = context.Process(target=serve, args=(port, secret), daemon=True)
    process.start()
    yield port.get(timeout=PATIENCE), secret
    process.kill()
    process.join()


def run_and_kill(seconds: float | None) -> bool:
    """Send in a child, and kill it that long after it took its first batch. Gives whether it was killed at work."""
    connections.close_all()
    child = multiprocessing.get_context("fork").Process(target=delivery.run, kwargs={"seconds": PATIENCE}, daemon=True)
    child.start()
    held = WebhookDelivery.objects.exclude(leased_by="")
    while seconds is not None and child.is_alive() and not held.exists():
        child.join(0.002)
    child.join(PATIENCE if seconds is None else seconds)
    if not child.is_alive():
        return False
    os.kill(child.pid, signal.SIGKILL)
    child.join(PATIENCE)
    return held.exists()


def test_workers_that_are_killed_lose_no_event_and_change_no_id(receiver, organization):
    port, secret = receiver
    hook = webhooks.create(url=f"http://127.0.0.1:{port}/", events=["message"], by=system(organization))
    secret.put(webhooks.secret(hook))
    now, chance = timezone.now(), random.Random(2611)
    count, least = (EVENTS, KILLS) if connection.vendor == "postgresql" else (FEW_EVENTS, FEW_KILLS)
    fanout.emit_all(organization.pk, PUBLISHED, [Occurrence({"number": n}, now) for n in range(count)])
    ids = set(WebhookDelivery.objects.values_list("message_id", flat=True))
    assert len(ids) == count

    kills, met = 0, 0
    while met < least and kills < 3 * least:
        met += run_and_kill(chance.uniform(0.0, 0.06))
        kills += 1
        cleanup.release_dead()
    left = WebhookDelivery.objects.exclude(state=DeliveryState.SENT).count()
    while run_and_kill(None) or cleanup.release_dead() or delivery.due().exists():
        pass

    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    line.request("GET", "/")
    told = json.loads(line.getresponse().read())
    line.close()
    print(
        f"{connection.vendor}: {count} events, {kills} kills, {met} of them at work, {left} unsent after the "
        f"last kill, {sum(told['counts'].values()) - count} sent twice"
    )
    assert told["refused"] == 0
    assert set(told["counts"]) == ids
    assert set(told["texts"].values()) == {1}
    assert met == least
    assert set(WebhookDelivery.objects.values_list("state", "leased_by", "next_at")) == {("sent", "", None)}


def test_without_giving_back_what_dead_workers_held_events_would_be_missing(receiver, organization, monkeypatch):
    """The negative control: killed once, with nobody to give its leases back."""
    port, secret = receiver
    hook = webhooks.create(url=f"http://127.0.0.1:{port}/", events=["message"], by=system(organization))
    secret.put(webhooks.secret(hook))
    now = timezone.now()
    fanout.emit_all(organization.pk, PUBLISHED, [Occurrence({"number": n}, now) for n in range(3_000)])
    while not run_and_kill(0.05):
        assert delivery.due().exists()
    run_and_kill(None)
    assert WebhookDelivery.objects.exclude(state=DeliveryState.SENT).exists()
