"""Sends what is due. At least once, with the same id at each try; the order is not promised.

A delivery is tried at once, then after about 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours: ten tries in
75 hours and a half, each wait up to a tenth longer by chance. Then it is given up.

A worker leases some deliveries, sends them in parallel, a few lines to each receiver, and notes the answers as they
come. A lease ends with its worker or after its time, so what a killed worker held is sent by another. A receiver that
can't be reached is left alone for a while with all that waits for it, so that it does not hold up the others; one that
says `Retry-After`, as long as it says, up to a day.
"""

import queue
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from console import liveness, sql
from console.models import DeliveryState, Webhook, WebhookAttempt, WebhookDelivery
from console.transactions import retrying
from console.webhooks import kinds, signing
from console.webhooks.dial import Answer, Line

SCHEDULE = [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30),
            *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24))]  # fmt: skip
# What was never given up by its tries is so after this time, with a receiver that fails all the while.
OLDEST = timedelta(hours=84)
GONE = 410
# So many are looked through for a batch, and leased in it; of one receiver no more, over so many lines.
LOOKED_AT, BATCH, OF_ONE, LINES = 2_000, 320, 80, 4
THREADS = 16
# A line takes no further delivery after this time, so that its lease holds.
LANE_SECONDS, LEASE = 30.0, timedelta(minutes=3)
NOTED_AT_ONCE, NOTED_EVERY = 50, 0.25
UNDECIDED = timedelta(seconds=1)
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=30)


@dataclass
class Job:
    """One leased delivery with what signs it; `answer` is what came of the try, None where it was not tried."""

    delivery: WebhookDelivery
    hook: Webhook
    signing: list[str]
    answer: Answer | None = None


Tried = tuple[Job, Answer]


def run(*, seconds: float = 20.0, stop: Callable[[], bool] = lambda: False) -> int:
    """Send what is due, batch by batch, until nothing is, or the time is over. Gives how many were tried."""
    until, count = time.monotonic() + seconds, 0
    while not stop() and time.monotonic() < until:
        jobs = take()
        if not jobs:
            break
        count += send(jobs)
    return count


def due(at: datetime | None = None) -> models.QuerySet:
    """The deliveries that wait for a worker now."""
    at = at or timezone.now()
    return _free(at).filter(next_at__lte=at)


def next_due() -> datetime | None:
    """When the next delivery that nobody holds is due; now where it is overdue, None where none waits."""
    now = timezone.now()
    waiting = _free(now).filter(next_at__isnull=False).order_by("next_at", "id")
    first = waiting.values_list("next_at", flat=True).first()
    return max(first, now) if first else None


def _free(at: datetime) -> models.QuerySet:
    free = Q(leased_by="") | Q(leased_until__lt=at)
    return WebhookDelivery.objects.filter(free, webhook__is_enabled=True)


@retrying
def take(at: datetime | None = None) -> list[Job]:
    """Lease the next deliveries for this worker, the oldest first, not too many of one receiver."""
    at = at or timezone.now()
    mine = _lease(_chosen(at), at)
    rows = sql.having_ids(
        WebhookDelivery.objects.select_related("webhook").order_by("next_at", "id"), "id", mine
    )
    jobs = []
    for row in rows:
        jobs.append(Job(row, row.webhook, _secrets(row.webhook, at)))
    return _withhold(jobs)


def _chosen(at: datetime) -> list[int]:
    """The oldest of those that are due, OF_ONE of a webhook at most: the backlog of one must not hide the others."""
    chosen: list[int] = []
    of_hook: Counter[int] = Counter()
    while True:
        full = [hook for hook, number in of_hook.items() if number >= OF_ONE]
        rows = due(at).exclude(webhook__in=full).exclude(pk__in=chosen).order_by("next_at", "id")
        seen = list(rows.values_list("pk", "webhook_id")[:LOOKED_AT])
        for pk, hook in seen:
            if of_hook[hook] < OF_ONE and len(chosen) < BATCH:
                of_hook[hook] += 1
                chosen.append(pk)
        # Behind those that were looked at there are others only where one webhook took more than its part.
        if len(chosen) == BATCH or len(seen) < LOOKED_AT:
            return chosen


