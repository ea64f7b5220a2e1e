"""Sends what is due. At least once, with the same id at each try; the order is not promised.

A delivery is tried at once, then after about 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours: ten tries in
75 hours and a half, each wait up to a tenth longer by chance. Then it is given up.

A worker has many lines, each a thread with one connection. A line that is free gets a few deliveries of one webhook:
which webhook's turn it is, `console.webhooks.lanes` says, so that receivers that answer slowly, or never, hold up
themselves alone. Answers are noted as they come, and lines filled again as they become free.

A lease ends with its worker or after its time, so what a killed worker held is sent by another. A receiver that can't
be reached is left alone for a while with all that waits for it; one that says `Retry-After`, as long as it says, up to
a day.
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

from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext as _

from console import liveness, sql
from console.models import DeliveryState, Webhook, WebhookAttempt, WebhookDelivery
from console.slots import One
from console.transactions import retrying
from console.webhooks import lanes, public, signing
from console.webhooks.dial import Answer, Line
from console.webhooks.lanes import Held
from console.webhooks.public import Guard

SCHEDULE = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
]
# What was never given up by its tries is so after this time, with a receiver that fails all the while.
OLDEST = timedelta(hours=84)
GONE = 410
# So many deliveries a line gets at once, and for so long it may be busy with them, so that its lease holds.
PORTION, LANE_SECONDS, LEASE = 20, 30.0, timedelta(minutes=3)
# Answers are noted when so many have come, or after so long; with those of a line that ends come those of its
# neighbors.
NOTED_AT_ONCE, NOTED_EVERY, TOGETHER = 50, 0.25, 0.02
UNDECIDED = timedelta(seconds=1)
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=30)
_stopping = threading.Event()


@One.declare
def is_gone(hook: Webhook, *, at: datetime) -> bool:
    """Called with a webhook whose receiver answered that it is gone for good."""
    raise NotImplementedError


@One.declare
def is_failing(hook: Webhook, *, at: datetime) -> bool:
    """Called with a webhook that failed again, and has not succeeded since `failing_since`."""
    raise NotImplementedError


@dataclass
class Job:
    """One leased delivery with what signs it; `answer` is what came of the try, None where it was not tried."""

    delivery: WebhookDelivery
    hook: Webhook
    signing: list[str]
    answer: Answer | None = None


Tried = tuple[Job, Answer]


def run(*, seconds: float | None = None) -> int:
    """Send what is due until nothing is due and every line is free. Gives how many were tried.

    With `seconds` nothing is begun after that time. A worker that is to end begins nothing either.
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
    """Begin no further calls: this worker is to end."""
    _stopping.set()


def due(at: datetime | None = None) -> models.QuerySet:
    """The deliveries that wait for a worker now."""
    return _free().filter(next_at__lte=at or timezone.now())


def next_due() -> datetime | None:
    """When the next delivery that nobody holds is due; now where it is overdue, None where none waits."""
    waiting = _free().filter(next_at__isnull=False).order_by("next_at", "id")
    first = waiting.values_list("next_at", flat=True).first()
    return max(first, timezone.now()) if first else None


def _free() -> models.QuerySet:
    return WebhookDelivery.objects.filter(leased_by="", webhook__is_enabled=True)


@retrying
def take(at: datetime | None = None, *, held: Held | None = None) -> list[Job]:
    """Lease the next deliveries for the lines of this worker that are free; `held` are those that are busy.

    Each webhook gets as many lines as `lanes` allows it, and for each a portion of what waits longest.
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
    """What has waited longest for this webhook, dealt out to so many lines."""
    rows = WebhookDelivery.objects.filter(webhook=hook, leased_by="", next_at__lte=at).order_by("next_at", "id")
    ids = list(rows.values_list("pk", flat=True)[: count * PORTION])
    return [portion for number in range(count) if (portion := ids[number::count])]


def release_expired(at: datetime) -> None:
    """Take back what was leased for longer than a lease lasts."""
    late = WebhookDelivery.objects.exclude(leased_by="").filter(leased_until__lt=at)
    if late.exists():
        late.update(leased_by="", leased_until=None)


def _lease(ids: list[int], at: datetime, line: int) -> list[int]:
    """The condition stands in the UPDATE: who comes second gets the rest."""
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
    """Return the jobs without what the customer of a webhook may not read."""
    for event in public.registry.declared:
        jobs = _guarded(jobs, event.name, event.guard) if event.guard else jobs
    return jobs


def _guarded(jobs: list[Job], kind: str, guard: Guard) -> list[Job]:
    """Give up what the customer of a webhook may not read of this kind, and return the other jobs.

    What concerns a device that is changing hands right now waits until it is known whose it is.
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
    """The lines of this worker. `held` are the busy ones, by number, with the webhook of each; `tried` counts the calls.

    Lines call, and touch no database; who started them notes what came of it.
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
        """Wait a moment, or until a line is free, and note the answers that came."""
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
        """Let each line end after the call that it is at."""
        self._hurry.set()

    def _call(self, number: int, portion: list[Job]) -> None:
        """Send over one line. After a try that reached nobody, or when the time is over, the rest is left untried."""
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
        return Answer(None, 0, _("The server key that made the secret is not configured. Rotate the secret."))
    row = job.delivery
    try:
        headers = signing.headers(job.signing, row.message_id, row.payload, at=timezone.now())
        return line.post(row.payload.encode(), headers)
    except Exception as error:
        return Answer(None, 0, _("It could not be sent: %(why)s.") % {"why": type(error).__name__})


@retrying
def note(jobs: list[Job], *, at: datetime | None = None) -> None:
    """Write down what came of the tries, and when the failed ones are tried again."""
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
        mine = WebhookDelivery.objects.filter(leased_by=job.delivery.leased_by, leased_until=job.delivery.leased_until)
        sql.having_ids(mine, "id", [each.delivery.pk for each in jobs]).update(leased_by="", leased_until=None)


def _note_receivers(sent: list[Job], failed: list[Tried], at: datetime) -> None:
    """Note since when a receiver only fails; one that could not be reached is left alone for a while."""
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
    """Leave a receiver alone with all that is due for it."""
    due_now = WebhookDelivery.objects.filter(webhook=hook_id, next_at__lte=at, leased_by="")
    due_now.update(next_at=at + pause)


def wait_after(attempts: int, chance: Callable[[], float] = random.random) -> timedelta | None:
    """How long to wait after so many tries, or None where that was the last."""
    if attempts > len(SCHEDULE):
        return None
    return SCHEDULE[attempts - 1] * (1 + chance() / 10)
