"""Sends deliveries that are due: at least once, with the same id at each attempt, in no guaranteed order.

A delivery is tried at once, then after about 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours: ten attempts
in 75 and a half hours, each wait up to a tenth longer at random. Then it is given up.

A worker has many lines, each a thread with one connection. A free line gets a few deliveries of one webhook;
`console.webhooks.lanes` decides which webhook is next, so that receivers that answer slowly, or never, delay only
themselves. Answers are recorded as they arrive, and lines are filled again as they become free.

A lease ends with its worker or after its time, so another worker sends what a killed one held. A receiver that can't
be reached is left alone for a while with all its waiting deliveries; one that answers with `Retry-After`, for as long
as it asks, up to a day.
"""

import queue
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext as _

from console import liveness, sql
from console.audit import public
from console.audit.public import Guard
from console.models import DeliveryState, Webhook, WebhookAttempt, WebhookDelivery
from console.slots import One
from console.transactions import retrying
from console.webhooks import lanes, signing
from console.webhooks.dial import Answer, Line
from console.webhooks.lanes import Held

SCHEDULE = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
]
# Deliveries that were not given up by their attempts are given up after this time if the receiver fails all along.
OLDEST = timedelta(hours=84)
GONE = 410
# How many deliveries a line gets at once, and how long it may be busy with them, so that its lease holds.
PORTION, LANE_SECONDS, LEASE = 20, 30.0, timedelta(minutes=3)
# Answers are recorded when this many have arrived or this much time has passed; when a line ends, the answers of
# lines that end shortly after are recorded with its own.
NOTED_AT_ONCE, NOTED_EVERY, TOGETHER = 50, 0.25, 0.02
UNDECIDED = timedelta(seconds=1)
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=30)
_stopping = threading.Event()


@One.declare
def is_gone(hook: Webhook, *, at: datetime) -> bool:
    """Called with a webhook whose receiver answered that it is permanently gone."""
    raise NotImplementedError


@One.declare
def is_failing(hook: Webhook, *, at: datetime) -> bool:
    """Called with a webhook that failed again and has not succeeded since `failing_since`."""
    raise NotImplementedError


@dataclass
class Job:
    """One leased delivery with its signing secrets; `answer` is the result, or None without an attempt."""

    delivery: WebhookDelivery
    hook: Webhook
    signing: list[str]
    answer: Answer | None = None


Tried = tuple[Job, Answer]


def run(*, seconds: float | None = None) -> int:
    """Send deliveries until none is due and every line is free. Returns how many were tried.

    With `seconds`, nothing is started after that time; nor is it by a worker that is stopping.
    """
    until = time.monotonic() + seconds if seconds is not None else None
    with Lines() as lines:
        while True:
            if _stopping.is_set() or (until is not None and time.monotonic() > until):
                lines.hurry()
            else:
                lines.start(take(held=lines.held))
            if not lines.held:
                return lines.tried
            lines.collect()


def stop_soon() -> None:
    """Start no further calls, because this worker is stopping."""
    _stopping.set()


def due(at: datetime | None = None) -> models.QuerySet[Any]:
    """Return the deliveries that wait for a worker now."""
    return _free().filter(next_at__lte=at or timezone.now())


def next_due() -> datetime | None:
    """Return when the next unleased delivery is due: now if it is overdue, None if none is waiting."""
    waiting = _free().filter(next_at__isnull=False).order_by("next_at", "id")
    first = waiting.values_list("next_at", flat=True).first()
    return max(first, timezone.now()) if first else None


def _free() -> models.QuerySet[Any]:
    return WebhookDelivery.objects.filter(leased_by="", webhook__is_enabled=True)


@retrying
def take(at: datetime | None = None, *, held: Held | None = None) -> list[Job]:
    """Lease the next deliveries for the free lines of this worker; `held` are the busy lines.

    Each webhook gets as many lines as `lanes` allows, and for each line a portion of its oldest deliveries.
    """
    at, held = at or timezone.now(), held or {}
    release_expired(at)
    lanes.take_turns()
    numbers = (number for number in range(lanes.LINES) if number not in held)
    mine: list[int] = []
    for hook, count in lanes.shared_out(lanes.waiting(at), held, lanes.busy()).items():
        for portion in _portions(hook, count, at):
            mine += _lease(portion, at, next(numbers))
    if not mine:
        return []
    rows = sql.having_ids(WebhookDelivery.objects.select_related("webhook").order_by("next_at", "id"), "id", mine)
    return _withhold([Job(row, row.webhook, _secrets(row.webhook, at)) for row in rows])