def _lease(ids: list[int], at: datetime) -> list[int]:
    """The condition stands in the UPDATE: who comes second gets the rest."""
    if not ids:
        return []
    pick = f"SELECT id FROM {sql.table(WebhookDelivery)} WHERE {sql.in_ids('id')} ORDER BY id"  # noqa: S608
    if connection.vendor == "postgresql":
        pick += " FOR UPDATE SKIP LOCKED"
    adapt = connection.ops.adapt_datetimefield_value
    return sql.update_returning(
        f"UPDATE {sql.table(WebhookDelivery)} SET leased_by = %s, leased_until = %s WHERE id IN ({pick}) "  # noqa: S608
        "AND next_at <= %s AND (leased_by = '' OR leased_until < %s) RETURNING id",
        [liveness.worker_name(), adapt(at + LEASE), sql.id_list(ids), adapt(at), adapt(at)],
    )


def _withhold(jobs: list[Job]) -> list[Job]:
    """Without the messages of a customer's webhook that it may not read: they are given up.

    Those of a device that is changing hands at this very moment wait until it is known whose they are.
    """
    messages = [job for job in jobs if job.hook.customer_id and job.delivery.kind == kinds.MESSAGE]
    if not messages:
        return jobs
    settled = import_string(settings.WEBHOOK_AT_REST)({job.delivery.device_id for job in messages})
    undecided = {job.delivery.pk for job in messages if job.delivery.device_id not in settled}
    later = timezone.now() + UNDECIDED
    sql.having_ids(WebhookDelivery.objects.all(), "id", undecided).update(
        next_at=later, leased_by="", leased_until=None
    )
    jobs = [job for job in jobs if job.delivery.pk not in undecided]
    messages = [job for job in messages if job.delivery.pk not in undecided]
    rows = sql.having_ids(WebhookDelivery.objects.all(), "id", [job.delivery.pk for job in messages])
    still = import_string(settings.WEBHOOK_STILL_THEIRS)(rows).values_list("pk", flat=True)
    lost = {job.delivery.pk for job in messages} - set(still)
    if not lost:
        return jobs
    sentence = _("Not sent: the device was not this customer's at that time.")
    WebhookAttempt.objects.bulk_create([WebhookAttempt(delivery_id=pk, error=sentence) for pk in lost])
    sql.having_ids(WebhookDelivery.objects.all(), "id", lost).update(
        state=DeliveryState.GIVEN_UP, next_at=None, leased_by="", leased_until=None
    )
    return [job for job in jobs if job.delivery.pk not in lost]


def _secrets(hook: Webhook, at: datetime) -> list[str]:
    try:
        return signing.secrets_of(hook, at=at)
    except LookupError:
        return []


def send(jobs: list[Job]) -> int:
    """Send the leased deliveries in parallel and note each answer soon after it came. Gives how many were tried."""
    done: queue.SimpleQueue[Job] = queue.SimpleQueue()
    lanes = _lanes(jobs)
    with ThreadPoolExecutor(min(THREADS, len(lanes) or 1)) as pool:
        for lane in lanes:
            pool.submit(_call, lane, done)
        _collect(done, len(jobs))
    return sum(job.answer is not None for job in jobs)


def _lanes(jobs: list[Job]) -> list[list[Job]]:
    """The jobs of each receiver, over a few lines."""
    lanes: dict[tuple[int, int], list[Job]] = defaultdict(list)
    numbers: dict[int, int] = defaultdict(int)
    for job in jobs:
        lanes[job.hook.pk, numbers[job.hook.pk] % LINES].append(job)
        numbers[job.hook.pk] += 1
    return list(lanes.values())


def _call(lane: list[Job], done: "queue.SimpleQueue[Job]") -> None:
    """Send over one line. After a try that reached nobody, or when the time is over, the rest is left untried."""
    line, until, is_over = Line(lane[0].hook.url), time.monotonic() + LANE_SECONDS, False
    for job in lane:
        if not is_over:
            job.answer = _try(line, job)
            is_over = job.answer.status is None or time.monotonic() > until
        done.put(job)
    line.close()


def _try(line: Line, job: Job) -> Answer:
    if not job.signing:
        return Answer(None, 0, _("The server key that made the secret is not configured. Rotate the secret."))
    row = job.delivery
    try:
        headers = signing.headers(job.signing, row.message_id, row.payload, at=timezone.now())
        return line.post(row.payload.encode(), headers)
    except Exception as error:
        return Answer(None, 0, _("It could not be sent: %(why)s.") % {"why": type(error).__name__})


def _collect(done: "queue.SimpleQueue[Job]", count: int) -> None:
    """Note the answers in this thread, which alone writes: at most so many, or so long, are unnoted."""
    waiting: list[Job] = []
    since = time.monotonic()
    while count:
        try:
            waiting.append(done.get(timeout=NOTED_EVERY))
            count -= 1
        except queue.Empty:
            pass
        if waiting and (len(waiting) >= NOTED_AT_ONCE or not count or time.monotonic() - since > NOTED_EVERY):
            note(waiting)
            waiting, since = [], time.monotonic()


@retrying
def note(jobs: list[Job], *, at: datetime | None = None) -> None:
    """Write down what came of the tries, and when the failed ones are tried again."""
    at = at or timezone.now()
    tried = [(job, job.answer) for job in jobs if job.answer is not None]
    WebhookAttempt.objects.bulk_create([
        WebhookAttempt(delivery_id=job.delivery.pk, at=at, status=answer.status, error=answer.error[:200],
                       milliseconds=answer.milliseconds, response=answer.text)
        for job, answer in tried
    ])  # fmt: skip
    sent = [job for job, answer in tried if answer.is_success]
    _note_sent(sent)
    failed = [(job, answer) for job, answer in tried if not answer.is_success]
    for job, answer in failed:
        _note_failed(job, answer, at)
    _release([job for job in jobs if job.answer is None])
    _note_receivers(sent, failed, at)


def _note_sent(jobs: list[Job]) -> None:
    """An answer that came is true, even if the lease had ended meanwhile."""
    rows = sql.having_ids(WebhookDelivery.objects.all(), "id", [job.delivery.pk for job in jobs])
    for attempts in {job.delivery.attempts for job in jobs}:
        rows.filter(attempts=attempts).update(
            state=DeliveryState.SENT, attempts=attempts + 1, next_at=None, leased_by="", leased_until=None
        )


def _note_failed(job: Job, answer: Answer, at: datetime) -> None:
    row = job.delivery
    wait = wait_after(row.attempts + 1)
    state = DeliveryState.GIVEN_UP if wait is None or answer.status == GONE else DeliveryState.FAILED
    asked = timedelta(seconds=answer.retry_after)
    next_at = at + max(wait, asked) if wait is not None and state == DeliveryState.FAILED else None
    _held(row).exclude(state=DeliveryState.SENT).update(
        state=state, attempts=row.attempts + 1, next_at=next_at, leased_by="", leased_until=None
    )


def _held(row: WebhookDelivery) -> models.QuerySet:
    """The row, if it is still leased as it was when it was taken."""
    return WebhookDelivery.objects.filter(pk=row.pk, leased_by=row.leased_by, leased_until=row.leased_until)


def _release(jobs: list[Job]) -> None:
    """Give back what was not tried."""
    for job in jobs[:1]:
        mine = WebhookDelivery.objects.filter(
            leased_by=job.delivery.leased_by, leased_until=job.delivery.leased_until
        )
        sql.having_ids(mine, "id", [each.delivery.pk for each in jobs]).update(
            leased_by="", leased_until=None
        )


def _note_receivers(sent: list[Job], failed: list[Tried], at: datetime) -> None:
    """Note since when a receiver only fails; one that could not be reached is left alone for a while."""
    answering = {job.hook.pk for job in sent}
    Webhook.objects.filter(pk__in=answering).exclude(failing_since=None).update(failing_since=None)
    failing = {job.hook.pk for job, _answer in failed} - answering
    Webhook.objects.filter(pk__in=failing, failing_since=None).update(failing_since=at)
    from console.actions.webhooks import disable_failing, disable_gone

    silent = {job.hook.pk for job, answer in failed if answer.status is None} - answering
    for hook in Webhook.objects.filter(pk__in=silent):
        pause = min(max((at - (hook.failing_since or at)) / 10, SHORTEST_PAUSE), LONGEST_PAUSE)
        _pause(hook.pk, at, pause)
    for job, answer in failed:
        if answer.retry_after:
            _pause(job.hook.pk, at, timedelta(seconds=answer.retry_after))
    for hook in Webhook.objects.filter(pk__in=failing, is_enabled=True, archived_at=None):
        if any(job.hook.pk == hook.pk and answer.status == GONE for job, answer in failed):
            disable_gone(hook, at=at)
        else:
            disable_failing(hook, at=at)


def _pause(hook_id: int, at: datetime, pause: timedelta) -> None:
    """Leave a receiver alone with all that is due for it."""
    due_now = WebhookDelivery.objects.filter(webhook=hook_id, next_at__lte=at, leased_by="")
    due_now.update(next_at=at + pause)


def wait_after(attempts: int, chance: Callable[[], float] = random.random) -> timedelta | None:
    """How long to wait after so many tries, or None where that was the last."""
    if attempts > len(SCHEDULE):
        return None
    return SCHEDULE[attempts - 1] * (1 + chance() / 10)