def _portions(hook: int, count: int, at: datetime) -> list[list[int]]:
    """Return the oldest waiting deliveries of this webhook, dealt out to `count` lines."""
    rows = WebhookDelivery.objects.filter(webhook=hook, leased_by="", next_at__lte=at).order_by("next_at", "id")
    ids = list(rows.values_list("pk", flat=True)[: count * PORTION])
    return [portion for number in range(count) if (portion := ids[number::count])]


def release_expired(at: datetime) -> None:
    """Release deliveries whose lease has expired."""
    late = WebhookDelivery.objects.exclude(leased_by="").filter(leased_until__lt=at)
    if late.exists():
        late.update(leased_by="", leased_until=None)


def _lease(ids: list[int], at: datetime, line: int) -> list[int]:
    """Lease the deliveries. The condition is part of the UPDATE, so of two workers the second gets what is left."""
    pick = f"SELECT id FROM {sql.table(WebhookDelivery)} WHERE {sql.in_ids('id')} ORDER BY id"  # noqa: S608
    if connection.vendor == "postgresql":
        pick += " FOR UPDATE SKIP LOCKED"
    adapt = connection.ops.adapt_datetimefield_value
    return sql.update_returning(
        f"UPDATE {sql.table(WebhookDelivery)} SET leased_by = %s, leased_until = %s, line = %s "  # noqa: S608
        f"WHERE id IN ({pick}) AND next_at <= %s AND leased_by = '' RETURNING id",
        [liveness.worker_name(), adapt(at + LEASE), line, sql.id_list(ids), adapt(at)],
    )


def _withhold(jobs: list[Job]) -> list[Job]:
    """Return the jobs without deliveries that the customer of a webhook may not read."""
    for event in public.registry.declared:
        jobs = _guarded(jobs, event.name, event.guard) if event.guard else jobs
    return jobs


def _guarded(jobs: list[Job], kind: str, guard: Guard) -> list[Job]:
    """Give up deliveries of this kind that the customer of a webhook may not read, and return the other jobs.

    Deliveries about a device that is changing owners right now wait until its owner is known.
    """
    guarded = [job for job in jobs if job.hook.customer_id and job.delivery.kind == kind]
    if not guarded:
        return jobs
    unlocked = guard.unlocked({job.delivery.device_id for job in guarded if job.delivery.device_id})
    undecided = {job.delivery.pk for job in guarded if job.delivery.device_id not in {None, *unlocked}}
    later = timezone.now() + UNDECIDED
    sql.having_ids(WebhookDelivery.objects.all(), "id", undecided).update(
        next_at=later, leased_by="", leased_until=None
    )
    jobs = [job for job in jobs if job.delivery.pk not in undecided]
    guarded = [job for job in guarded if job.delivery.pk not in undecided]
    rows = sql.having_ids(WebhookDelivery.objects.all(), "id", [job.delivery.pk for job in guarded])
    visible = guard.visible_now(rows).values_list("pk", flat=True)
    lost = {job.delivery.pk for job in guarded} - set(visible)
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


class Lines:
    """The lines of this worker. `held` maps each busy line to its organization and webhook; `tried` counts the calls.

    Lines make calls and do not touch the database; their caller records the results.
    """

    def __init__(self) -> None:
        self.held: Held = {}
        self.tried = 0
        self._done: queue.SimpleQueue[Job | int] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(lanes.LINES, thread_name_prefix="line")
        self._hurry = threading.Event()

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_error: object) -> None:
        self.hurry()
        self._pool.shutdown(cancel_futures=True)

    def start(self, jobs: list[Job]) -> None:
        """Hand leased deliveries to the lines that they were leased for."""
        portions: dict[int, list[Job]] = defaultdict(list)
        for job in jobs:
            portions[job.delivery.line].append(job)
        for number, portion in portions.items():
            hook = portion[0].hook
            self.held[number] = (hook.organization_id, hook.pk)
            self._pool.submit(self._call, number, portion)

    def collect(self) -> None:
        """Wait a moment, or until a line is free, and record the answers that arrived."""
        came: list[Job] = []
        until = time.monotonic() + NOTED_EVERY
        while len(came) < NOTED_AT_ONCE:
            try:
                item = self._done.get(timeout=max(0, until - time.monotonic()))
            except queue.Empty:
                break
            if isinstance(item, int):
                del self.held[item]
                until = min(until, time.monotonic() + TOGETHER)
            else:
                came.append(item)
        if came:
            note(came)
            self.tried += sum(job.answer is not None for job in came)

    def hurry(self) -> None:
        """Let each line end after its current call."""
        self._hurry.set()

    def _call(self, number: int, portion: list[Job]) -> None:
        """Send over one line. After an attempt that reached nobody, or when time is up, the rest is left untried."""
        line, until, is_over = Line(portion[0].hook.url), time.monotonic() + LANE_SECONDS, False
        for job in portion:
            if not is_over and not self._hurry.is_set():
                job.answer = _try(line, job)
                is_over = job.answer.status is None or time.monotonic() > until
            self._done.put(job)
        line.close()
        self._done.put(number)


def _try(line: Line, job: Job) -> Answer:
    if not job.signing:
        return Answer(
            None, 0, _("The server key that the secret was created with is not configured. Rotate the secret.")
        )
    row = job.delivery
    try:
        headers = signing.headers(job.signing, row.message_id, row.payload, at=timezone.now())
        return line.post(row.payload.encode(), headers)
    except Exception as error:
        return Answer(None, 0, _("It could not be sent: %(why)s.") % {"why": type(error).__name__})


@retrying
def note(jobs: list[Job], *, at: datetime | None = None) -> None:
    """Record the results of the attempts, and when the failed ones are tried again."""
    at = at or timezone.now()
    tried = [(job, job.answer) for job in jobs if job.answer is not None]
    WebhookAttempt.objects.bulk_create(
        [
            WebhookAttempt(
                delivery_id=job.delivery.pk,
                at=at,
                status=answer.status,
                error=answer.error[:200],
                milliseconds=answer.milliseconds,
                response=answer.text,
            )
            for job, answer in tried
        ]
    )
    sent = [job for job, answer in tried if answer.is_success]
    _note_sent(sent)
    failed = [(job, answer) for job, answer in tried if not answer.is_success]
    for job, answer in failed:
        _note_failed(job, answer, at)
    _release([job for job in jobs if job.answer is None])
    _note_receivers(sent, failed, at)


def _note_sent(jobs: list[Job]) -> None:
    """Record deliveries that were accepted. An answer counts even if the lease had ended meanwhile."""
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


def _held(row: WebhookDelivery) -> models.QuerySet[Any]:
    """Return the row if it is still leased as it was when it was taken."""
    return WebhookDelivery.objects.filter(pk=row.pk, leased_by=row.leased_by, leased_until=row.leased_until)


def _release(jobs: list[Job]) -> None:
    """Release deliveries that were not tried."""
    for job in jobs[:1]:
        mine = WebhookDelivery.objects.filter(leased_by=job.delivery.leased_by, leased_until=job.delivery.leased_until)
        sql.having_ids(mine, "id", [each.delivery.pk for each in jobs]).update(leased_by="", leased_until=None)


def _note_receivers(sent: list[Job], failed: list[Tried], at: datetime) -> None:
    """Record since when a receiver has only failed; one that could not be reached is left alone for a while."""
    answering = {job.hook.pk for job in sent}
    Webhook.objects.filter(pk__in=answering).exclude(failing_since=None).update(failing_since=None)
    failing = {job.hook.pk for job, _answer in failed} - answering
    Webhook.objects.filter(pk__in=failing, failing_since=None).update(failing_since=at)
    silent = {job.hook.pk for job, answer in failed if answer.status is None} - answering
    for hook in Webhook.objects.filter(pk__in=silent):
        pause = min(max((at - (hook.failing_since or at)) / 10, SHORTEST_PAUSE), LONGEST_PAUSE)
        _pause(hook.pk, at, pause)
    for job, answer in failed:
        if answer.retry_after:
            _pause(job.hook.pk, at, timedelta(seconds=answer.retry_after))
    for hook in Webhook.objects.filter(pk__in=failing, is_enabled=True, archived_at=None):
        if any(job.hook.pk == hook.pk and answer.status == GONE for job, answer in failed):
            is_gone(hook, at=at)
        else:
            is_failing(hook, at=at)


def _pause(hook_id: int, at: datetime, pause: timedelta) -> None:
    """Pause all due deliveries of a receiver."""
    due_now = WebhookDelivery.objects.filter(webhook=hook_id, next_at__lte=at, leased_by="")
    due_now.update(next_at=at + pause)


def wait_after(attempts: int, chance: Callable[[], float] = random.random) -> timedelta | None:
    """Return how long to wait after this many attempts, or None if that was the last."""
    if attempts > len(SCHEDULE):
        return None
    return SCHEDULE[attempts - 1] * (1 + chance() / 10)
